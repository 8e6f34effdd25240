"""The status of a whole home as one object, merged from both daemons: `sbctl status --json` and the REST interface."""

from __future__ import annotations

import time

from supervisor.base.clock import iso
from supervisor.base.errors import NOT_RUNNING, Problem
from supervisor.control.api import SCHEDULER, START
from supervisor.control.client import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.control.api import Message
    from supervisor.model.home import Home

SCHEMA = 1
PATIENCE_S = 0.6  # for each of up to three questions: one daemon that hangs must not take the others' rows along
KEYS = ("name", "kind", "state", "desired", "pid", "uptime_s", "restarts", "exit", "cause", "next_retry_at", "ready")
WRONG = ("backoff", "failed", "stopped")  # for a service that is wanted


def build_status(home: Home, patience: float = PATIENCE_S) -> Message:
    """The object, also for a home that is stopped; a Problem when `start` is there and can't be asked."""
    try:
        answer = _ask(home, START, "status", patience)
    except Problem as problem:
        if problem.code == NOT_RUNNING:
            return stopped_status()
        raise
    summary: Message = answer["summary"]
    rows: list[Message] = answer["rows"]
    busy, more, complete = _scheduler_part(home, rows, patience)
    services = [_service(row) for row in (*rows, *more)]
    last = [part["last_activity_at"] or "" for part in (summary, busy or summary)]
    return {
        "schema": SCHEMA,
        "state": overall(summary["state"], services, complete=complete),
        "pid": summary["pid"],
        "started_at": summary["started_at"],
        "now": summary["now"],
        "last_activity_at": max(last) or None,
        "ticks": (busy or summary)["ticks"],
        "services": services,
        "settings_problems": summary.get("settings_problems", []),
    }


def stopped_status(state: str = "stopped") -> Message:
    """The same shape when nothing runs."""
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


def overall(state: str, rows: Iterable[Message], *, complete: bool) -> str:
    """One word for the whole, from what `start` says of itself and from the services."""
    rows = list(rows)
    if state == "stopping":
        return state
    if not complete or any(_is_wrong(row) for row in rows):
        return "degraded"
    return "starting" if any(row["state"] == "starting" for row in rows) else state


def _is_wrong(row: Message) -> bool:
    if row["state"] == "running":
        return row["ready"] is False
    return row["desired"] == "up" and row["state"] in WRONG


def _scheduler_part(home: Home, rows: list[Message], patience: float) -> tuple[Message | None, list[Message], bool]:
    """The scheduler's summary and rows; without it, what `start` keeps for it. And: is that all there is?"""
    try:
        answer = _ask(home, SCHEDULER, "status", patience)
        return answer["summary"], answer["rows"], True
    except Problem:
        wanted = any(row["name"] == SCHEDULER and row["desired"] == "up" for row in rows)
    try:
        return None, _ask(home, START, "entries", patience)["rows"], not wanted
    except Problem:
        return None, [], False


def _ask(home: Home, role: str, verb: str, patience: float) -> Message:
    with connect(home, role, patience) as client:
        return client.request(verb, limit=patience)


def _service(row: Message) -> Message:
    """The promised keys in the promised order, and nothing else."""
    return {**{key: row.get(key) for key in KEYS}, "detail": row.get("detail") or ""}
