"""The history is removed, locked or broken while schedules run: they go on, it is said once, and it heals."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.scheduling import NOTES_ITS_SLOT, Scheduling, seconds
from support.waiting import eventually

from supervisor.base.errors import Problem


def every_second(desk: Scheduling) -> Path:
    desk.job("job", NOTES_ITS_SLOT, intervalSeconds=1, missedSpreadSeconds=0)
    desk.job("by-hand", "echo done")
    desk.start()
    desk.first("job")
    return Path(desk.daemon.model.history_file)


def system(desk: Scheduling) -> dict[str, Any]:
    found: dict[str, Any] = desk.ask("schedules")["system"]
    return found


def goes_on(desk: Scheduling, more: int = 2, timeout: float = 6.0) -> None:
    count = len(desk.started())
    eventually(lambda: len(desk.started()) >= count + more, timeout, "schedules go on")


def no_slot_twice(desk: Scheduling) -> None:
    slots = [line.split()[1] for line in desk.started()]
    assert len(slots) == len(set(slots)), sorted(slots)


def next_scheduler(desk: Scheduling) -> None:
    old = desk.daemon.pid("scheduler")
    desk.daemon.kill_scheduler()
    eventually(lambda: desk.home.pid("scheduler") not in (old, None))


@pytest.mark.slow
def test_it_is_removed(scheduling: Scheduling) -> None:
    desk = scheduling
    path = every_second(desk)

    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        (path.parent / name).unlink(missing_ok=True)

    goes_on(desk)
    assert desk.done("by-hand")["state"] == "succeeded"
    eventually(lambda: system(desk)["history"] in ("", None))
    no_slot_twice(desk)
    assert 1 <= len(desk.events("history.failed")) + len(desk.events("history.recovered")) <= 2


def test_another_program_has_it_locked(scheduling: Scheduling) -> None:
    desk = scheduling
    path = every_second(desk)
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        run = desk.run("by-hand")
        eventually(lambda: system(desk)["history"], 6, "it is said")
        goes_on(desk, 1)
        assert system(desk)["queued_writes"] > 0
        assert len(desk.events("history.failed")) == 1
        assert desk.events("run.unledgered", "job")
    finally:
        other.close()

    eventually(lambda: system(desk)["queued_writes"] == 0 and not system(desk)["history"], 10)
    assert desk.ended(run)["state"] == "succeeded"
    assert len(desk.events("history.recovered")) == 1
    goes_on(desk, 1)
    no_slot_twice(desk)
    slots = desk.slots("job")
    for before, after in pairwise(slots):
        assert seconds(after["nominal"]) == seconds(before["nominal_to"]) + 1, (before, after)


def empty_its_log(path: Path) -> None:
    """Else every page may still be in there."""
    other = sqlite3.connect(path, isolation_level=None)
    try:
        eventually(lambda: other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    finally:
        other.close()


def spoil(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(0)
        file.write(os.urandom(20_000))


def overwrite(path: Path) -> None:
    path.write_bytes(b"this is no database at all\n" * 100)


@pytest.mark.parametrize("harm", [spoil, overwrite])
def test_it_is_made_garbage(scheduling: Scheduling, harm: Callable[[Path], None]) -> None:
    desk = scheduling
    path = every_second(desk)

    empty_its_log(path)
    harm(path)
    goes_on(desk, 1)
    next_scheduler(desk)  # until then SQLite may have all that it needs in its memory

    aside = eventually(lambda: [each for each in path.parent.glob("history*") if "broken" in each.name], 6)
    assert aside
    assert desk.done("by-hand")["state"] == "succeeded"
    eventually(lambda: not system(desk)["history"], 6)
    goes_on(desk, 1)
    assert "Traceback" not in (desk.home.path / "logs" / "scheduler.out").read_text()


def test_it_is_garbage_when_the_scheduler_starts(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("job", NOTES_ITS_SLOT, intervalSeconds=1)
    path = Path(desk.daemon.model.history_file)
    path.parent.mkdir(exist_ok=True)
    overwrite(path)

    desk.start()

    desk.first("job")
    assert [each.name for each in path.parent.glob("history*broken*")]
    assert len(desk.events("history.failed")) == 1


@pytest.mark.slow
def test_a_scheduler_that_dies_while_it_is_locked_forgets_no_run_and_repeats_none(scheduling: Scheduling) -> None:
    desk = scheduling
    path = every_second(desk)
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        run = desk.run("by-hand", args=["x"])
        eventually(lambda: desk.events("run.unledgered", "job"), 6)
        eventually(lambda: desk.events("run.succeeded", "by-hand"))
        next_scheduler(desk)
        goes_on(desk, 1, 12)
    finally:
        other.close()

    eventually(lambda: system(desk)["queued_writes"] == 0 and not system(desk)["history"], 10)
    assert desk.ended(run)["state"] == "succeeded"
    no_slot_twice(desk)
    for line in desk.started():
        assert desk.ended(line.split()[2])["state"] == "succeeded"


@pytest.mark.slow
def test_with_a_required_ledger_nothing_runs_without_it(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("job", NOTES_ITS_SLOT, intervalSeconds=1, ledger="required")
    desk.start()
    desk.first("job")
    other = sqlite3.connect(desk.daemon.model.history_file, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        count = len(desk.started())
        eventually(lambda: [e for e in desk.events("slot.held", "job") if e["data"]["reason"] == "ledger"], 6)
        assert len(desk.started()) <= count + 1
    finally:
        other.close()

    goes_on(desk, 1)
    assert [slot for slot in desk.slots("job") if slot["reason"] == "ledger"]
    no_slot_twice(desk)


def test_who_asks_while_it_is_still_being_read_gets_the_whole_answer(scheduling: Scheduling) -> None:
    desk = scheduling
    path = every_second(desk)
    assert desk.daemon.stop() == 0
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        desk.daemon.start()
        rows = desk.ask("schedules")["schedules"]
        with pytest.raises(Problem, match="no schedule 'nobody'"):
            desk.ask("why_schedule", name="nobody")
    finally:
        other.close()

    assert {row["id"] for row in rows} == {"job", "by-hand"}
    no_slot_twice(desk)
