"""What a starting scheduler is told: the state of each schedule, its cursor, and the runs that are not over."""

from __future__ import annotations

import _sqlite3

from supervisor.model.run import LIVE, Skip
from supervisor.store.each import apply_each
from supervisor.store.rows import AFTER, HELD_ENDS, Loaded
from supervisor.store.schema import migrate
from supervisor.store.writes import rows_as_dicts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from collections.abc import Iterable, Sequence
    from typing import Any

    from supervisor.store.writes import Write

_LIVE = tuple(state.value for state in LIVE)
_MARKS = ",".join("?" * len(_LIVE))


def load(db: Connection, asked: Iterable[str] = ()) -> Loaded:
    """All of it in one look: nothing is written meanwhile, for only the one who asks writes. `asked`: of `ended`."""
    schedules: dict[str, dict[str, Any]] = {row["id"]: row for row in rows_as_dicts(db, "SELECT * FROM schedules")}
    cursors = {name: row["cursor"] for name, row in schedules.items() if row["cursor"] is not None}
    newest, held_ends = _newest(db), {}
    for name, (last, note) in newest.items():
        cursors[name] = max(last, cursors.get(name, last))
        if note and AFTER in note and (held := _held_ends(db, name)):
            held_ends[name] = held
    runs = rows_as_dicts(db, f"SELECT * FROM runs WHERE state IN ({_MARKS}) ORDER BY claimed, rowid", _LIVE)
    for run in runs:
        run["slots"] = rows_as_dicts(db, "SELECT * FROM slots WHERE run = ? ORDER BY nominal", (run["id"],))
    ended = frozenset(
        run for run in asked if db.execute("SELECT 1 FROM runs WHERE id = ? AND ended IS NOT NULL", (run,)).fetchone()
    )
    return Loaded(
        schedules, cursors, runs, newest={name: last for name, (last, _) in newest.items()}, held_ends=held_ends,
        ended=ended,
    )  # fmt: skip


def _held_ends(db: Connection, schedule: str) -> tuple[int, ...]:
    """Of a schedule whose newest slot is an end: those among its newest slots that a pause has held."""
    newest = "SELECT nominal, reason, note FROM slots WHERE schedule = ? ORDER BY nominal DESC LIMIT ?"
    found = db.execute(newest, (schedule, HELD_ENDS)).fetchall()
    return tuple(
        nominal for nominal, reason, note in reversed(found) if reason == Skip.PAUSED.value and AFTER in (note or "")
    )


def newest_slots(db: Connection) -> dict[str, int]:
    """By schedule: the nominal time of the last slot that was decided."""
    return {name: last for name, (last, _) in _newest(db).items()}


def _newest(db: Connection) -> dict[str, tuple[int, str | None]]:
    newest = "SELECT nominal_to, note FROM slots WHERE schedule = ? ORDER BY nominal DESC LIMIT 1"
    return {name: db.execute(newest, (name,)).fetchone() for name in _with_slots(db)}


def load_with(db: Connection, writes: Sequence[Write], asked: Sequence[str] = ()) -> Loaded:
    """As it would be with these writes, which the file does not take now: done to a copy of what they are about."""
    copy = _sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(copy)
        _copy(copy, "schedules", rows_as_dicts(db, "SELECT * FROM schedules"))
        for name in _with_slots(db):
            newest = "SELECT * FROM slots WHERE schedule = ? ORDER BY nominal DESC LIMIT 1"
            _copy(copy, "slots", rows_as_dicts(db, newest, (name,)))
        named = [nominal for write in writes for slot in write.slots if isinstance(nominal := slot.get("nominal"), int)]
        if named:
            first = max(min(named), 0)  # whatever a spoilt one says
            _copy(copy, "slots", _rows_of(db, "SELECT * FROM slots WHERE nominal_to >= ?", first))
        live = rows_as_dicts(db, f"SELECT * FROM runs WHERE state IN ({_MARKS}) ORDER BY claimed, rowid", _LIVE)
        _copy(copy, "runs", live)
        for run in dict.fromkeys((*(run["id"] for run in live), *(write.key for write in writes), *asked)):
            _copy(copy, "runs", _rows_of(db, "SELECT * FROM runs WHERE id = ?", run))
            _copy(copy, "slots", _rows_of(db, "SELECT * FROM slots WHERE run = ?", run))
        apply_each(copy, writes)  # the writer will tell of those that can't be done
        return load(copy, asked)
    finally:
        copy.close()


def _rows_of(db: Connection, statement: str, value: object) -> list[dict[str, Any]]:
    """None, where no such value can be in the file."""
    try:
        return rows_as_dicts(db, statement, (value,))
    except (OverflowError, UnicodeEncodeError):
        return []


def _copy(db: Connection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        marks = ",".join("?" * len(row))
        db.execute(f"INSERT OR IGNORE INTO {table} ({','.join(row)}) VALUES ({marks})", tuple(row.values()))


def _with_slots(db: Connection) -> list[str]:
    """Every schedule that has a row in `slots`: one jump in the index for each, however many rows there are."""
    statement = (
        "WITH RECURSIVE each (schedule) AS (SELECT min(schedule) FROM slots UNION ALL"
        " SELECT (SELECT min(schedule) FROM slots WHERE schedule > each.schedule) FROM each"
        " WHERE each.schedule IS NOT NULL) SELECT schedule FROM each WHERE schedule IS NOT NULL"
    )
    return [row[0] for row in db.execute(statement)]
