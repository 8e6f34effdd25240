"""When a service is tried again and when it is given up: the layers of settings, laid over each other."""

from __future__ import annotations

from typing import Any

from supervisor.model.service import Policy, Restart
from supervisor.settings.policy_keys import ServicePolicy, Supervision
from supervisor.settings.server_keys import ServerPolicy, Stop
from supervisor.settings.shape import given, signal_number

_POLICY_NAMES = {
    "fast_crash_seconds": "fast_crash",
    "delays_seconds": "delays",
    "jitter_percent": "jitter",
    "give_up_after": "give_up",
    "retry_failed_minutes": "retry_failed",
    "window_minutes": "window",
    "window_deaths": "window_deaths",
    "window_delay_seconds": "window_delay",
    "grace_seconds": "grace",
    "start_timeout_seconds": "start_timeout",
    "restart": "restart",
    "no_restart_codes": "no_restart_codes",
    "stop_first": "stop_first",
}
STOP_COMMAND_S = 10.0


def policy(defaults: Supervision, *layers: ServicePolicy | None, wait_ready: bool = False) -> Policy:
    """Per key: a later layer beats an earlier one, any layer beats the defaults."""
    keys: dict[str, Any] = {name: getattr(defaults, name) for name in type(defaults).model_fields}
    for layer in layers:
        keys.update(_flat(layer))
    values = {ours: keys[name] for name, ours in _POLICY_NAMES.items() if name in keys}
    values["window"] *= 60
    values["retry_failed"] *= 60
    values["jitter"] /= 100
    values["delays"] = tuple(values["delays"])
    values["restart"] = Restart(values.get("restart", "always"))
    exits = keys.get("exit_codes", (0,))
    values["exit_codes"] = tuple(sorted({each for each in exits if isinstance(each, int)}))
    values["exit_signals"] = tuple(sorted({signal_number(each) for each in exits if isinstance(each, str)}))
    values["no_restart_codes"] = tuple(sorted(set(values.get("no_restart_codes", ()))))
    return Policy(**values, stop_signal=signal_number(keys.get("signal", "TERM")), wait_ready=wait_ready)


def _flat(layer: ServicePolicy | None) -> dict[str, Any]:
    keys = given(layer)
    if "restart_on_crash" in keys:
        keys.setdefault("restart", "always" if keys["restart_on_crash"] else "never")
    keys.update(_stop(keys.get("stop")))
    return keys


def _stop(stop: Stop | None) -> dict[str, Any]:
    keys = given(stop)
    if signals := keys.get("signals"):
        keys["signal"] = signals[-1].signal
        keys["stop_first"] = tuple((signal_number(each.signal), each.seconds) for each in signals[:-1])
        if signals[-1].seconds is not None:
            keys["grace_seconds"] = signals[-1].seconds
    elif "signal" in keys:
        keys["stop_first"] = ()
    return keys


def server_policy(defaults: Supervision, keys: ServerPolicy, *layers: ServicePolicy | None) -> Policy:
    """That of a plugin's server, with the time limits of what runs beside it; `keys` are its layers, merged."""
    its = policy(defaults, *layers, wait_ready=keys.ready is not None)
    its.before = keys.before.timeout_seconds if keys.before else 0.0
    its.after_end = keys.after_end.timeout_seconds if keys.after_end else 0.0
    if keys.stop and keys.stop.command is not None:
        its.stop_command = keys.stop.command_seconds or STOP_COMMAND_S
    its.look_outside = keys.external != "ignore"
    its.wait_timeout = (keys.wait_for and keys.wait_for.timeout_seconds) or 0.0
    return its
