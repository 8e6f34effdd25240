"""R16: the wall clock is set while everything runs: real daemons and processes, whose clock a test sets.

(Monotonic time can't be set on Linux, and the machine's clock is not ours to set: see tests/children/shifted.py.)
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.injecting import attached
from support.processes import alive, kill
from support.scheduling import NOTES_ITS_SLOT, Scheduling, add_steps, add_task, seconds
from support.shifting import set_clock, start_shifted
from support.waiting import eventually

HOUR, DAY = 3600, 86_400
STEPS = {"two hours on": 2 * HOUR, "a day back": -DAY, "ten years on": 3650 * DAY}
BACKOFF_S = 1.5


@pytest.fixture
def desk(scheduling: Scheduling) -> Scheduling:
    home = scheduling.home
    home.supervision.update(delaysSeconds=[BACKOFF_S], fastCrashSeconds=2, reconcileSeconds=0.5)
    home.settings["timezone"] = "UTC"
    home.add_plugin("steady", child("ready"))
    home.add_plugin("loops", child("crash_after", 0, 1))
    scheduling.job("second", NOTES_ITS_SLOT, intervalSeconds=1, missedSpreadSeconds=0)
    scheduling.job("hourly", NOTES_ITS_SLOT, cron="0 * * * *")
    scheduling.job("long", "echo began; read line <$SB_HOME/fifo; exit 0", timeoutMinutes=0.7)
    return scheduling


def starts_of(desk: Scheduling, name: str) -> list[int]:
    """Nominal times; 0 of a run by hand, which has none."""
    return [int(words[1] or 0) for line in desk.started() if (words := line.split(" "))[0] == name]


@pytest.mark.parametrize("step", ["two hours on", "a day back", pytest.param("ten years on", marks=pytest.mark.slow)])
def test_a_step_of_the_clock(desk: Scheduling, step: str) -> None:
    by = STEPS[step]
    home = desk.home.path
    fifo = home / "fifo"
    os.mkfifo(fifo)
    start_shifted(desk.daemon)
    run = desk.run("long")
    desk.first("second")
    daemon = desk.daemon
    pids = {name: daemon.row(name)["pid"] for name in ("steady", "scheduler")}
    in_backoff = daemon.in_phase("loops", "backoff")
    count, began = len(starts_of(desk, "second")), time.monotonic()

    set_clock(home, by)

    # what waits goes on to wait as long as it would have
    row = daemon.row("loops")
    waited = time.monotonic() - began
    assert row["state"] == "backoff" or waited > BACKOFF_S / 2, (in_backoff, row)
    eventually(lambda: daemon.row("loops")["restarts"] > in_backoff["restarts"], BACKOFF_S + 2)
    eventually(lambda: desk.events("clock.stepped"), 3, "it is noticed")
    (told,) = desk.events("clock.stepped")
    assert told["data"]["seconds"] == pytest.approx(by, abs=2)

    # schedules go on by the new time, without a burst
    eventually(lambda: len(starts_of(desk, "second")) >= count + 3, 8, "slots of the new time")
    passed = time.monotonic() - began
    assert len(starts_of(desk, "second")) <= count + passed + 2, "one catch-up at most"
    assert len(starts_of(desk, "hourly")) <= 1
    new = time.time() + by
    nearest = desk.ask("next", count=1, names=["hourly"])["slots"][0]
    assert seconds(nearest["nominal"]) == pytest.approx(new - new % HOUR + HOUR, abs=1), nearest

    # nobody is taken for one that crashes at once, or has run for two hours
    eventually(lambda: 2.2 < daemon.row("steady")["uptime_s"] < 60, 4, "its age is by the other clock")
    kill(pids["steady"])
    after = eventually(lambda: one_that_runs(daemon, "steady", pids["steady"]), 1.4, "it had lived long enough")
    assert after["restarts"] == 1
    assert daemon.pid("scheduler") == pids["scheduler"]
    assert desk.events("run.timed_out") == []
    fifo_end(fifo)
    row = desk.ended(run)
    assert row["state"] == "succeeded"
    for name in ("start", "scheduler"):
        assert "Traceback" not in (home / "logs" / f"{name}.out").read_text()


def one_that_runs(daemon: Daemon, name: str, not_this: int) -> dict[str, Any] | None:
    row = daemon.row(name)
    return row if row["state"] == "running" and row["pid"] not in (None, not_this) and alive(row["pid"]) else None


def fifo_end(fifo: Path) -> None:
    with fifo.open("w") as file:
        file.write("go\n")


@pytest.mark.slow
def test_a_small_step_back_runs_no_slot_again(desk: Scheduling) -> None:
    """Up to three hours: what has run stays run, and what comes waits for its time."""
    start_shifted(desk.daemon)
    desk.first("second", 2)
    set_clock(desk.home.path, -HOUR)
    eventually(lambda: desk.events("clock.stepped"), 3)
    done = desk.done("second")
    assert done["state"] == "succeeded", "by hand it runs as ever"
    before = starts_of(desk, "second")
    set_clock(desk.home.path, 0)
    eventually(lambda: len(starts_of(desk, "second")) >= len(before) + 2, 8)
    slots = [each for each in starts_of(desk, "second") if each]
    assert len(slots) == len(set(slots))


@pytest.mark.slow
@pytest.mark.parametrize("by", [2 * HOUR, -DAY])
def test_one_that_dies_young_dies_young_by_any_clock(desk: Scheduling, by: float) -> None:
    """Its age is counted by the clock that nobody sets."""
    start_shifted(desk.daemon)
    daemon = desk.daemon
    daemon.ask("scheduler", "restart", names=["steady"])
    row = eventually(lambda: one_that_runs(daemon, "steady", 0))
    set_clock(desk.home.path, by)
    kill(row["pid"])
    assert daemon.in_phase("steady", "backoff", 1.4)["cause"]


@pytest.mark.slow
def test_no_wait_is_longer_than_half_a_minute(daemon: Daemon, tmp_path: Path) -> None:
    """As the kernel is asked for it: a clock that is set is seen at the end of such a wait, whatever else is due."""
    for key in ("reconcileSeconds", "tickSeconds"):
        del daemon.home.supervision[key]
    daemon.home.settings["timezone"] = "UTC"
    add_steps(daemon.home, "job", get="true")
    add_task(daemon.home, "job", cron="0 0 1 1 *")
    daemon.start()
    trace = tmp_path / "trace"
    with attached(daemon.pid("scheduler"), trace, calls=("epoll_wait", "epoll_pwait"), threads=False):
        eventually(lambda: daemon.ask("scheduler", "ping") and longest_wait(trace) > 10_000, 20, "it rests")
    assert longest_wait(trace) <= 30_000


def longest_wait(trace: Path) -> int:
    """In milliseconds."""
    waits = re.findall(r"epoll_p?wait\(.*, \d+, (\d+)", trace.read_text())
    return max(map(int, waits), default=0)
