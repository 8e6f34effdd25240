"""R17 R18: daemons that stand still for a while, as in a virtual machine that was paused, and go on.

What was missed is written down and shown; each schedule makes up for it once at most; nobody is taken for hung or dead.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from support.children import child
from support.processes import kill
from support.scheduling import NOTES_ITS_SLOT, Scheduling, seconds
from support.waiting import eventually

NAMES = ("one", "two", "three")


@contextmanager
def standing_still(pids: list[int], for_s: float) -> Iterator[None]:
    """The time is the fault here, so it is waited for."""
    for pid in pids:
        kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        yield
        eventually(lambda: time.monotonic() - began >= for_s, for_s + 1)
    finally:
        for pid in pids:
            kill(pid, signal.SIGCONT)


@pytest.fixture
def desk(scheduling: Scheduling) -> Scheduling:
    home = scheduling.home
    home.supervision["reconcileSeconds"] = 0.3
    home.settings["core"] = {"scheduler": {"watchdogSeconds": 2}}
    home.add_plugin("steady", child("ready"))
    # Two seconds without a sign of life are its end; it gives one five times a second.
    home.add_plugin("watched", child("notifier", "READY=1", 0.2), ready={"notify": True}, watchdogSeconds=2)
    home.add_plugin("probed", child("ready"), alive={"exec": "true", "intervalSeconds": 0.3, "timeoutSeconds": 1})
    for name in NAMES:
        scheduling.job(name, NOTES_ITS_SLOT, intervalSeconds=1, graceSeconds=0.4, missedSpreadSeconds=0)
    return scheduling


def slots_started(desk: Scheduling, name: str) -> list[int]:
    return [int(words[1]) for line in desk.started() if (words := line.split(" "))[0] == name]


@pytest.mark.slow
@pytest.mark.parametrize("who", ["scheduler", "start", "both"])
@pytest.mark.parametrize("for_s", [4.0, pytest.param(30.0, marks=pytest.mark.slow)])
def test_who_stood_still_goes_on(desk: Scheduling, who: str, for_s: float) -> None:
    if who == "scheduler":  # whom `start` would take for hung, and rightly
        desk.home.settings["core"] = {"scheduler": {"watchdogSeconds": 120}}
        desk.home.write()
    desk.start()
    for name in NAMES:
        desk.first(name)
    daemon = desk.daemon
    before = {name: (row["pid"], row["restarts"]) for name, row in daemon.rows().items()}
    pids = {"start": daemon.pid("start"), "scheduler": daemon.pid("scheduler")}
    chosen = [pid for role, pid in pids.items() if who in (role, "both")]

    began = time.time()
    with standing_still(chosen, for_s):
        pass
    ended = time.time()

    for name in NAMES:
        eventually(lambda name=name: slots_started(desk, name)[-1:] > [int(ended) + 1], 10, "it goes on")
    for name in NAMES:
        mine = slots_started(desk, name)
        assert len(mine) == len(set(mine)), "no slot twice"
        during = [each for each in mine if began + 0.1 < each < ended - 0.5]
        if who != "start":
            assert len(during) <= 1, f"one catch-up at most: {during}"
            told = desk.slots(name)
            assert sum(slot["count"] or 1 for slot in told if slot["reason"] == "missed") >= for_s - 3, told
        check_no_gap(desk, name)
    if who != "start":
        assert "missed" in desk.home.sbctl("why", NAMES[0]).out
        assert desk.events("slot.missed") or [e for e in desk.home.events() if "missed" in e["text"]]
    daemon.settle()
    after = {name: (row["pid"], row["restarts"]) for name, row in daemon.rows().items()}
    assert after == before, "nobody was restarted"
    assert daemon.events("watched", "service.watchdog") == []


def check_no_gap(desk: Scheduling, name: str) -> None:
    eventually(lambda: desk.ask("schedules")["system"]["queued_writes"] == 0)
    for one, next_one in pairwise(desk.slots(name)):
        assert seconds(next_one["nominal"]) == seconds(one["nominal_to"]) + 1, (one, next_one)


def test_a_scheduler_that_stands_still_for_too_long_is_replaced(desk: Scheduling) -> None:
    """By the watchdog, as one that hangs: its servers stay, and what was missed is told all the same."""
    desk.home.settings["core"] = {"scheduler": {"watchdogSeconds": 3.5}}
    desk.home.write()
    desk.start()
    desk.first("one")
    old = desk.daemon.pid("scheduler")
    steady = desk.daemon.row("steady")["pid"]
    kill(old, signal.SIGSTOP)
    eventually(lambda: desk.home.pid("scheduler") not in (old, None), 15, "another scheduler")
    eventually(lambda: [slot for slot in desk.slots("one") if slot["reason"] == "missed"], 10)
    assert desk.daemon.row("steady")["pid"] == steady
    mine = slots_started(desk, "one")
    assert len(mine) == len(set(mine))
