"""What happened, asked by anybody at any time, also while nothing runs. Newest first."""

from __future__ import annotations

import heapq

from supervisor.base.errors import Problem
from supervisor.model.run import BAD, LIVE, RunState
from supervisor.store.asking import ask, rows
from supervisor.store.statistics import LAST, figures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from collections.abc import Sequence
    from typing import Any

    Row = dict[str, Any]

_NEWEST = "ORDER BY claimed DESC, rowid DESC"
_BAD = tuple(state.value for state in BAD)
_LIVE = tuple(state.value for state in LIVE)
MAX_CANDIDATES = 10


def runs(
    path: str,
    schedule: str | None = None,
    state: str | None = None,
    failed: bool = False,
    since: int | None = None,
    tenant: str | None = None,
    plugin: str | None = None,
    limit: int = 50,
    before: str | int | None = None,
) -> list[Row]:
    """Those that fit. `since`: claimed at or after (ms); `before`: older than that run (its id), or than ms."""

    def question(db: Connection) -> list[Row]:
        conditions, values = _conditions(schedule=schedule, tenant=tenant, plugin=plugin)
        if since is not None:
            conditions.append("claimed >= ?")
            values.append(since)
        if before is not None and not _add_before(db, before, conditions, values):
            return []
        states: Sequence[str] = _BAD if failed else () if state is None else (state,)
        return _newest(db, conditions, values, states, limit)

    return ask(path, question, [])


def _conditions(**equal: str | None) -> tuple[list[str], list[Any]]:
    given = {name: value for name, value in equal.items() if value is not None}
    return [f"{name} = ?" for name in given], list(given.values())


def _add_before(db: Connection, before: str | int, conditions: list[str], values: list[Any]) -> bool:
    if isinstance(before, int):
        conditions.append("claimed < ?")
        values.append(before)
        return True
    place = db.execute("SELECT claimed, rowid FROM runs WHERE id = ?", (before,)).fetchone()
    if place is None:
        return False  # it has been taken out, and all before it
    conditions.append("(claimed, rowid) < (?, ?)")
    values += place
    return True


def _newest(db: Connection, conditions: list[str], values: list[Any], states: Sequence[str], limit: int) -> list[Row]:
    """One look for each state, as an index has them in the order of time; then the newest of all."""
    found: list[list[Row]] = []
    # The narrower index is that of what else was asked for; the + keeps SQLite from choosing that of states.
    by_state = "+state = ?" if any(" = ?" in each for each in conditions) else "state = ?"
    for state in states or (None,):
        all_conditions = [*conditions, by_state] if state is not None else conditions
        where = f"WHERE {' AND '.join(all_conditions)}" if all_conditions else ""
        all_values = (*values, state) if state is not None else tuple(values)
        found.append(rows(db, f"SELECT rowid AS place, * FROM runs {where} {_NEWEST} LIMIT ?", (*all_values, limit)))
    merged = list(heapq.merge(*found, key=lambda row: (row["claimed"], row["place"]), reverse=True))[:limit]
    for row in merged:
        del row["place"]
    return merged


def run(path: str, wanted: str) -> Row:
    """The run of that id, or the only one whose id contains it, with its `steps` and `slots`. Raises Problem."""

    def question(db: Connection) -> Row:
        found = _find(db, wanted)
        it = rows(db, "SELECT * FROM runs WHERE id = ?", (found,))[0]
        it["steps"], it["planned_steps"] = (
            rows(db, "SELECT * FROM steps WHERE run = ? ORDER BY started, number, attempt", (found,)),
            it["steps"],
        )
        it["slots"] = rows(db, "SELECT * FROM slots WHERE run = ? ORDER BY nominal", (found,))
        return it

    it = ask(path, question, None)
    if it is None:
        raise _unknown(wanted)
    return it


def _find(db: Connection, wanted: str) -> str:
    """An exact id, else the beginning of one, else a part: the first two by the index."""
    for condition, values in (
        ("id = ?", (wanted,)),
        ("id >= ? AND id < ?", (wanted, wanted + "\U0010ffff")),
        ("instr(id, ?)", (wanted,)),
    ):
        found = db.execute(f"SELECT id FROM runs WHERE {condition} LIMIT {MAX_CANDIDATES + 1}", values).fetchall()
        if len(found) == 1:
            return str(found[0][0])
        if found:
            names = ", ".join(row[0] for row in found[:MAX_CANDIDATES])
            more = ", ..." if len(found) > MAX_CANDIDATES else ""
            raise Problem(f"several runs are like {wanted}", why=names + more, remedy="give more of its id")
    raise _unknown(wanted)


def _unknown(wanted: str) -> Problem:
    return Problem(f"there is no run {wanted}", why="it never was, or it is too old", remedy="see: sbctl runs")


def open_runs(path: str) -> list[Row]:
    """Those that have not ended, as far as the history knows."""
    return ask(path, lambda db: _newest(db, [], [], _LIVE, 100_000), [])


def slots(path: str, schedule: str, around: int | None = None, limit: int = 50) -> list[Row]:
    """What became of slots; with `around` (seconds), those on both sides of that time."""

    def question(db: Connection) -> list[Row]:
        if around is None:
            return rows(db, "SELECT * FROM slots WHERE schedule = ? ORDER BY nominal DESC LIMIT ?", (schedule, limit))
        later = rows(
            db,
            "SELECT * FROM slots WHERE schedule = ? AND nominal > ? ORDER BY nominal LIMIT ?",
            (schedule, around, limit // 2),
        )
        earlier = rows(
            db,
            "SELECT * FROM slots WHERE schedule = ? AND nominal <= ? ORDER BY nominal DESC LIMIT ?",
            (schedule, around, limit - len(later)),
        )
        return later[::-1] + earlier

    return ask(path, question, [])


def slot_at(path: str, schedule: str, epoch: int) -> Row | None:
    """The row, or range, that holds that second (`holds` is true), else the nearest one; None: there is none."""

    def question(db: Connection) -> Row | None:
        select = "SELECT nominal, nominal_to FROM slots WHERE schedule = ?"
        places = [
            *db.execute(f"{select} AND nominal <= ? ORDER BY nominal DESC LIMIT 1", (schedule, epoch)),
            *db.execute(f"{select} AND nominal > ? ORDER BY nominal LIMIT 1", (schedule, epoch)),
        ]
        if not places:
            return None
        far, nominal = min((max(first - epoch, epoch - last, 0), first) for first, last in places)
        row = rows(db, "SELECT * FROM slots WHERE schedule = ? AND nominal = ?", (schedule, nominal))[0]
        return {**row, "holds": far == 0}

    return ask(path, question, None)


def statistics(path: str, schedule: str | None = None) -> dict[str, Row]:
    """By schedule: what is counted for all time, and figures of its last successful runs."""

    def question(db: Connection) -> dict[str, Row]:
        where, values = ("WHERE id = ?", (schedule,)) if schedule is not None else ("", ())
        found = rows(db, f"SELECT * FROM schedules {where} ORDER BY id", values)
        return {row["id"]: {**row, **figures(durations(db, row["id"]))} for row in found}

    return ask(path, question, {})


def durations(db: Connection, schedule: str) -> list[int]:
    """Milliseconds of its last successful runs, newest first."""
    found = db.execute(
        "SELECT ended - started FROM runs WHERE schedule = ? AND +state = ? AND started IS NOT NULL"
        " ORDER BY claimed DESC LIMIT ?",
        (schedule, RunState.SUCCEEDED.value, LAST),
    )
    return [max(row[0], 0) for row in found]
