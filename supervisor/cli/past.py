"""What has happened, read from the history; also while nothing runs. Rows are as `store/reading.py` has them.

The one place of the command line that knows how the history is asked.
"""

from __future__ import annotations

from supervisor.base.errors import Problem
from supervisor.cli.out import note
from supervisor.cli.times import parse_iso
from supervisor.model.run import RunState
from supervisor.store import loading, reading
from supervisor.store.asking import ask, rows
from supervisor.store.statistics import figures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from collections.abc import Sequence
    from typing import Any

    from supervisor.model.home import Home

    Row = dict[str, Any]


NOT_BEGUN = (RunState.QUEUED.value, RunState.CLAIMED.value)


def tell_trouble(problem: Problem) -> None:
    """In one line, where the history is only a part of what was asked for."""
    note(f"{problem.what}: {problem.why}; what has run is not known")


def runs(
    home: Home,
    words: Sequence[str] = (),
    *,
    failed: bool = False,
    live: bool = False,
    since: float = 0.0,
    tenant: str | None = None,
    limit: int = 20,
) -> list[Row]:
    """Newest first. `words`: schedules or plugins."""
    path = home.history_file
    if live:
        found = reading.open_runs(path)
        return [row for row in found if not words or row["schedule"] in words or row["plugin"] in words][:limit]
    begin = int(since * 1000) if since else None
    if not words:
        return reading.runs(path, failed=failed, since=begin, tenant=tenant, limit=limit)
    by_id: dict[str, Row] = {}
    for word in words:
        for row in reading.runs(path, schedule=word, failed=failed, since=begin, tenant=tenant, limit=limit):
            by_id[row["id"]] = row
        for row in reading.runs(path, plugin=word, failed=failed, since=begin, tenant=tenant, limit=limit):
            by_id[row["id"]] = row
    return sorted(by_id.values(), key=lambda row: str(row["claimed"]), reverse=True)[:limit]


def runs_of(home: Home, schedule: str, limit: int, *, live: bool = False) -> list[Row]:
    """Of this schedule alone, newest first."""
    if live:
        return [row for row in reading.open_runs(home.history_file) if row["schedule"] == schedule][:limit]
    return reading.runs(home.history_file, schedule=schedule, limit=limit)


def run(home: Home, id: str) -> Row | None:
    """Without its steps."""
    nothing: list[Row] = []
    found = ask(home.history_file, lambda db: rows(db, "SELECT * FROM runs WHERE id = ?", (id,)), nothing)
    return found[0] if found else None


def runs_like(home: Home, part: str, limit: int) -> list[Row]:
    """Those whose id holds this, newest first."""

    def question(db: Connection) -> list[Row]:
        return rows(db, "SELECT * FROM runs WHERE instr(id, ?) ORDER BY claimed DESC LIMIT ?", (part, limit))

    return ask(home.history_file, question, [])


def steps(home: Home, run: str) -> list[Row]:
    found: list[Row] = reading.run(home.history_file, run)["steps"]
    return found


def slots(home: Home, schedule: str, *, around: float | None = None, limit: int = 10) -> list[Row]:
    """The newest, or those on both sides of a moment."""
    return reading.slots(home.history_file, schedule, around=None if around is None else int(around), limit=limit)


def newest_slots(home: Home) -> dict[str, tuple[int, int]]:
    """Of each schedule that has any: the nominal time of the last one that was decided, and when that was."""
    return ask(home.history_file, loading.newest_slots, {})


def slot_at(home: Home, schedule: str, at: int) -> Row | None:
    """The row, or the stretch, that has the slot of that second; None: there is none."""
    found = reading.slot_at(home.history_file, schedule, at)
    return found if found is not None and found["holds"] else None


def waiting(home: Home) -> dict[str, list[tuple[int, float]]]:
    """By schedule: the slots that were claimed and have not begun, and when each was due."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in reading.open_runs(home.history_file):
        nominal, due = parse_iso(row["nominal"]), parse_iso(row["due"])
        if row["state"] in NOT_BEGUN and nominal is not None:
            found.setdefault(row["schedule"], []).append((int(nominal), due or nominal))
    return found


def statistics(home: Home, schedule: str | None = None) -> dict[str, Row]:
    """What is kept of each schedule, or of one, by id, with `p50_ms` and the like."""
    return reading.statistics(home.history_file, schedule)


def p50(home: Home, schedule: str) -> float | None:
    """How long half of its good runs take at most, in seconds."""
    nothing: dict[str, int | None] = {}
    found = ask(home.history_file, lambda db: figures(reading.durations(db, schedule)), nothing).get("p50_ms")
    return None if found is None else found / 1000
