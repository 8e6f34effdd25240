"""After a clock that was ahead: what it passed over in the time to come is open again, what has run stays."""

from __future__ import annotations

import _sqlite3

from support.history import AT

from supervisor.base.clock import SystemClock
from supervisor.store.making import Maker
from supervisor.store.rows import RunRow, SlotRow
from supervisor.store.schema import migrate
from supervisor.store.statements import rows_as_dicts
from supervisor.store.writes import Write, apply

NOW = AT + 500


def test_what_was_skipped_later_than_now_is_open_again() -> None:
    db = _sqlite3.connect(":memory:", isolation_level=None)
    migrate(db)
    make = Maker(SystemClock(), lambda error: None)
    for first, last in ((AT, AT + 100), (AT + 200, AT + 900), (AT + 2000, AT + 3000)):
        apply(db, make.skip([SlotRow("a", first, nominal_to=last, outcome="skipped", reason="clock", count=7)]))
    apply(db, make.claim([SlotRow("a", AT + 5000, run="r1")], RunRow("r1", "a", plugin="a"), lambda ok: None))
    apply(db, make.state("a", {"cursor": AT + 3000}))
    apply(db, make.state("b", {"cursor": AT}))

    for _ in range(2):
        assert apply(db, make.cut(NOW))

    rows = rows_as_dicts(db, "SELECT nominal, nominal_to, count, outcome FROM slots ORDER BY nominal")
    assert [tuple(row.values()) for row in rows] == [
        (AT, AT + 100, 7, "skipped"),
        (AT + 200, NOW, None, "skipped"),
        (AT + 5000, AT + 5000, 1, "claimed"),
    ]
    cursors = rows_as_dicts(db, "SELECT id, cursor FROM schedules ORDER BY id")
    assert [tuple(row.values()) for row in cursors] == [("a", NOW), ("b", AT)]
    db.close()


def fresh() -> tuple[_sqlite3.Connection, Maker]:
    db = _sqlite3.connect(":memory:", isolation_level=None)
    migrate(db)
    return db, Maker(SystemClock(), lambda error: None)


def made_up(make: Maker, id: str, nominal: int) -> Write:
    """A run that stands for a slot which a pause has held; it has no slot of its own."""
    row = RunRow(id, "a", plugin="a", trigger="catch_up", nominal=nominal, state="queued")
    return make.claim([], row, lambda ok: None)


def test_a_slot_that_was_made_up_for_does_not_come_again() -> None:
    db, make = fresh()
    apply(db, make.skip([SlotRow("a", AT + 600, nominal_to=AT + 1800, outcome="skipped", reason="paused", count=3)]))
    assert apply(db, made_up(make, "r1", AT + 1200))
    apply(db, make.cut(NOW))

    assert not apply(db, make.claim([SlotRow("a", AT + 1200)], RunRow("r2", "a", plugin="a"), lambda ok: None))
    assert apply(db, make.claim([SlotRow("a", AT + 600)], RunRow("r3", "a", plugin="a"), lambda ok: None))
    assert apply(db, make.claim([SlotRow("a", AT + 1800)], RunRow("r4", "a", plugin="a"), lambda ok: None))
    db.close()


def test_what_has_run_is_not_made_up_for_and_nothing_is_twice() -> None:
    """The clock was set back in the pause, or before it."""
    db, make = fresh()
    apply(db, make.claim([SlotRow("a", AT)], RunRow("r1", "a", plugin="a"), lambda ok: None))
    apply(db, make.skip([SlotRow("a", AT + 600, outcome="skipped", reason="paused")]))

    apply(db, make.skip([SlotRow("a", AT + 660, outcome="skipped", reason="disabled")]))

    assert not apply(db, made_up(make, "r2", AT))
    for nominal in (AT + 630, AT + 660):  # of another rule, say; and while it was disabled
        assert not apply(db, made_up(make, "r2", nominal))
    first = made_up(make, "r3", AT + 600)
    for _ in range(2):  # a transaction of which nobody knew whether it got through
        assert apply(db, first)
    assert not apply(db, made_up(make, "r4", AT + 600))
    apply(db, make.end("r3", {"state": "cancelled"}, None))
    assert apply(db, made_up(make, "r5", AT + 600))
    db.close()
