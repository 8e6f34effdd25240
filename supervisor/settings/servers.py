"""Plugin servers as records: every default filled in, every path absolute, references left as they are."""

from __future__ import annotations

import os

from supervisor.model.home import Home
from supervisor.model.service import Launch, Spec
from supervisor.settings import commands
from supervisor.settings.accounts import find_account
from supervisor.settings.load import Loaded, Plugin
from supervisor.settings.policies import policy
from supervisor.settings.secrets import SECRETS
from supervisor.settings.tasks import check_tasks, for_unknown


def plugin_specs(loaded: Loaded) -> list[Spec]:
    """The servers of all usable plugins, by name; what looks wrong about one is noted in its document."""
    specs = []
    for name, plugin in sorted(loaded.plugins.items()):
        entry = loaded.scheduler.servers.get(name)
        layers = (plugin.manifest.server, entry)
        if plugin.manifest.commands.server is None:
            _warn_without_server(loaded, name, plugin)
            continue
        wanted = [layer.auto_start for layer in layers if layer is not None and layer.auto_start is not None]
        specs.append(
            Spec(
                name=name,
                kind="plugin",
                launch=_launch(loaded, name, plugin, plugin.manifest.commands.server),
                policy=policy(loaded.settings.supervision, *layers),
                auto_start=bool(wanted and wanted[-1]),
                pid_file=os.path.join(loaded.home.plugin_logs(name), "server.pid"),
                description=plugin.manifest.description or plugin.manifest.name,
            )
        )
    _warn_unknown(loaded)
    check_tasks(loaded)
    return specs


def _warn_without_server(loaded: Loaded, name: str, plugin: Plugin) -> None:
    if name in loaded.scheduler.servers:
        loaded.scheduler_document.report(
            ("servers", name),
            "this plugin has no server command",
            f'add commands.server to plugins/{name}/manifest.json, or remove "{name}" here',
            level="warning",
            at_key=True,
        )
    elif plugin.manifest.server.auto_start:
        plugin.document.report(
            ("server", "autoStart"), "there is no commands.server to start", "add it", level="warning", at_key=True
        )


def _warn_unknown(loaded: Loaded) -> None:
    document = loaded.scheduler_document
    for name in loaded.scheduler.servers:
        if name not in loaded.plugins and name not in loaded.left_out:
            document.report(
                ("servers", name),
                "there is no such plugin",
                for_unknown(name),
                level="warning",
                at_key=True,
            )


def _launch(loaded: Loaded, name: str, plugin: Plugin, command: str | list[str]) -> Launch:
    home, manifest, logs = loaded.home, plugin.manifest, loaded.settings.logs
    venv = os.path.join(plugin.folder, ".venv", "bin")
    launch = Launch(
        argv=commands.words(command),
        cwd=_folder(home, plugin),
        env=_environment(home, name, plugin),
        env_file=os.path.normpath(os.path.join(plugin.folder, manifest.env_file)) if manifest.env_file else "",
        drop_env=tuple(secret for secret in SECRETS if secret not in manifest.pass_env),
        path_first=venv if os.path.isdir(venv) else "",
        user=find_account(manifest.user) if manifest.user is not None else None,
        log=home.server_log(name),
        log_max=logs.max_bytes,
        log_keep=logs.keep,
    )
    _warn_of_launch(plugin, launch)
    return launch


def _folder(home: Home, plugin: Plugin) -> str:
    if plugin.manifest.cwd == "home":
        return home.path
    return os.path.normpath(os.path.join(plugin.folder, plugin.manifest.cwd))


def _environment(home: Home, name: str, plugin: Plugin) -> dict[str, str]:
    """References stay as they are: only the process that starts the server resolves them."""
    env = {"PYTHONUNBUFFERED": "1"}
    for key, value in plugin.manifest.env.items():
        if value.startswith("file:"):
            value = "file:" + os.path.normpath(os.path.join(plugin.folder, value[5:]))
        env[key] = value
    folder = home.plugin_logs(name) if plugin.manifest.user is None else home.own_logs(name)
    env.update(SB_HOME=home.path, SB_PLUGIN=name, SB_LOG_DIR=folder)
    return dict(sorted(env.items()))


def _warn_of_launch(plugin: Plugin, launch: Launch) -> None:
    """What would fail now; the start gives its own verdict then."""
    document = plugin.document

    def warn(key: str, message: str, remedy: str) -> None:
        path = ("commands", "server") if key == "server" else (key,)
        document.report(path, message, remedy, level="warning")

    if not os.path.isdir(launch.cwd):
        warn("cwd", f"there is no folder {launch.cwd}", "create it, or name another one")
    elif problem := commands.find_problem(launch.argv, launch.cwd, search_path(launch)):
        warn("server", *problem)
    if launch.env_file and not os.path.exists(launch.env_file):
        warn("envFile", f"there is no file {launch.env_file}", "create it, or remove the key")
    if launch.user and os.geteuid() not in (0, launch.user.uid):
        warn("user", "only root can start it as another account", "run sbctl as root, or remove the key")


def search_path(launch: Launch) -> str:
    path = launch.env.get("PATH", "")
    if not path or "$" in path or path.startswith(("env:", "file:")):
        path = os.environ.get("PATH", os.defpath)
    return f"{launch.path_first}:{path}" if launch.path_first else path
