"""All settings files of a home, read and judged in one pass. Changes nothing."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from supervisor.base.errors import BAD_SETTINGS, Problem
from supervisor.model.home import Home
from supervisor.model.inputs import look
from supervisor.settings.document import Document, read_document
from supervisor.settings.explain import validate
from supervisor.settings.findings import Finding, has_errors, in_order
from supervisor.settings.manifest import Manifest
from supervisor.settings.permissions import Permissions, shown
from supervisor.settings.scheduler_file import SchedulerFile
from supervisor.settings.schema import SbctlFile

MANIFEST = "manifest.json"

_UNREAD = {"sbctl.yml": "sbctl.yaml", "sbctl.json": "sbctl.yaml", "scheduler.yml": "scheduler.yaml"}


@dataclass
class Plugin:
    """A folder with a manifest that holds."""

    folder: str
    manifest: Manifest
    document: Document


@dataclass
class Loaded:
    """What the files say. Where a file can't be used its defaults stand here, and an error in `findings`."""

    home: Home
    settings: SbctlFile = field(default_factory=SbctlFile)
    scheduler: SchedulerFile = field(default_factory=SchedulerFile)
    settings_document: Document = field(default_factory=lambda: Document("etc/sbctl.yaml", "yaml"))
    scheduler_document: Document = field(default_factory=lambda: Document("etc/scheduler.json"))
    plugins: dict[str, Plugin] = field(default_factory=dict)  # by id, in the order of names
    left_out: dict[str, list[Finding]] = field(default_factory=dict)  # by folder: plugins with errors
    common: list[Finding] = field(default_factory=list)  # what concerns all
    inputs: list[list[Any]] = field(default_factory=list)
    sources: dict[str, bytes] = field(default_factory=dict)  # contents of all that was read, by path in the home

    @property
    def findings(self) -> list[Finding]:
        """Everything, each once: errors, then warnings, by file and place."""
        found = {*self.common, *self.settings_document.findings, *self.scheduler_document.findings}
        found.update(finding for each in self.left_out.values() for finding in each)
        found.update(finding for plugin in self.plugins.values() for finding in plugin.document.findings)
        return in_order(found)

    def has_read(self, path: str) -> bool:
        return os.path.relpath(path, self.home.path) in self.sources

    @property
    def has_common_errors(self) -> bool:
        """An error that leaving out a plugin would not mend?"""
        return has_errors([*self.common, *self.settings_document.findings, *self.scheduler_document.findings])


def load(home: Home) -> Loaded:
    require(home)
    loaded = Loaded(home)
    permissions = Permissions(home)
    _load_settings(loaded, permissions)
    _load_scheduler(loaded, permissions)
    _load_plugins(loaded, permissions)
    return loaded


def require(home: Home) -> None:
    """A home that is mistyped must not come into being."""
    if not os.path.isdir(home.path):
        raise Problem(f"there is no folder {home.path}", remedy="make it, or name another home", code=BAD_SETTINGS)


def _exists(entry: list[Any]) -> bool:
    return bool(entry[1] != -1)


def _read(loaded: Loaded, path: str) -> Document:
    document = read_document(path, shown(path, loaded.home.path))
    if document.raw is not None:
        loaded.sources[os.path.relpath(path, loaded.home.path)] = document.raw
    return document


def _watch(loaded: Loaded, path: str) -> bool:
    """Note how the file looks *before* it is read: a change in between then shows as a difference."""
    entry = look(path)
    loaded.inputs.append(entry)
    return _exists(entry) or os.path.islink(path)


def _load_settings(loaded: Loaded, permissions: Permissions) -> None:
    path = loaded.home.settings_file
    exists = _watch(loaded, path)
    _watch(loaded, loaded.home.etc)
    loaded.common += permissions.findings(path)
    _warn_of_unread_names(loaded)
    if not exists:
        return
    loaded.settings_document = document = _read(loaded, path)
    if document.can_be_judged:
        loaded.settings = validate(SbctlFile, document) or loaded.settings


