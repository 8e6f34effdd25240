"""The scheduler daemon of a home without `start`, in one process: how long it takes to load, and how late slots are.

Everything in it is real but the spawner: that answers each spawn at once and starts nothing.

    desk.py load HOME    from scheduler.json until the next time of each schedule is known; and the memory of that
    desk.py due HOME [COUNT]
                         the same, then waits until so many (or all) of them were due, and says how late each slot
                         was decided and claimed
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from supervisor.base import garbage
from supervisor.daemons import common
from supervisor.daemons.options import Options
from supervisor.daemons.scheduler import Scheduler
from supervisor.daemons.time_desk import TimeDesk
from supervisor.engine.entries import Ends
from supervisor.model.home import Home
from supervisor.model.launch import Launch
from supervisor.runs.run import Run

WAIT_S = 60.0


class NoProcesses:
    """Takes every order, and starts nothing."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def spawn(self, key: str, launch: Launch, *, replaces: str, ends: Ends, stop: tuple[int, float]) -> None:
        ends.close_given()
        self._scheduler.loop.soon(lambda: self._scheduler.engine.exited(key, 0, True))

    def signal(self, key: str, number: int, *, main: bool = False) -> None: ...
    def drop(self, key: str) -> None: ...
    def note(self, name: str, blob: dict[str, Any] | None) -> None: ...
    def note_with_next(self, name: str, blob: dict[str, Any] | None) -> None: ...
    def keep(self, key: str, name: str, fd: int, then: Callable[[bool], None]) -> None: ...
    def let_go(self, key: str, name: str) -> None: ...


def own_memory() -> int:
    """Bytes of this process that nobody shares."""
    gc.collect()
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) << 10


def time_of(scheduler: Scheduler) -> TimeDesk:
    part = scheduler.time.part
    assert part is not None  # there are schedules
    return part


def opened(home: Home) -> tuple[Scheduler, dict[str, Any]]:
    """And how long that took, with how many looks for garbage at all there is."""
    began = time.perf_counter()
    looks = gc.get_stats()[2]["collections"]
    garbage.begin_loading()  # as its main does
    scheduler = Scheduler(home, Options(), common.read_settings(home, "scheduler"))
    scheduler.engine.spawner = NoProcesses(scheduler)
    scheduler.time.open()
    run_until(scheduler, lambda: time_of(scheduler).desk.is_open)
    took = time.perf_counter() - began
    return scheduler, {"seconds": took, "looks": gc.get_stats()[2]["collections"] - looks}


def run_until(scheduler: Scheduler, is_true: Any) -> None:
    end = time.monotonic() + WAIT_S
    while not is_true() and time.monotonic() < end:
        scheduler.loop.turn(min(scheduler.loop._wait_time(), 1.0))


def loaded(home: Home) -> tuple[Scheduler, dict[str, Any]]:
    scheduler, found = opened(home)
    known = sum(plan.wake is not None for plan in time_of(scheduler).desk.plans.values())
    run_until(scheduler, lambda: not time_of(scheduler).writer.queued)
    facts = {"known": known, "looks_go_on": gc.isenabled(), "frozen": gc.get_freeze_count()}
    return scheduler, {**found, **facts, "memory": own_memory()}


def load(home: Home) -> dict[str, Any]:
    return loaded(home)[1]


def due(home: Home, wanted: int = 0) -> dict[str, Any]:
    """Decided: the gates were asked, and its claim is on its way. Claimed: it is on the disk, the run may begin."""
    scheduler, found = loaded(home)
    desk = time_of(scheduler).desk
    decided: list[float] = []
    claimed: list[float] = []
    begun: list[float] = []
    put, done, begin = time_of(scheduler).writer.put_claim, time_of(scheduler).writer._wrote, desk.claims.begin

    def given(write: Any) -> bool:
        taken = put(write)
        decided.append(time.time() - write.values["due"] / 1000)
        return taken

    def wrote(job: Any) -> None:
        late = time.time()
        claimed.extend(late - write.values["due"] / 1000 for write in job.writes if write.kind == "claim")
        done(job)

    def began(run: Run, plan: Any) -> None:
        begun.append(time.time() - run.due)
        begin(run, plan)

    writer = time_of(scheduler).writer
    writer.put_claim, writer._wrote, desk.claims.begin = given, wrote, began  # type: ignore[method-assign]
    count = wanted or len(desk.plans)
    run_until(scheduler, lambda: len(begun) >= count and not desk.runner.runs)
    run_until(scheduler, lambda: not writer.queued)
    ended = sum(plan.total for plan in desk.plans.values())
    return {**found, "decided": decided, "claimed": claimed, "begun": begun, "ended": ended}


if __name__ == "__main__":
    what: Any = {"load": load, "due": due}[sys.argv[1]]
    print(json.dumps(what(Home(sys.argv[2]), *map(int, sys.argv[3:]))), flush=True)
    os._exit(0)  # its thread waits for more
