"""The status as one JSON object, merged from both daemons; also the rows of a scheduler that is away."""

from __future__ import annotations

import time

from supervisor.base.clock import iso
from supervisor.base.errors import Problem
from supervisor.cli import quick, table
from supervisor.control.api import SCHEDULER, START
from supervisor.control.client import connect
from supervisor.model.rows import encode_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home

    Message = dict[str, Any]

SCHEMA = 1
KEYS = ("name", "kind", "state", "desired", "pid", "uptime_s", "restarts", "exit", "cause", "next_retry_at", "ready")


def look(home: Home) -> quick.Snapshot:
    """The quick snapshot, with the rows that `start` keeps for a scheduler that does not answer."""
    found = quick.snapshot(home)
    return found if found.complete else with_entries(home, found)


def with_entries(home: Home, found: quick.Snapshot) -> quick.Snapshot:
    return quick.Snapshot(found.head, found.rows + _as_table(_entries(home)), found.complete)


def report(home: Home) -> Message:
    """The object of a tree that runs; a Problem when `start` can't be asked."""
    with connect(home, START) as client:
        answer = client.request("status", limit=quick.PATIENCE_S)
    rows: list[Message] = answer["rows"]
    summary: Message = answer["summary"]
    other, plugins = _scheduler_part(home)
    wanted = any(row["name"] == SCHEDULER and row["desired"] == "up" for row in rows)
    complete = other is not None or not wanted
    rows += plugins if other is not None else _entries(home)
    state = table.overall(summary["state"], _as_table(rows), complete=complete)
    busy = other or summary
    return {
        "schema": SCHEMA,
        "state": state,
        "pid": summary["pid"],
        "started_at": summary["started_at"],
        "now": summary["now"],
        "last_activity_at": max(busy["last_activity_at"] or "", summary["last_activity_at"] or "") or None,
        "ticks": busy["ticks"],
        "services": [service(row) for row in rows],
        "settings_problems": summary.get("settings_problems", []),
    }


def empty(state: str) -> Message:
    """The same shape when nothing runs, or nothing can be told."""
    return {
        "schema": SCHEMA,
        "state": state,
        "pid": None,
        "started_at": None,
        "now": iso(time.time()),
        "last_activity_at": None,
        "ticks": 0,
        "services": [],
        "settings_problems": [],
    }


def service(row: Message) -> Message:
    """A row with the promised keys, in the promised order, and nothing else."""
    return {**{key: row.get(key) for key in KEYS}, "detail": row.get("detail") or ""}


def _scheduler_part(home: Home) -> tuple[Message | None, list[Message]]:
    try:
        with connect(home, SCHEDULER) as client:
            answer = client.request("status", limit=quick.PATIENCE_S)
    except Problem:
        return None, []
    return answer["summary"], answer["rows"]


def _entries(home: Home) -> list[Message]:
    try:
        with connect(home, START) as client:
            rows: list[Message] = client.request("entries", limit=quick.PATIENCE_S)["rows"]
    except Problem:
        return []
    return [service(row) for row in rows]


def _as_table(rows: list[Message]) -> list[table.Row]:
    summary = {"state": "", "pid": "", "started": 0, "wall": 0, "ticks": 0}
    return table.parse_rows(encode_rows("", summary, [service(row) for row in rows]))[1]
