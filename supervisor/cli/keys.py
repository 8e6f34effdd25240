"""The keys that people write, for the fields of the compiled record that a plan names."""

from __future__ import annotations

from supervisor.model.service import CORE_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

KEYS = {
    "auto_start": "autoStart",
    "description": "description",
    "launch.argv": "commands.server",
    "launch.cwd": "cwd",
    "launch.drop_env": "passEnv",
    "launch.env": "env",
    "launch.env_file": "envFile",
    "launch.log_keep": "logs.keep",
    "launch.log_max": "logs.maxMb",
    "launch.path_first": ".venv",
    "launch.user": "user",
    # A policy may be written in several places (supervision, core, server, servers.<id>): only the key is named.
    "policy.delays": "delaysSeconds",
    "policy.exit_codes": "exitCodes",
    "policy.fast_crash": "fastCrashSeconds",
    "policy.give_up": "giveUpAfter",
    "policy.grace": "graceSeconds",
    "policy.restart": "restart",
    "policy.start_timeout": "startTimeoutSeconds",
    "policy.stop_signal": "stop.signal",
    "policy.window": "windowMinutes",
    "policy.window_deaths": "windowDeaths",
    "policy.window_delay": "windowDelaySeconds",
}

# The environment of these two holds a mark of the settings that they read themselves.
CORE_KEYS = {"config": {"launch.env": "config.host or config.port"}, "tunnel": {"launch.env": "tunnel"}}


def written_keys(name: str, fields: Iterable[str]) -> list[str]:
    """What differs of the service `name`; a field that nobody writes (the place of a log) stays as it is."""
    table = KEYS | CORE_KEYS.get(name, {})
    if name in CORE_NAMES:
        table.pop("launch.argv")
    return [table.get(field, field) for field in fields]
