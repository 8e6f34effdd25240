"""R12 with R01 and R02: the history is locked, and whoever has in mind what is to be written dies meanwhile.

Runs begin all the same after two seconds. Whatever dies then, no slot may run twice, and each end stays what it was.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator

import pytest
from support.processes import alive
from support.scheduling import NOTES_ITS_SLOT, Scheduling, seconds, set_defaults
from support.soak.locks import Lock
from support.waiting import eventually


@pytest.fixture
def lock(scheduling: Scheduling) -> Iterator[Lock]:
    lock = Lock(scheduling.daemon.model.history_file)
    yield lock
    lock.give_back()


def started(desk: Scheduling, name: str) -> list[str]:
    """The slots of it that ran."""
    return [line.split(" ")[1] for line in desk.started() if line.startswith(f"{name} ")]


def begin(desk: Scheduling) -> None:
    """The history is there, and when each schedule was first seen stands in it."""
    desk.job("early", "true", intervalHours=1)
    desk.start()
    desk.first("early")


def ends(desk: Scheduling, name: str, count: int = 1) -> None:
    """So many runs of it have ended, by the journal: the history is locked."""
    eventually(lambda: len(desk.events("run.succeeded", name)) >= count, 10)


@pytest.mark.slow
def test_who_follows_does_so_once_though_neither_end_is_on_the_disk(scheduling: Scheduling, lock: Lock) -> None:
    desk = scheduling
    set_defaults(desk.home, missedSpreadSeconds=0)
    desk.job("first", NOTES_ITS_SLOT, intervalSeconds=3, runAtStart=False)
    desk.job("follows", NOTES_ITS_SLOT, afterSchedule="first", overlap="allow")
    begin(desk)
    lock.take()
    ends(desk, "first")
    ends(desk, "follows")

    old = desk.daemon.pid("scheduler")
    desk.daemon.kill_scheduler()
    lock.give_back()
    eventually(lambda: desk.home.pid("scheduler") not in (old, None))
    desk.daemon.settle()
    desk.first("follows", 2)

    assert [slot for slot, count in Counter(started(desk, "follows")).items() if count > 1] == []
    assert {run["state"] for run in desk.runs() if run["ended"]} == {"succeeded"}


@pytest.mark.slow
def test_who_waits_to_follow_does_so_once_however_often_the_scheduler_dies_under_the_lock(
    scheduling: Scheduling, lock: Lock
) -> None:
    desk = scheduling
    set_defaults(desk.home, missedSpreadSeconds=0, graceSeconds=3600)
    desk.job("first", NOTES_ITS_SLOT, intervalHours=1, runAtStart=False)
    desk.job("bad", "exit 3", intervalHours=1, runAtStart=False, safety={"maxConsecutiveFailures": 3})
    desk.job("follows", NOTES_ITS_SLOT, afterSchedule={"schedule": "first", "delaySeconds": 6}, overlap="queueAll")
    begin(desk)
    lock.take()
    for name in ("first", "bad"):
        desk.run(name)
    ends(desk, "first")
    eventually(lambda: desk.events("run.failed", "bad"), 10)

    for _ in range(2):
        old = desk.daemon.pid("scheduler")
        desk.daemon.kill_scheduler()
        eventually(lambda old=old: desk.home.pid("scheduler") not in (old, None))  # type: ignore[misc]
        desk.daemon.settle()
        assert desk.row("bad")["failed_runs"] == 1
    ends(desk, "follows")
    lock.give_back()
    desk.first("follows")

    assert len(started(desk, "follows")) == len(desk.slots("follows")) == len(desk.runs("follows")) == 1
    assert (desk.row("first")["total_runs"], desk.row("bad")["failed_runs"]) == (1, 1)
    assert len(desk.events("run.succeeded", "first")) == len(desk.events("run.failed", "bad")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("dies", ["both", "in peace"])
def test_what_could_not_be_written_is_written_by_the_next_start(scheduling: Scheduling, lock: Lock, dies: str) -> None:
    """A run that has ended, one that goes on, one by hand, a slot that was skipped: all of it only in memory."""
    desk = scheduling
    set_defaults(desk.home, missedSpreadSeconds=0, graceSeconds=3600)
    desk.job("quick", NOTES_ITS_SLOT, intervalSeconds=2, runAtStart=False)
    desk.job("long", f"{NOTES_ITS_SLOT}; sleep 60", intervalSeconds=2, runAtStart=False, stopGraceSeconds=1)
    desk.job("by-hand", NOTES_ITS_SLOT)
    begin(desk)
    lock.take()
    ends(desk, "quick")
    run = desk.run("by-hand")
    ends(desk, "by-hand")
    eventually(lambda: desk.events("slot.held", "long"), 10)

    if dies == "both":
        kill_both(desk)
    else:
        assert desk.daemon.stop() == 0
    lock.give_back()
    desk.daemon.started[-1].wait(10)
    desk.daemon.launch()
    desk.daemon.settle()
    ends(desk, "quick", 3)

    for name in ("quick", "long"):
        assert [slot for slot, count in Counter(started(desk, name)).items() if count > 1] == []
    told = Counter(event["data"]["run"] for event in desk.events("run.succeeded"))
    assert set(told.values()) == {1}
    rows = {row["id"]: row for row in desk.runs()}
    assert rows[run]["state"] == "succeeded"
    assert {line.split(" ")[2] for line in desk.started()} <= set(rows)
    lost = [event for event in desk.events("run.lost") if event["service"] != "long"]
    assert lost == []
    first = min(slot["nominal"] for slot in desk.slots("long"))
    assert [slot["outcome"] for slot in desk.slots("long") if slot["nominal"] == first] == ["run"]


def kill_both(desk: Scheduling) -> None:
    start, scheduler = desk.daemon.pid("start"), desk.daemon.pid("scheduler")
    os.kill(start, signal.SIGKILL)
    os.kill(scheduler, signal.SIGKILL)
    eventually(lambda: not alive(start) and not alive(scheduler))


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("dies_again", [False, True])
def test_what_could_not_be_read_at_a_start_is_taken_over_once_it_can(
    scheduling: Scheduling, lock: Lock, dies_again: bool
) -> None:
    """For longer than a start waits for it: slots that wait, a run that was lost, slots of the time between."""
    desk = scheduling
    set_defaults(desk.home, missedSpreadSeconds=0, graceSeconds=3600)
    waits = f'{NOTES_ITS_SLOT}; until test -e "$SB_HOME/go"; do sleep 0.1; done'
    desk.job("waits", waits, intervalSeconds=2, overlap="queueAll", overlapMax=100, missedMax=100)
    desk.job("again", waits, interrupted="rerun")
    begin(desk)
    cut_off = desk.run("again")
    eventually(lambda: len(desk.slots("waits")) >= 4 and len(started(desk, "again")) == 1, 15)

    kill_both(desk)
    before = [slot["nominal"] for slot in desk.slots("waits")]
    lock.take(alone=True)
    desk.daemon.launch()
    eventually(lambda: desk.events("history.not_read"), 30)
    eventually(lambda: len(started(desk, "waits")) >= 2, 10)  # it goes on with what comes
    if dies_again:
        desk.daemon.kill_scheduler()
        eventually(lambda: len(desk.events("history.not_read")) == 2, 30)
    lock.give_back()
    eventually(lambda: desk.events("history.read"), 20)
    (desk.home.path / "go").touch()
    desk.daemon.settle()

    eventually(lambda: [run["state"] for run in desk.runs("again")] == ["lost", "succeeded"], 20)
    assert desk.runs("again")[1]["retry_of"] == cut_off
    eventually(lambda: {s["outcome"] for s in desk.slots("waits") if s["nominal"] in before} == {"run"}, 20)
    slots = desk.slots("waits")
    spans = [(int(seconds(slot["nominal"])), int(seconds(slot["nominal_to"]))) for slot in slots]
    found = [at for first, last in spans for at in range(first, last + 1, 2)]
    assert found == list(range(spans[0][0], spans[-1][1] + 1, 2))
    assert any(slot["reason"] == "missed" for slot in slots)  # of the time when nobody was there
    assert [slot for slot, count in Counter(started(desk, "waits")).items() if count > 1] == []


@pytest.mark.slow
def test_a_restore_knows_what_could_not_be_written(scheduling: Scheduling, lock: Lock) -> None:
    """Runs that began and ended while the history was locked stand beside it alone."""
    desk = scheduling
    set_defaults(desk.home, missedSpreadSeconds=0, graceSeconds=3600)
    desk.job("quick", NOTES_ITS_SLOT, intervalSeconds=2, runAtStart=False, missed="all", overlap="allow")
    begin(desk)
    saved = desk.home.path / "saved.tar.gz"
    assert desk.home.sbctl("backup", saved).code == 0
    lock.take()
    ends(desk, "quick", 2)
    assert desk.daemon.stop() == 0
    lock.give_back()
    before = started(desk, "quick")

    restored = desk.home.sbctl("restore", saved, "--yes")
    assert restored.code == 0, restored
    assert "logs/history.db.waiting" in restored.err
    desk.daemon.started[-1].wait(10)
    desk.daemon.launch()
    desk.daemon.settle()
    eventually(lambda: len(started(desk, "quick")) >= len(before) + 2, 10)

    assert [slot for slot, count in Counter(started(desk, "quick")).items() if count > 1] == []
