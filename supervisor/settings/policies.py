"""When a service is tried again and when it is given up: the layers of settings, laid over each other."""

from __future__ import annotations

from typing import Any

from supervisor.model.service import Policy, Restart
from supervisor.settings.policy_keys import ServicePolicy, Supervision
from supervisor.settings.shape import given, signal_number

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
