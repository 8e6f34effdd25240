"""The scheduler is killed: until its successor has taken over every server. No peer can do this."""

from __future__ import annotations

import os
import signal
import time

from benchmarks import procs, targets
from benchmarks.journal import JournalEnd
from benchmarks.ours import Ours
from benchmarks.plan import Plan, all_running, say
from benchmarks.report import Figure
from supervisor.cli.quick import ask_rows
from supervisor.model.home import Home

PATIENCE_S = 20.0


def measure(plan: Plan) -> list[Figure]:
    return [] if plan.of(Ours) is None else [_with(plan, count) for count in plan.counts]


def _with(plan: Plan, count: int) -> Figure:
    title = f"Adoption: kill -9 of the scheduler until {count} servers have been taken over"
    figure = Figure(title, "s", key=f"adopt.{count}")
    ours = plan.of(Ours)
    assert ours is not None
    say(f"adoption of {count}")
    values, wrong = [], ""
    with all_running([ours], "adopt", count):
        for _ in range(4 if plan.quick else 10):
            took, adopted = adoption(ours)
            values.append(took)
            wrong = wrong or ("" if adopted == count else f"{adopted} of {count} were taken over")
            time.sleep(0.2)
        rows = ask_rows(Home(str(ours.folder)), "scheduler")[1]
        shown = {row.pid for row in rows if row.state == "running"}
        if not wrong and (ours.servers != procs.pids_named(ours.comm) or shown != set(map(str, ours.servers))):
            wrong = "servers were lost or restarted"
    figure.add(ours.name, values, target=targets.ADOPT_S.get(count), wrong=wrong)
    return figure


def adoption(ours: Ours) -> tuple[float, int]:
    """Seconds until the successor has told it (from then on it answers, with each server in its rows), and how many.

    By its journal: to ask for the rows again and again would keep it from what it is measured at.
    """
    journal = JournalEnd(ours.folder)
    try:
        began = procs.now()
        os.kill(ours.daemons()["scheduler"], signal.SIGKILL)
        event = journal.wait_for("scheduler.adopted", PATIENCE_S)
        return procs.now() - began, event["data"]["count"]
    finally:
        journal.close()
