"""What a starting scheduler is told: the state of each schedule, its cursor, and the runs that are not over."""

from __future__ import annotations

from supervisor.model.run import LIVE
from supervisor.store.rows import Loaded
from supervisor.store.writes import rows_as_dicts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection
    from typing import Any

_LIVE = tuple(state.value for state in LIVE)
_MARKS = ",".join("?" * len(_LIVE))


def load(db: Connection) -> Loaded:
    """All of it in one look: nothing is written meanwhile, for only the one who asks writes."""
    schedules: dict[str, dict[str, Any]] = {row["id"]: row for row in rows_as_dicts(db, "SELECT * FROM schedules")}
    cursors = {name: row["cursor"] for name, row in schedules.items() if row["cursor"] is not None}
    for name in _with_slots(db):
        last = db.execute(
            "SELECT nominal_to FROM slots WHERE schedule = ? ORDER BY nominal DESC LIMIT 1", (name,)
        ).fetchone()[0]
        cursors[name] = max(last, cursors.get(name, last))
    runs = rows_as_dicts(db, f"SELECT * FROM runs WHERE state IN ({_MARKS}) ORDER BY claimed, rowid", _LIVE)
    for run in runs:
        run["slots"] = rows_as_dicts(db, "SELECT * FROM slots WHERE run = ? ORDER BY nominal", (run["id"],))
    return Loaded(schedules, cursors, runs)


def _with_slots(db: Connection) -> list[str]:
    """Every schedule that has a row in `slots`: one jump in the index for each, however many rows there are."""
    statement = (
        "WITH RECURSIVE each (schedule) AS (SELECT min(schedule) FROM slots UNION ALL"
        " SELECT (SELECT min(schedule) FROM slots WHERE schedule > each.schedule) FROM each"
        " WHERE each.schedule IS NOT NULL) SELECT schedule FROM each WHERE schedule IS NOT NULL"
    )
    return [row[0] for row in db.execute(statement)]
