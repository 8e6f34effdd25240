"""Slots that are skipped one after the other for the same reason are one row; anything else between them ends it."""

from __future__ import annotations

import _sqlite3
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from support.fakes import FakeClock, raise_it

from supervisor.store.bulk import apply_all
from supervisor.store.making import Maker
from supervisor.store.rows import RunRow, SlotRow
from supervisor.store.schema import migrate
from supervisor.store.statements import rows_as_dicts
from supervisor.store.writes import Write, apply

AT = 1_760_000_400
MINUTE = 60


def database() -> _sqlite3.Connection:
    db = _sqlite3.connect(":memory:", isolation_level=None)
    migrate(db)
    return db


@pytest.fixture
def db() -> Iterator[_sqlite3.Connection]:
    db = database()
    yield db
    db.close()


@pytest.fixture
def make() -> Maker:
    """Of schedules with a slot each minute."""
    make = Maker(FakeClock(), raise_it)
    make.before = lambda _schedule, _revision, nominal: nominal - MINUTE
    return make


def skip(make: Maker, number: int, **fields: Any) -> Write:
    row = {"reason": "paused", "revision": "r1", "note": "by anna", **fields}
    return make.skip([SlotRow("web", AT + number * MINUTE, outcome="skipped", **row)])


def claim(make: Maker, number: int) -> Write:
    run = RunRow(f"run-{number}", "web", plugin="web")
    return make.claim([SlotRow("web", AT + number * MINUTE)], run, lambda _ok: None)


