"""How a plugin's server, or a step of its schedules, is started: its folder, its environment, its account."""

from __future__ import annotations

import os

from supervisor.model.home import Home
from supervisor.model.launch import Launch, User
from supervisor.settings import commands
from supervisor.settings.accounts import find_account
from supervisor.settings.findings import Path
from supervisor.settings.load import Plugin
from supervisor.settings.secrets import SECRETS


def plugin_launch(
    home: Home, name: str, plugin: Plugin, argv: tuple[str, ...], watchdog: float | None = None
) -> Launch:
    """What all commands of a plugin have in common; where the output goes is another matter."""
    manifest = plugin.manifest
    venv = os.path.join(plugin.folder, ".venv", "bin")
    return Launch(
        argv=argv,
        cwd=folder(home, plugin),
        env=environment(home, name, plugin, watchdog),
        env_file=os.path.normpath(os.path.join(plugin.folder, manifest.env_file)) if manifest.env_file else "",
        drop_env=tuple(secret for secret in SECRETS if secret not in manifest.pass_env),
        path_first=venv if os.path.isdir(venv) else "",
        user=account(plugin),
        log="",
    )


def folder(home: Home, plugin: Plugin) -> str:
    if plugin.manifest.cwd == "home":
        return home.path
    return os.path.normpath(os.path.join(plugin.folder, plugin.manifest.cwd))


def account(plugin: Plugin) -> User | None:
    manifest = plugin.manifest
    if manifest.user is not None:
        return find_account(manifest.user, manifest.groups)
    if manifest.groups:
        message = "groups belong to an account, and none is given"
        plugin.document.report(("groups",), message, 'add "user"', at_key=True)
    return None


def environment(home: Home, name: str, plugin: Plugin, watchdog: float | None) -> dict[str, str]:
    """References stay as they are: only the process that starts the server resolves them."""
    env = {"PYTHONUNBUFFERED": "1"}
    for key, value in plugin.manifest.env.items():
        if value.startswith("file:"):
            value = "file:" + os.path.normpath(os.path.join(plugin.folder, value[5:]))
        env[key] = value
    own = home.plugin_logs(name) if plugin.manifest.user is None else home.own_logs(name)
    env.update(SB_HOME=home.path, SB_PLUGIN=name, SB_LOG_DIR=own)
    if watchdog:
        env["WATCHDOG_USEC"] = str(int(watchdog * 1_000_000))
    return dict(sorted(env.items()))


def warn_of_launch(plugin: Plugin, launch: Launch, command: str = "server") -> None:
    """What would fail now; the start gives its own verdict then."""
    document = plugin.document

    def warn(key: str, message: str, remedy: str) -> None:
        path = command_path(plugin, command) if key == command else (key,)
        document.report(path, message, remedy, level="warning")

    if not os.path.isdir(launch.cwd):
        warn("cwd", f"there is no folder {launch.cwd}", "create it, or name another one")
    elif problem := commands.find_problem(launch.argv, launch.cwd, search_path(launch)):
        warn(command, *problem)
    if launch.env_file and not os.path.exists(launch.env_file):
        warn("envFile", f"there is no file {launch.env_file}", "create it, or remove the key")
    warn_of_user(plugin, launch, ("user",))


def command_path(plugin: Plugin, command: str) -> Path:
    """Of its words, wherever they stand."""
    return plugin.document.positions.as_written(("commands", command, "command"))


def warn_of_user(plugin: Plugin, launch: Launch, path: Path) -> None:
    if launch.user and os.geteuid() not in (0, launch.user.uid):
        message, remedy = "only root can start it as another account", "run sbctl as root, or remove the key"
        plugin.document.report(path, message, remedy, level="warning")


def search_path(launch: Launch) -> str:
    path = launch.env.get("PATH", "")
    if not path or "$" in path or path.startswith(("env:", "file:")):
        path = os.environ.get("PATH", os.defpath)
    return f"{launch.path_first}:{path}" if launch.path_first else path
