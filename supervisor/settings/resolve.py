"""From settings to records: every default filled in, every path absolute, precedence applied."""

from __future__ import annotations

import os
from typing import Any

from supervisor.model.home import Home
from supervisor.model.service import Launch, Policy, Restart, Spec
from supervisor.settings import commands
from supervisor.settings.accounts import find_account
from supervisor.settings.load import Loaded, Plugin
from supervisor.settings.policy_keys import ServicePolicy, Supervision
from supervisor.settings.schema import SbctlFile
from supervisor.settings.shape import given, signal_number

SECRETS = ("DASHBOARD_KEY", "DISCORD_WEBHOOK", "GITHUB_TOKEN")
GRACE_ABOVE_S = 2.0  # a parent waits this much longer than the slowest below it
MIB = 1 << 20

_CORE_SECRETS = {"config": ("DASHBOARD_KEY",)}  # who needs which
_CORE_WORDS = {"scheduler": "plugin servers", "config": "REST", "tunnel": "the way in from outside"}

_POLICY_NAMES = {
    "fast_crash_seconds": "fast_crash",
    "delays_seconds": "delays",
    "give_up_after": "give_up",
    "window_minutes": "window",
    "window_deaths": "window_deaths",
    "window_delay_seconds": "window_delay",
    "grace_seconds": "grace",
    "start_timeout_seconds": "start_timeout",
    "restart": "restart",
    "exit_codes": "exit_codes",
}


def policy(defaults: Supervision, *layers: ServicePolicy | None, wait_ready: bool = False) -> Policy:
    """Per key: a later layer beats an earlier one, any layer beats the defaults."""
    keys: dict[str, Any] = {name: getattr(defaults, name) for name in type(defaults).model_fields}
    for layer in layers:
        keys.update(_flat(layer))
    values = {ours: keys[name] for name, ours in _POLICY_NAMES.items() if name in keys}
    values["window"] *= 60
    values["delays"] = tuple(values["delays"])
    values["restart"] = Restart(values.get("restart", "always"))
    values["exit_codes"] = tuple(sorted(set(values.get("exit_codes", (0,)))))
    return Policy(**values, stop_signal=signal_number(keys.get("signal", "TERM")), wait_ready=wait_ready)


def _flat(layer: ServicePolicy | None) -> dict[str, Any]:
    keys = given(layer)
    if "restart_on_crash" in keys:
        keys.setdefault("restart", "always" if keys["restart_on_crash"] else "never")
    keys.update(given(keys.get("stop")))
    return keys


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
                f'make plugins/{name}/manifest.json, or remove "{name}" here',
                level="warning",
                at_key=True,
            )
    if loaded.scheduler.tasks:
        document.report(
            ("tasks",),
            "schedules are read but not run by this version",
            "run what is due by other means until then",
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
        log_max=max(1, int(logs.max_mb * MIB)),
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
    env.update(SB_HOME=home.path, SB_PLUGIN=name, SB_LOG_DIR=home.plugin_logs(name))
    return dict(sorted(env.items()))


def _warn_of_launch(plugin: Plugin, launch: Launch) -> None:
    """What would fail now; the start gives its own verdict then."""
    document = plugin.document

    def warn(key: str, message: str, remedy: str) -> None:
        path = ("commands", "server") if key == "server" else (key,)
        document.report(path, message, remedy, level="warning")

    if not os.path.isdir(launch.cwd):
        warn("cwd", f"there is no folder {launch.cwd}", "create it, or name another one")
    elif problem := commands.find_problem(launch.argv, launch.cwd, _search_path(launch)):
        warn("server", problem, "install it, or correct the command")
    if launch.env_file and not os.path.exists(launch.env_file):
        warn("envFile", f"there is no file {launch.env_file}", "create it, or remove the key")
    if launch.user and os.geteuid() not in (0, launch.user.uid):
        warn("user", "only root can start it as another account", "run sbctl as root, or remove the key")


def _search_path(launch: Launch) -> str:
    path = launch.env.get("PATH", "")
    if not path or "$" in path or path.startswith(("env:", "file:")):
        path = os.environ.get("PATH", os.defpath)
    return f"{launch.path_first}:{path}" if launch.path_first else path


def core_specs(home: Home, settings: SbctlFile, plugins: list[Spec], provider: Spec | None) -> list[Spec]:
    """scheduler, config, tunnel: in the order of the start; the scheduler outwaits the slowest server."""
    slowest = max((spec.policy.grace for spec in plugins), default=0.0)
    specs = [_core(home, settings, "scheduler", slowest)]
    if settings.config.enabled:
        specs.append(_core(home, settings, "config", None))
    if provider is not None:
        specs.append(_core(home, settings, "tunnel", provider.policy.grace))
    return specs


def _core(home: Home, settings: SbctlFile, role: str, below: float | None) -> Spec:
    its = policy(settings.supervision, getattr(settings.core, role), wait_ready=True)
    if below is not None:
        its.grace = max(its.grace, below + GRACE_ABOVE_S)
    launch = Launch(
        argv=(f"role:{role}",),  # `start` puts its own interpreter here
        cwd=home.path,
        drop_env=tuple(secret for secret in SECRETS if secret not in _CORE_SECRETS.get(role, ())),
        log=home.out_file(role),
        log_max=max(1, int(settings.logs.max_mb * MIB)),
        log_keep=settings.logs.keep,
    )
    return Spec(name=role, kind="core", launch=launch, policy=its, description=_CORE_WORDS[role])


def provider_spec(home: Home, settings: SbctlFile) -> Spec | None:
    """The program that makes the tunnel, which the service `tunnel` keeps running."""
    if not settings.tunnel.enabled or settings.tunnel.command is None:
        return None
    launch = Launch(
        argv=commands.words(settings.tunnel.command),
        cwd=home.path,
        drop_env=SECRETS,
        log=os.path.join(home.plugin_logs("tunnel"), "provider.log"),
        log_max=max(1, int(settings.logs.max_mb * MIB)),
        log_keep=settings.logs.keep,
    )
    its = policy(settings.supervision, settings.core.tunnel)
    return Spec(name="provider", kind="provider", launch=launch, policy=its, description="makes the tunnel")
