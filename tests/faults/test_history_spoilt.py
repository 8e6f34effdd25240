"""R12: the history is locked, full, spoilt, or taken away under a scheduler that goes on all the same.

What can't be written is counted and said; the next start has a database that works, and what was bad lies beside it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.injecting import fill, small_disk
from support.scheduling import NOTES_ITS_SLOT, Scheduling
from support.waiting import eventually


@pytest.fixture
def desk(scheduling: Scheduling) -> Iterator[Scheduling]:
    scheduling.job("job", NOTES_ITS_SLOT, intervalSeconds=1, missedSpreadSeconds=0)
    scheduling.job("by-hand", "echo done")
    yield scheduling
    scheduling.daemon.end()


def begin(desk: Scheduling) -> Path:
    desk.start()
    desk.first("job")
    return Path(desk.daemon.model.history_file)


def system(desk: Scheduling) -> dict[str, Any]:
    found: dict[str, Any] = desk.ask("schedules")["system"]
    return found


def goes_on(desk: Scheduling, more: int = 2) -> None:
    """A slot a second; while a claim can't get to the disk each run begins up to two seconds late."""
    count = len(desk.started())
    eventually(lambda: len(desk.started()) >= count + more, 2.0 * more + 4, "schedules go on")


def is_well(desk: Scheduling) -> None:
    eventually(lambda: not system(desk)["history"] and not system(desk)["queued_writes"], 10, "all is written")
    assert desk.done("by-hand")["state"] == "succeeded"
    slots = [line.split()[1] for line in desk.started()]
    assert len(slots) == len(set(slots)), f"a slot ran twice: {sorted(slots)}"
    whole = sqlite3.connect(desk.daemon.model.history_file)
    try:
        assert whole.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        whole.close()
    for role in ("scheduler", "start"):
        assert "Traceback" not in (desk.home.path / "logs" / f"{role}.out").read_text()


def aside(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.glob("history.db.broken-*"))


# what is done to it


def empty_its_log(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    try:
        eventually(lambda: other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    finally:
        other.close()


def noise_on_page_2(path: Path) -> None:
    empty_its_log(path)
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096))


def cut_in_half(path: Path) -> None:
    empty_its_log(path)
    os.truncate(path, path.stat().st_size // 2)


def without_its_wal(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def removed(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "something").touch()


HARMS = [noise_on_page_2, without_its_wal, a_folder]
MORE_HARMS = [pytest.param(harm, marks=pytest.mark.slow) for harm in (cut_in_half, removed)]


@pytest.mark.slow
@pytest.mark.parametrize("harm", [*HARMS, *MORE_HARMS])
def test_whatever_is_done_to_it_schedules_go_on(desk: Scheduling, harm: Callable[[Path], None]) -> None:
    path = begin(desk)

    harm(path)

    goes_on(desk)
    if harm is a_folder:
        eventually(lambda: "not a file" in (system(desk)["history"] or ""), 6, "it is said")
        assert system(desk)["queued_writes"] > 0, "what can't be written is counted"
        shutil.rmtree(path)
    old = desk.daemon.pid("scheduler")
    desk.daemon.kill_scheduler()
    eventually(lambda: desk.home.pid("scheduler") not in (old, None))
    goes_on(desk)
    is_well(desk)
    assert len(aside(path)) == (harm in (noise_on_page_2, cut_in_half)), "what was bad is kept aside, once"
    assert len(desk.events("history.failed")) <= 2


def test_without_its_wal_nothing_that_was_told_is_forgotten(desk: Scheduling) -> None:
    """The file lacks what is in a log that has lost its name."""
    path = begin(desk)
    known = {desk.done("by-hand")["id"] for _ in range(3)}

    Path(f"{path}-wal").unlink()
    known.add(desk.done("by-hand")["id"])

    assert known <= {run["id"] for run in desk.runs("by-hand")}
    assert desk.daemon.stop() == 0
    assert known <= {run["id"] for run in desk.runs("by-hand")}


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_lock_of_a_minute(desk: Scheduling) -> None:
    path = begin(desk)
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        before = len(desk.started())
        eventually(lambda: len(desk.started()) >= before + 25, 90, "half a minute of slots and more")
        assert system(desk)["queued_writes"] > 25
        assert len(desk.events("history.failed")) == 1
    finally:
        other.close()
    is_well(desk)
    assert system(desk)["dropped_writes"] == 0
    assert {line.split()[2] for line in desk.started()[:before]} <= {run["id"] for run in desk.runs("job")}


@pytest.fixture
def disk(desk: Scheduling) -> Iterator[Path]:
    """1 MiB for all below logs/."""
    with small_disk(desk.home.path / "logs", "1m") as folder:
        yield folder
        desk.daemon.end()


@pytest.mark.slow
@pytest.mark.root
def test_a_full_disk(desk: Scheduling, disk: Path) -> None:
    begin(desk)
    filler = fill(disk)
    eventually(lambda: "full" in (system(desk)["history"] or ""), 10, "it is said")
    goes_on(desk)
    assert system(desk)["queued_writes"] > 0
    shown = desk.home.sbctl("status")
    assert "history" in shown.out, shown.out
    filler.unlink()
    is_well(desk)
    assert {line.split()[2] for line in desk.started()[:-2]} <= {run["id"] for run in desk.runs("job")}
