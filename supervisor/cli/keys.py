"""The keys that people write, for the fields of the compiled record that a plan names."""

from __future__ import annotations

from supervisor.model.service import CORE_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ORDER = "requires, after or waitFor"

KEYS = {
    "alive": "alive",
    "auto_start": "autoStart",
    "commands": "before, stop.command, afterEnd or reload.command",
    "critical": "critical",
    "description": "description",
    "instance": "instances",
    "launch.argv": "commands.server",
    "launch.cwd": "cwd",
    "launch.drop_env": "passEnv",
    "launch.env": "env",
    "launch.env_file": "envFile",
    "launch.err_log": "log.stderr",
    "launch.limits": "limits",
    "launch.log_age": "logs.maxAgeHours",
    "launch.log_budget": "logs.budgetMb",
    "launch.log_keep": "logs.keep",
    "launch.log_max": "logs.maxMb",
    "launch.notify": "ready",
    "launch.path_first": ".venv",
    "launch.sink": "log.sink",
    "launch.user": "user",
    "limits": "limits",
    "order": ORDER,
    # A policy may be written in several places (supervision, core, server, servers.<id>): only the key is named.
    "policy.after_end": "afterEnd",
    "policy.before": "before",
    "policy.delays": "delaysSeconds",
    "policy.exit_codes": "exitCodes",
    "policy.exit_signals": "exitCodes",
    "policy.fast_crash": "fastCrashSeconds",
    "policy.gated": ORDER,
    "policy.give_up": "giveUpAfter",
    "policy.grace": "graceSeconds",
    "policy.jitter": "jitterPercent",
    "policy.look_outside": "external",
    "policy.no_restart_codes": "noRestartCodes",
    "policy.restart": "restart",
    "policy.retry_failed": "retryFailedMinutes",
    "policy.start_timeout": "startTimeoutSeconds",
    "policy.stop_command": "stop.command",
    "policy.stop_first": "stop.signals",
    "policy.stop_signal": "stop.signal",
    "policy.wait_ready": "ready",
    "policy.wait_timeout": "waitFor.timeoutSeconds",
    "policy.window": "windowMinutes",
    "policy.window_deaths": "windowDeaths",
    "policy.window_delay": "windowDelaySeconds",
    "ready": "ready",
    "reload_signal": "reload.signal",
    "watchdog": "watchdogSeconds",
}

# The environment of these two holds a mark of the settings that they read themselves.
CORE_KEYS = {"config": {"launch.env": "config.host or config.port"}, "tunnel": {"launch.env": "tunnel"}}


def written_keys(name: str, fields: Iterable[str]) -> list[str]:
    """What differs of the service `name`; a field that nobody writes (the place of a log) stays as it is."""
    table = KEYS | CORE_KEYS.get(name, {})
    if name in CORE_NAMES:
        table.pop("launch.argv")
    return list(dict.fromkeys(table.get(field, field) for field in fields))