def stretches(db: _sqlite3.Connection) -> list[tuple[int, int, int | None]]:
    """First and last slot by number, and how many."""
    found = db.execute("SELECT nominal, nominal_to, count FROM slots ORDER BY nominal")
    return [((first - AT) // MINUTE, (last - AT) // MINUTE, count) for first, last, count in found]


def test_a_long_one_is_one_row_and_has_what_was_said_of_the_newest(db: _sqlite3.Connection, make: Maker) -> None:
    for number in range(200):
        apply(db, skip(make, number, due=number, until=1000 + number, decided=2000 + number))

    [row] = rows_as_dicts(db, "SELECT * FROM slots")
    assert row == {
        "schedule": "web", "nominal": AT, "nominal_to": AT + 199 * MINUTE, "count": 200, "outcome": "skipped",
        "reason": "paused", "revision": "r1", "note": "by anna", "run": None, "due": 199, "until": 1199,
        "decided": 2199,
    }  # fmt: skip


def test_what_was_known_of_one_alone_is_not_said_of_the_next(db: _sqlite3.Connection, make: Maker) -> None:
    apply(db, skip(make, 0, until=5))
    apply(db, skip(make, 1))

    assert rows_as_dicts(db, "SELECT count, until FROM slots") == [{"count": 2, "until": None}]


@pytest.mark.parametrize("other", [{"reason": "disabled"}, {"revision": "r2"}, {"note": "by bert"}, {"note": None}])
def test_another_reason_rule_or_note_begins_another_one(
    db: _sqlite3.Connection, make: Maker, other: dict[str, Any]
) -> None:
    for number in range(6):
        apply(db, skip(make, number, **(other if number in (2, 3) else {})))

    assert stretches(db) == [(0, 1, 2), (2, 3, 2), (4, 5, 2)]


def test_those_without_a_note_or_a_rule_are_alike_too(db: _sqlite3.Connection, make: Maker) -> None:
    for number in range(3):
        apply(db, skip(make, number, note=None, revision=None))

    assert stretches(db) == [(0, 2, 3)]


def test_a_run_between_them_ends_it(db: _sqlite3.Connection, make: Maker) -> None:
    for write in (skip(make, 0), skip(make, 1), claim(make, 2), skip(make, 3), skip(make, 4)):
        apply(db, write)

    assert stretches(db) == [(0, 1, 2), (2, 2, 1), (3, 4, 2)]


def test_a_slot_that_is_still_to_be_decided_finds_its_place(db: _sqlite3.Connection, make: Maker) -> None:
    """Its claim may come later than the row of a slot behind it."""
    answers = [apply(db, write) for write in (skip(make, 0), skip(make, 2), claim(make, 1), skip(make, 3))]

    assert answers == [True] * 4
    assert stretches(db) == [(0, 0, 1), (1, 1, 1), (2, 3, 2)]


def test_where_nobody_knows_what_lies_between_each_has_its_row(db: _sqlite3.Connection) -> None:
    make = Maker(FakeClock(), raise_it)
    for number in range(3):
        apply(db, skip(make, number))

    assert stretches(db) == [(0, 0, 1), (1, 1, 1), (2, 2, 1)]


def test_one_that_was_released_is_the_beginning_of_one(db: _sqlite3.Connection, make: Maker) -> None:
    apply(db, claim(make, 0))
    apply(db, make.release("run-0", {"reason": "paused", "until": None, "note": None}))
    apply(db, skip(make, 1, note=None, revision=None))

    assert stretches(db) == [(0, 1, 2)]
    assert db.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_a_range_goes_on_and_one_that_nobody_counted_stays_so(db: _sqlite3.Connection, make: Maker) -> None:
    apply(db, skip(make, 0, nominal_to=AT + 9 * MINUTE, count=10))
    apply(db, skip(make, 10))
    apply(db, skip(make, 20, nominal_to=AT + 29 * MINUTE, count=None))
    apply(db, skip(make, 30))
    apply(db, skip(make, 31, nominal_to=AT + 40 * MINUTE, count=10))  # a range is a row of its own

    assert stretches(db) == [(0, 10, 11), (20, 30, None), (31, 40, 10)]


def test_a_clock_that_was_ahead_leaves_what_lies_before_and_it_goes_on_from_there(
    db: _sqlite3.Connection, make: Maker
) -> None:
    for number in range(10):
        apply(db, skip(make, number))
    writes = [make.cut(AT + 5 * MINUTE), skip(make, 6), skip(make, 7)]
    for _ in range(2):
        for write in writes:
            apply(db, write)

        assert stretches(db) == [(0, 7, None)]


def test_in_one_told_again_nothing_changes(db: _sqlite3.Connection, make: Maker) -> None:
    writes = [skip(make, number, decided=number) for number in range(5)]
    for write in writes:
        apply(db, write)
    before = rows_as_dicts(db, "SELECT * FROM slots")
    for write in (*writes, writes[4], writes[2]):
        apply(db, write)
    assert apply(db, claim(make, 3)) is False
    apply(db, skip(make, 2, reason="overlap"))

    assert rows_as_dicts(db, "SELECT * FROM slots") == before


@pytest.mark.parametrize("seed", range(30))
def test_a_transaction_that_is_done_twice_has_happened_once(make: Maker, seed: int) -> None:
    """Slots in nearly their order, of two schedules, some of them claimed and some of those released again."""
    dice, once, twice = random.Random(seed), database(), database()
    for batch in range(4):
        writes: list[Write] = []
        for number in range(batch * 30, batch * 30 + 30):
            slot = number + dice.choice((0, 0, 0, 0, 1, -1))
            kind = dice.choice(("claim", "skip", "skip", "skip", "release"))
            if kind != "skip":
                writes.append(claim(make, slot))
            else:
                writes.append(skip(make, slot, reason=dice.choice(("paused", "paused", "overlap"))))
            if kind == "release":
                writes.append(make.release(f"run-{slot}", {"reason": "paused", "until": None, "note": "by anna"}))
        for db, times in ((once, 1), (twice, 2)):
            for _ in range(times):
                apply_all(db, writes)
        rows = [db.execute("SELECT * FROM slots ORDER BY nominal").fetchall() for db in (once, twice)]
        assert rows[0] == rows[1]
    ends = stretches(once)
    assert all(before[1] < after[0] for before, after in pairwise(ends))
    assert all(count == last - first + 1 for first, last, count in ends)
    once.close()
    twice.close()


def test_it_is_found_by_the_key(db: _sqlite3.Connection, make: Maker) -> None:
    """However long the history is."""
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    apply(db, skip(make, 0))
    db.set_trace_callback(None)

    [update] = [text for text in asked if text.startswith("UPDATE")]
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {update}")]
    assert [line for line in plan if "SEARCH slots USING PRIMARY KEY (schedule=? AND nominal" in line] == [
        "SEARCH slots USING PRIMARY KEY (schedule=? AND nominal=?)",
        "SEARCH slots USING PRIMARY KEY (schedule=? AND nominal<?)",
    ]
    assert not any("SCAN" in line for line in plan)
