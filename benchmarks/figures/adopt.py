"""The scheduler is killed: until its successor has taken over every server. No peer can do this."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, all_running, say
from benchmarks.report import Figure
from supervisor.base.errors import Problem
from supervisor.cli.quick import ask_rows
from supervisor.model.home import Home

PATIENCE_S = 20.0


def measure(plan: Plan) -> list[Figure]:
    title = f"Adoption: kill -9 of the scheduler until {plan.children} servers have been taken over"
    figure = Figure(title, "s", key=f"adopt.{plan.children}")
    ours = plan.of(Ours)
    if ours is None:
        return []
    say("adoption")
    values = []
    with all_running([ours], "adopt", plan.children):
        for _ in range(4 if plan.quick else 10):
            values.append(_one(ours))
            time.sleep(0.2)
        same = ours.servers == procs.pids_named(ours.comm)
    figure.add(ours.name, values, target=targets.ADOPT_S, wrong="" if same else "servers were lost or restarted")
    return [figure]


def _one(ours: Ours) -> float:
    home, count = Home(str(ours.folder)), len(ours.servers)
    began = procs.now()
    os.kill(ours.daemons()["scheduler"], signal.SIGKILL)
    procs.wait_for("adoption", lambda: _running(home) >= count, PATIENCE_S)
    return procs.now() - began


def _running(home: Home) -> int:
    with contextlib.suppress(Problem):
        return sum(row.state == "running" for row in ask_rows(home, "scheduler")[1])
    return 0
