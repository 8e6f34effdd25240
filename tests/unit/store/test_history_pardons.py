"""A person forgives failures: those before are forgotten, those after count, however long all of it waits."""

from __future__ import annotations

import _sqlite3
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from support.fakes import FakeClock, raise_it

from supervisor.store.bulk import apply_all
from supervisor.store.making import Maker
from supervisor.store.queue import Queue
from supervisor.store.schema import migrate
from supervisor.store.writes import Write

WAYS = [*product("FP", repeat=3), tuple("FFFPFF"), tuple("FPFPFP")]


def writes_of(way: tuple[str, ...]) -> Iterator[Write]:
    """As the desk makes them: of a run that fails its beginning and its end, then what both mean for the schedule."""
    make = Maker(FakeClock(), raise_it)
    for number, what in enumerate(way):
        if what == "P":
            yield make.state("job", {"streak": 0, "breaker": "closed"})
            continue
        yield make.state("job", {"cycle": number, "breaker": "closed"})
        yield make.state("job", {"cycle": number, "breaker": "open"})
        yield make.end(
            f"r{number}", {"schedule": "job", "plugin": "job", "trigger": "schedule", "state": "failed"}, None
        )


def streak_after(way: tuple[str, ...]) -> int:
    return len("".join(way).rpartition("P")[2])


def known(writes: list[Write]) -> tuple[int, str, int]:
    db = _sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(db)
        apply_all(db, writes)
        found: tuple[int, str, int] = db.execute("SELECT streak, breaker, failed FROM schedules").fetchone()
        return found
    finally:
        db.close()


def expected(way: tuple[str, ...]) -> tuple[int, str, int]:
    return streak_after(way), "closed" if way[-1] == "P" else "open", way.count("F")


@pytest.mark.parametrize("way", WAYS, ids="".join)
def test_in_memory(way: tuple[str, ...]) -> None:
    queue = Queue()
    for number, write in enumerate(writes_of(way)):
        queue.add(write)
        if number == 3:  # it was out, and came back
            queue.take()
            queue.put_back()

    assert known(queue.take()) == expected(way)


@pytest.mark.parametrize("way", WAYS, ids="".join)
def test_beside_a_history_that_is_locked_for_a_successor(tmp_path: Path, way: tuple[str, ...]) -> None:
    path = str(tmp_path / "history.db")
    queue = Queue(path=path)
    queue.keep_all()
    for write in writes_of(way):
        queue.add(write)
        queue.keep()
    successor = Queue(path=path)
    successor.inherit()

    assert known(successor.take()) == expected(way)


def test_states_between_are_still_one(tmp_path: Path) -> None:
    queue = Queue()
    for _ in range(100):
        for write in writes_of(tuple("F")):
            queue.add(write)

    assert [write.kind for write in queue.take()].count("state") == 1
