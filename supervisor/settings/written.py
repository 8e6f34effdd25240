"""The keys of one plugin's server as they count: the scheduler file over the manifest, each with its place."""

from __future__ import annotations

from supervisor.settings.commands import find_problem
from supervisor.settings.document import Document
from supervisor.settings.findings import Level, Path
from supervisor.settings.load import Loaded, Plugin
from supervisor.settings.server_keys import ServerPolicy
from supervisor.settings.shape import merged


class Written:
    """What people wrote about one server."""

    def __init__(self, loaded: Loaded, name: str, plugin: Plugin) -> None:
        entry = loaded.scheduler.servers.get(name)
        self.name = name  # of the plugin
        self.plugin = plugin
        self.layers = (plugin.manifest.server, entry)
        self.keys: ServerPolicy = merged(plugin.manifest.server, entry)
        self._scheduler = loaded.scheduler_document

    @property
    def services(self) -> list[str]:
        """The names of its instances."""
        count = self.keys.instances or 1
        return [f"{self.name}:{number}" for number in range(1, count + 1)] if count > 1 else [self.name]

    def report(
        self, path: Path, message: str, remedy: str = "", *, level: Level = "error", at_key: bool = False
    ) -> None:
        """About the key at `path`, in the file that has the last word on it."""
        document, whole = self._place(path)
        document.report(whole, message, remedy, level=level, at_key=at_key)

    def _place(self, path: Path) -> tuple[Document, Path]:
        places = [(self._scheduler, ("servers", self.name, *path)), (self.plugin.document, ("server", *path))]
        found = [(document, document.positions.known_part(whole)) for document, whole in places]
        depths = [len(found[0][1]) - 1, len(found[1][1])]  # without "servers.NAME" and "server"
        document, whole = found[0] if depths[0] >= depths[1] and depths[0] > 1 else found[1]
        return document, whole or ("server",)

    def warn_of_command(self, path: Path, argv: tuple[str, ...], cwd: str, search: str) -> None:
        if problem := find_problem(argv, cwd, search):
            self.report(path, *problem, level="warning")
