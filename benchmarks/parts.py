"""What can be measured: each part by its name, and who measures it."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import launcher
from benchmarks.figures import adopt, config_server, deaf, idle, logs, probes, restart, schedules, start_stop, status
from benchmarks.plan import Plan
from benchmarks.report import Figure

FIGURES: dict[str, Callable[[Plan], list[Figure]]] = {
    "start": start_stop.measure,
    "deaf": deaf.measure,
    "restart": restart.measure,
    "adopt": adopt.measure,
    "status": status.measure,
    "idle": idle.measure,
    "config": config_server.measure,
    "probes": probes.measure,
    "logs": logs.measure,
    "schedules": schedules.measure,
    "launcher": launcher.measure,
}
ALIASES = {"stop": "start"}  # taken in the same rounds
