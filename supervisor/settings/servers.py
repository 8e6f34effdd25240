"""Plugin servers as records: every default filled in, every path absolute, references left as they are."""

from __future__ import annotations

import os

from supervisor.model.launch import FILE, NONE, Launch
from supervisor.model.service import AFTER_END, BEFORE, RELOAD, STOP, Policy, Spec
from supervisor.settings import commands
from supervisor.settings.checks import alive_check, ready_check
from supervisor.settings.launches import plugin_launch, search_path, warn_of_launch
from supervisor.settings.limits import kernel_limits, warn_of_limits, watched_limits
from supervisor.settings.load import Loaded, Plugin
from supervisor.settings.ordering import Ordering
from supervisor.settings.policies import server_policy
from supervisor.settings.schedule_ids import for_unknown
from supervisor.settings.schema import HOUR_S, Logs
from supervisor.settings.server_keys import LogKeys
from supervisor.settings.shape import signal_number
from supervisor.settings.useless import report_useless
from supervisor.settings.written import Written

MIB = 1 << 20


def plugin_specs(loaded: Loaded) -> list[Spec]:
    """The servers of all usable plugins, by name; what is wrong or looks so is noted in their documents."""
    servers: dict[str, Written] = {}
    for name, plugin in sorted(loaded.plugins.items()):
        if plugin.manifest.commands.server is None:
            _warn_without_server(loaded, name, plugin)
        else:
            servers[name] = Written(loaded, name, plugin)
    ordering = Ordering(loaded, servers)
    specs = {name: _specs(loaded, written, ordering) for name, written in servers.items()}
    ordering.report_circles()
    _warn_unknown(loaded)
    return [spec for each in specs.values() for spec in each]


def _specs(loaded: Loaded, written: Written, ordering: Ordering) -> list[Spec]:
    """One for each instance; they differ in their names, and in the files and the number that they get."""
    first = _spec(loaded, written, ordering)
    count = len(written.services)
    if count == 1:
        return [first]
    return [_instance(loaded, first, name, number) for number, name in enumerate(written.services, 1)]


def _spec(loaded: Loaded, written: Written, ordering: Ordering) -> Spec:
    home, keys, name = loaded.home, written.keys, written.name
    launch = _launch(loaded, written)
    spec = Spec(
        name=name,
        kind="plugin",
        launch=launch,
        policy=_policy(loaded, written),
        auto_start=bool(keys.auto_start),
        critical=bool(keys.critical),
        pid_file=home.server_pid(name),
        description=written.plugin.manifest.description or written.plugin.manifest.name,
        ready=ready_check(written, launch.cwd),
        alive=alive_check(written, launch.cwd),
        watchdog=keys.watchdog_seconds or 0.0,
        order=ordering.order(written, launch.cwd),
        limits=watched_limits(keys.limits),
        commands=_commands(written),
        reload_signal=signal_number(keys.reload.signal) if keys.reload and keys.reload.signal else 0,
    )
    spec.policy.gated = bool(
        spec.order.neighbours or spec.order.has_surroundings or loaded.settings.supervision.max_starting
    )
    _warn_of_commands(written, spec)
    warn_of_limits(written)
    report_useless(written, spec.policy)
    return spec


def _instance(loaded: Loaded, first: Spec, name: str, number: int) -> Spec:
    """A copy of the record that is another instance."""
    spec, home, plugin = Spec.from_dict(first.as_dict()), loaded.home, first.plugin
    spec.name, spec.instance = name, number
    spec.pid_file = home.server_pid(plugin, number)
    spec.launch.log = home.server_log(plugin, number)
    spec.launch.err_log = home.server_err_log(plugin, number) if first.launch.err_log else ""
    spec.launch.env = dict(sorted({**first.launch.env, "SB_INSTANCE": str(number)}.items()))
    return spec


