"""What a starting scheduler is told: the state of each schedule, its cursor, and the runs that are not over."""

from __future__ import annotations

import _sqlite3

from supervisor.model.run import LIVE, Skip
from supervisor.store.each import apply_each
from supervisor.store.rows import AFTER, HELD_ENDS, Loaded
from supervisor.store.schema import migrate
from supervisor.store.statements import rows_as_dicts
from supervisor.store.writes import BLIND, end_of, names_an_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from collections.abc import Iterable, Sequence
    from typing import Any

    from supervisor.store.writes import Write

MOST_ENDS = 100  # that are looked at; with a delay there may be more of them, still to come
_LIVE = tuple(state.value for state in LIVE)
_MARKS = ",".join("?" * len(_LIVE))
SLOTS, NEWEST_FIRST = "SELECT * FROM slots WHERE schedule = ?1", "ORDER BY nominal DESC LIMIT ?2"
OF_A_TIME = "(note IS NULL OR (instr(note, ?3) <> 1 AND instr(note, '; ' || ?3) = 0))"  # as `names_an_end` has it
NEWEST = (
    "SELECT nominal_to, note, max(nominal_to, coalesce(decided, 0) / 1000) FROM slots WHERE schedule = ?"
    " ORDER BY nominal DESC LIMIT 1"
)


def load(db: Connection, asked: Iterable[str] = ()) -> Loaded:
    """All of it in one look: nothing is written meanwhile, for only the one who asks writes. `asked`: of `ended`."""
    schedules: dict[str, dict[str, Any]] = {row["id"]: row for row in rows_as_dicts(db, "SELECT * FROM schedules")}
    cursors = {name: row["cursor"] for name, row in schedules.items() if row["cursor"] is not None}
    newest, decided = dict[str, int](), dict[str, int]()
    ends, held_ends = dict[str, dict[int, str]](), {}
    for name in _with_slots(db):
        last, note, decided[name] = db.execute(NEWEST, (name,)).fetchone()
        newest[name] = last
        if not names_an_end(note):
            cursors[name] = max(last, cursors.get(name, last))
            continue
        cursors[name], its_ends = _decided(_back_to_a_time(db, name), cursors.get(name))
        if its_ends:
            ends[name] = its_ends
        if held := _held_ends(db, name):
            held_ends[name] = held
    runs = rows_as_dicts(db, f"SELECT * FROM runs WHERE state IN ({_MARKS}) ORDER BY claimed, rowid", _LIVE)
    for run in runs:
        run["slots"] = rows_as_dicts(db, "SELECT * FROM slots WHERE run = ? ORDER BY nominal", (run["id"],))
    ended = frozenset(
        run for run in asked if db.execute("SELECT 1 FROM runs WHERE id = ? AND ended IS NOT NULL", (run,)).fetchone()
    )
    return Loaded(schedules, cursors, runs, newest=newest, decided=decided, ends=ends, held_ends=held_ends, ended=ended)


def _decided(rows: list[dict[str, Any]], kept: int | None) -> tuple[int, dict[int, str]]:
    """Up to which slot of a time, and which slots behind it are ends of which runs."""
    last = rows[-1]
    cursor: int = last["nominal_to"]
    if names_an_end(last["note"]):  # none of a time was decided yet
        cursor = last["nominal"] - 1 if kept is None else kept
    cursor = max(cursor, kept or cursor)
    return cursor, {row["nominal"]: end_of(row["note"])[len(AFTER) :] for row in rows if row["nominal"] > cursor}


def _back_to_a_time(db: Connection, name: str) -> list[dict[str, Any]]:
    """From the newest slot of it back to the last one of a time: those behind that are ends of other schedules."""
    rows = rows_as_dicts(db, f"{SLOTS} {NEWEST_FIRST}", (name, 1))
    if not names_an_end(rows[0]["note"]):
        return rows
    rows = rows_as_dicts(db, f"{SLOTS} {NEWEST_FIRST}", (name, MOST_ENDS))
    for number, row in enumerate(rows):
        if not names_an_end(row["note"]):
            return rows[: number + 1]
    return rows + rows_as_dicts(db, f"{SLOTS} AND {OF_A_TIME} {NEWEST_FIRST}", (name, 1, AFTER))


def _held_ends(db: Connection, schedule: str) -> tuple[int, ...]:
    """Of a schedule whose newest slot is an end: those among its newest slots that a pause has held."""
    newest = "SELECT nominal, reason, note FROM slots WHERE schedule = ? ORDER BY nominal DESC LIMIT ?"
    found = db.execute(newest, (schedule, HELD_ENDS)).fetchall()
    return tuple(
        nominal for nominal, reason, note in reversed(found) if reason == Skip.PAUSED.value and AFTER in (note or "")
    )


def newest_slots(db: Connection) -> dict[str, tuple[int, int]]:
    """By schedule, in seconds: the nominal time of the last slot that was decided, and when that was: no earlier."""
    return {name: db.execute(NEWEST, (name,)).fetchone()[::2] for name in _with_slots(db)}


def load_with(db: Connection, writes: Sequence[Write], asked: Sequence[str] = ()) -> Loaded:
    """As it would be with these writes, which the file does not take now: done to a copy of what they are about."""
    copy = _sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(copy)
        _copy(copy, "schedules", rows_as_dicts(db, "SELECT * FROM schedules"))
        for name in _with_slots(db):
            _copy(copy, "slots", _back_to_a_time(db, name))
        named = [nominal for write in writes for slot in write.slots if isinstance(nominal := slot.get("nominal"), int)]
        if named:
            first = max(min(named), 0)  # whatever a spoilt one says
            _copy(copy, "slots", _rows_of(db, "SELECT * FROM slots WHERE nominal_to >= ?", first))
        live = rows_as_dicts(db, f"SELECT * FROM runs WHERE state IN ({_MARKS}) ORDER BY claimed, rowid", _LIVE)
        _copy(copy, "runs", live)
        for run in dict.fromkeys((*(run["id"] for run in live), *(write.key for write in writes), *asked)):
            _copy(copy, "runs", _rows_of(db, "SELECT * FROM runs WHERE id = ?", run))
            _copy(copy, "slots", _rows_of(db, "SELECT * FROM slots WHERE run = ?", run))
        gaps, first = [], 0
        for number, write in enumerate(writes):
            if write.kind == BLIND:
                apply_each(copy, writes[first:number])
                before, first = load(copy), number
                gaps.append((before, _whole((write.values or {}).get("since"))))
        apply_each(copy, writes[first:])  # the writer will tell of those that can't be done
        loaded = load(copy, asked)
        loaded.gaps = gaps
        return loaded
    finally:
        copy.close()


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


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
