"""The table's rows when the scheduler does not answer: those that `start` keeps for it, which come as JSON."""

from __future__ import annotations

from supervisor.base.errors import Problem
from supervisor.cli import quick, table
from supervisor.control.status import entries
from supervisor.model.rows import encode_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home


def look(home: Home) -> quick.Snapshot:
    """The quick snapshot, with the rows that `start` keeps for a scheduler that does not answer."""
    found = quick.snapshot(home)
    return found if found.heard else with_entries(home, found)


def with_entries(home: Home, found: quick.Snapshot) -> quick.Snapshot:
    try:
        kept, complete = _as_table(entries(home, quick.PATIENCE_S)), found.complete
    except Problem:
        kept, complete = [], False
    return quick.Snapshot(found.head, found.rows + kept, heard=False, complete=complete)


def _as_table(rows: list[dict[str, Any]]) -> list[table.Row]:
    summary = {"state": "", "pid": "", "started": 0, "wall": 0, "ticks": 0}
    return table.parse_rows(encode_rows("", summary, rows))[1]