def _warn_of_unread_names(loaded: Loaded) -> None:
    for name, right in _UNREAD.items():
        if os.path.exists(os.path.join(loaded.home.etc, name)):
            remedy = f"rename it to etc/{right}"
            loaded.common.append(Finding(f"etc/{name}", 0, 0, "", "a file of this name is not read", remedy, "warning"))


def _load_scheduler(loaded: Loaded, permissions: Permissions) -> None:
    home = loaded.home
    paths = [os.path.join(home.etc, name) for name in ("scheduler.json", "scheduler.yaml")]
    found = [path for path in paths if _watch(loaded, path)]
    if not found:
        return
    document, *_ = [_read(loaded, path) for path in found]
    loaded.scheduler_document = document
    loaded.common += permissions.findings(found[0])
    if len(found) > 1:
        document.report((), "there are both scheduler.json and scheduler.yaml", "remove one of the two")
    if document.can_be_judged:
        loaded.scheduler = validate(SchedulerFile, document) or loaded.scheduler
        _check_restarts(loaded.scheduler, document)


def _check_restarts(scheduler: SchedulerFile, document: Document) -> None:
    for name, entry in scheduler.servers.items():
        words = {True: "always", False: "never"}
        if entry.restart and entry.restart_on_crash is not None and entry.restart != words[entry.restart_on_crash]:
            document.report(
                ("servers", name, "restartOnCrash"), "contradicts restart", "keep one of the two", at_key=True
            )


def _load_plugins(loaded: Loaded, permissions: Permissions) -> None:
    plugins = loaded.home.plugins
    _watch(loaded, plugins)
    loaded.common += permissions.findings(plugins)
    try:
        names = sorted(name for name in os.listdir(plugins) if not name.startswith((".", "_")))
    except FileNotFoundError:
        return
    except OSError as error:
        message = f"can't be read: {error.strerror}"
        loaded.common.append(Finding("plugins", 0, 0, "", message, "make it a folder that you can read"))
        return
    documents = {}
    for name in names:
        path = os.path.join(plugins, name, MANIFEST)
        if _watch(loaded, path):
            documents[name] = _read(loaded, path)
            documents[name].findings += permissions.findings(path)
            _watch(loaded, os.path.join(plugins, name, ".venv", "bin"))
        elif os.path.isdir(os.path.join(plugins, name)):
            _warn_of_missing_manifest(loaded, name)
    _report_same_ids(documents)
    for name, document in documents.items():
        _load_plugin(loaded, name, document)


def _warn_of_missing_manifest(loaded: Loaded, name: str) -> None:
    message = f"there is no {MANIFEST} in this folder: it is not taken for a plugin"
    remedy = f"write one, or rename the folder to _{name}: such folders are left alone"
    loaded.common.append(Finding(os.path.join("plugins", name), 0, 0, "", message, remedy, "warning"))


def _load_plugin(loaded: Loaded, name: str, document: Document) -> None:
    folder = loaded.home.plugin(name)
    manifest = None
    if document.can_be_judged:
        manifest = validate(Manifest, document, {"folder": name})
    if manifest is None or has_errors(document.findings):
        loaded.left_out[name] = document.findings
    else:
        loaded.plugins[manifest.id] = Plugin(folder, manifest, document)


def _report_same_ids(documents: dict[str, Document]) -> None:
    """On systems that fold case, and for people, `Web` and `web` are one."""
    owners: dict[str, list[str]] = defaultdict(list)
    for name, document in documents.items():
        given = document.data.get("id") if isinstance(document.data, dict) else None
        if isinstance(given, str):
            owners[given.casefold()].append(name)
    for names in owners.values():
        for name in names if len(names) > 1 else []:
            others = ", ".join(documents[other].file for other in names if other != name)
            documents[name].report(("id",), f"the same id as in {others}", "give each plugin an id of its own")
