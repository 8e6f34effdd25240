"""A slot that is the end of another's run: where its second is taken it has the next one, and the same end has one."""

from __future__ import annotations

import _sqlite3
from collections.abc import Iterator

import pytest
from support.fakes import FakeClock, raise_it

from supervisor.store.bulk import apply_all
from supervisor.store.making import Maker
from supervisor.store.rows import RunRow, SlotRow
from supervisor.store.schema import migrate
from supervisor.store.writes import Write, apply

AT = 1_760_000_400


@pytest.fixture
def db() -> Iterator[_sqlite3.Connection]:
    db = _sqlite3.connect(":memory:", isolation_level=None)
    migrate(db)
    yield db
    db.close()


@pytest.fixture
def make() -> Maker:
    return Maker(FakeClock(), raise_it)


def claim(make: Maker, run: str, cause: str, at: int = AT) -> Write:
    slots = [SlotRow("web", at, run=run, note=f"after run {cause}")]
    return make.claim(slots, RunRow(run, "web", plugin="web", nominal=at), lambda _ok: None)


def skip(make: Maker, cause: str, at: int = AT) -> Write:
    slot = SlotRow("web", at, outcome="skipped", reason="paused", note=f"paused; after run {cause}")
    return make.skip([slot], own=True)


def seconds(db: _sqlite3.Connection) -> list[tuple[int, str | None]]:
    return [(at - AT, run) for at, run in db.execute("SELECT nominal, run FROM slots ORDER BY nominal")]


def test_another_end_has_the_next_second_and_its_run_says_so(db: _sqlite3.Connection, make: Maker) -> None:
    first, second = claim(make, "r1", "x1"), claim(make, "r2", "y1")
    assert apply(db, first)
    assert apply(db, second)

    assert (first.second, second.second) == (AT, AT + 1)
    assert seconds(db) == [(0, "r1"), (1, "r2")]
    assert db.execute("SELECT nominal FROM runs ORDER BY id").fetchall() == [(AT,), (AT + 1,)]


def test_the_same_end_is_refused_also_where_it_had_the_next_second(db: _sqlite3.Connection, make: Maker) -> None:
    assert apply(db, claim(make, "r1", "x1"))
    assert apply(db, claim(make, "r2", "y1"))

    assert not apply(db, claim(make, "r3", "x1"))
    assert not apply(db, claim(make, "r4", "y1"))
    assert len(seconds(db)) == 2


def test_a_transaction_that_is_repeated_changes_nothing(db: _sqlite3.Connection, make: Maker) -> None:
    writes = [claim(make, "r1", "x1"), claim(make, "r2", "y1"), skip(make, "z1"), skip(make, "z2")]
    for _ in range(3):
        assert apply_all(db, writes) == [True] * 4

    assert seconds(db) == [(0, "r1"), (1, "r2"), (2, None), (3, None)]


def test_a_range_is_stepped_over(db: _sqlite3.Connection, make: Maker) -> None:
    apply(db, make.skip([SlotRow("web", AT - 60, nominal_to=AT + 60, outcome="skipped", reason="missed", count=None)]))
    assert apply(db, claim(make, "r1", "x1"))

    assert seconds(db) == [(-60, None), (61, "r1")]


def missed(make: Maker, first: int, last: int, count: int) -> Write:
    return make.skip(
        [SlotRow("web", AT + first, nominal_to=AT + last, outcome="skipped", reason="missed", count=count)]
    )


def spans(db: _sqlite3.Connection) -> list[tuple[int, int, int | None]]:
    rows = db.execute("SELECT nominal, nominal_to, count FROM slots ORDER BY nominal")
    return [(first - AT, last - AT, count) for first, last, count in rows]


def test_a_range_goes_around_the_ends_in_it(db: _sqlite3.Connection, make: Maker) -> None:
    """It did not know of them; nor does anybody, here, how many slots each part has."""
    assert apply(db, claim(make, "r1", "x1", AT + 100))
    assert apply(db, skip(make, "x2", AT + 200))
    for _ in range(2):
        apply(db, missed(make, 0, 300, 6))

    assert spans(db) == [(0, 99, None), (100, 100, 1), (101, 199, None), (200, 200, 1), (201, 300, None)]


def test_a_range_begins_behind_a_time_and_goes_around_the_ends_behind_that(
    db: _sqlite3.Connection, make: Maker
) -> None:
    apply(db, make.skip([SlotRow("web", AT + 60, outcome="skipped", reason="disabled")]))
    assert apply(db, claim(make, "r1", "x1", AT + 30))
    assert apply(db, claim(make, "r2", "x2", AT + 100))
    apply(db, missed(make, 0, 300, 6))

    assert spans(db) == [(30, 30, 1), (60, 60, 1), (61, 99, None), (100, 100, 1), (101, 300, None)]


def test_many_at_once_go_one_by_one(db: _sqlite3.Connection, make: Maker) -> None:
    """Twenty that are claimed together, of which every second has the second of another."""
    writes = [claim(make, f"r{number:02}", f"x{number}", AT + number // 2) for number in range(20)]

    assert all(apply_all(db, writes))
    assert seconds(db) == [(number, f"r{number:02}") for number in range(20)]


def test_an_end_that_did_not_run_is_known_whatever_the_reason_and_however_it_is_told_again(
    db: _sqlite3.Connection, make: Maker
) -> None:
    """Held by one gate, and by another one when a successor tells of it; or free to run by then."""
    apply(db, skip(make, "x"))
    other = SlotRow("web", AT, outcome="skipped", reason="overlap", note="the run before goes; after run x")

    apply(db, make.skip([other], own=True))
    assert not apply(db, claim(make, "r2", "x"))
    assert apply(db, claim(make, "r3", "y"))

    rows = db.execute("SELECT nominal, reason, run FROM slots ORDER BY nominal").fetchall()
    assert rows == [(AT, "paused", None), (AT + 1, None, "r3")]


def test_one_that_is_released_still_names_its_end(db: _sqlite3.Connection, make: Maker) -> None:
    """By whomever: a successor that only knows the row of its run does not know what it follows."""
    apply(db, claim(make, "r1", "x"))
    apply(db, make.release("r1", {"reason": "paused", "note": "paused since noon"}, of=("web", None, AT)))
    assert not apply(db, claim(make, "r2", "x"))

    rows = db.execute("SELECT nominal, reason, run, note FROM slots").fetchall()
    assert rows == [(AT, "paused", None, "paused since noon; after run x")]
