"""After a clock that was ahead: what it passed over in the time to come is open again, what has run stays."""

from __future__ import annotations

import _sqlite3

from support.history import AT

from supervisor.base.clock import SystemClock
from supervisor.store.making import Maker
from supervisor.store.rows import RunRow, SlotRow
from supervisor.store.schema import migrate
from supervisor.store.writes import apply, rows_as_dicts

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