def _policy(loaded: Loaded, written: Written) -> Policy:
    keys = written.keys
    its = server_policy(loaded.settings.supervision, keys, *written.layers)
    if both := sorted(set(its.exit_codes) & set(its.no_restart_codes)):
        written.report(
            ("noRestartCodes",),
            f"exit code {both[0]} is also in exitCodes, where it is no failure",
            "remove it from one of the two",
            at_key=True,
        )
    grace = keys.ready.grace_seconds if keys.ready else None
    if grace and grace >= its.start_timeout:
        written.report(
            ("ready", "graceSeconds"),
            f"it is asked too late: it has {its.start_timeout:g} s to become ready",
            "write less, or a longer startTimeoutSeconds",
        )
    return its


def _commands(written: Written) -> dict[str, tuple[str, ...]]:
    keys = written.keys
    if keys.reload and not keys.reload.signal and keys.reload.command is None:
        written.report(("reload",), "says no way to reload", "add signal or command", at_key=True)
    for key, command in (("before", keys.before), ("afterEnd", keys.after_end)):
        if command is not None and command.command is None:
            written.report((key,), "has no command", 'add "command"', at_key=True)
    found: dict[str, str | list[str] | None] = {
        BEFORE: keys.before.command if keys.before else None,
        STOP: keys.stop.command if keys.stop else None,
        AFTER_END: keys.after_end.command if keys.after_end else None,
        RELOAD: keys.reload.command if keys.reload else None,
    }
    return {name: commands.words(command) for name, command in found.items() if command is not None}


def _warn_of_commands(written: Written, spec: Spec) -> None:
    launch = spec.launch
    search = search_path(launch)
    paths = {BEFORE: ("before",), STOP: ("stop", "command"), AFTER_END: ("afterEnd",), RELOAD: ("reload", "command")}
    asked = [(paths[name], argv) for name, argv in spec.commands.items()]
    for name, keys in (("ready", written.keys.ready), ("alive", written.keys.alive)):
        if keys is not None and keys.exec is not None:
            asked.append(((name, "exec"), commands.words(keys.exec)))
    for path, argv in asked:
        if os.path.isdir(launch.cwd):  # else there is a warning of that
            written.warn_of_command(path, argv, launch.cwd, search)


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


def _launch(loaded: Loaded, written: Written) -> Launch:
    home, manifest, name, keys = loaded.home, written.plugin.manifest, written.name, written.keys
    assert manifest.commands.server is not None
    argv = commands.server_words(manifest.commands.server)
    launch = plugin_launch(home, name, written.plugin, argv, keys.watchdog_seconds)
    launch.limits = kernel_limits(keys.limits)
    launch.notify = bool(keys.watchdog_seconds or (keys.ready and keys.ready.notify))
    launch.log = home.server_log(name)
    set_logs(launch, loaded.settings.logs, keys.log)
    if keys.log and keys.log.stderr == "separate" and launch.sink != NONE:
        launch.err_log = home.server_err_log(name)
    if launch.sink == NONE and keys.ready and keys.ready.log is not None:
        remedy = "keep its output (file or syslog), or take another kind of check"
        written.report(("ready", "log"), "nothing of its output is kept that could be looked at", remedy)
    warn_of_launch(written.plugin, launch)
    return launch


def set_logs(launch: Launch, logs: Logs, keys: LogKeys | None = None) -> None:
    """Where its output goes and how much of it is kept: what `keys` say, else the settings of all."""
    keys = keys or LogKeys()
    max_mb = logs.max_mb if keys.max_mb is None else keys.max_mb
    max_age = logs.max_age_hours if keys.max_age_hours is None else keys.max_age_hours
    budget = logs.budget_mb if keys.budget_mb is None else keys.budget_mb
    launch.sink = keys.sink or FILE
    launch.log_max = max(1, int(max_mb * MIB))
    launch.log_keep = logs.keep if keys.keep is None else keys.keep
    launch.log_age = max_age * HOUR_S
    launch.log_budget = int(budget * MIB)
