"""What can be measured: each part by its name, and who measures it."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import launcher
from benchmarks.figures import (
    adopt,
    commands,
    config_server,
    deaf,
    growth,
    growth_schedules,
    idle,
    logs,
    probes,
    restart,
    schedules,
    spawn_rate,
    start_stop,
    status,
    wakeups,
    week,
)
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
    "commands": commands.measure,
    "spawns": spawn_rate.measure,
    "wakeups": wakeups.measure,
    "week": week.measure,
    "growth": growth.measure,
    "growth-schedules": growth_schedules.measure,
}
ALIASES = {"stop": "start"}  # taken in the same rounds
