"""The status of a whole home as one object, merged from both daemons: `sbctl status --json` and the REST interface."""

from __future__ import annotations

import time

from supervisor.base.clock import iso
from supervisor.base.errors import NOT_RUNNING, Problem
from supervisor.control.api import SCHEDULER, START
from supervisor.control.client import connect
from supervisor.model.rows import overall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.control.api import Message
    from supervisor.model.home import Home
    from supervisor.model.rows import Standing

SCHEMA = 1
PATIENCE_S = 0.6  # for each of up to three questions: one daemon that hangs must not take the others' rows along
KEYS = (
    "name", "kind", "state", "desired", "pid", "uptime_s", "restarts", "exit", "cause", "next_retry_at", "ready",
    "cpu_percent", "memory_bytes", "threads", "processes", "enabled", "plugin", "instance",
)  # fmt: skip


def build_status(home: Home, patience: float = PATIENCE_S) -> Message:
    """The object whatever runs; a Problem when `start` is there and can't be asked."""
    try:
        return tree_status(home, patience)
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
    return status_without_start(home, patience)


def tree_status(home: Home, patience: float = PATIENCE_S) -> Message:
    """The object of a tree that runs; a Problem when `start` can't be asked."""
    answer = _ask(home, START, "status", patience)
    rows: list[Message] = answer["rows"]
    busy, more, complete = _scheduler_part(home, rows, patience)
    return _merged(answer["summary"], busy or answer["summary"], [*rows, *more], complete=complete)


def status_without_start(home: Home, patience: float = PATIENCE_S, state: str = "stopped") -> Message:
    """Of a scheduler that runs alone; when there is none either, the same shape with this state."""
    try:
        answer = _ask(home, SCHEDULER, "status", patience)
    except Problem:
        return stopped_status(state)
    return _merged(answer["summary"], answer["summary"], answer["rows"], complete=True)


def _merged(summary: Message, busy: Message, rows: list[Message], *, complete: bool) -> Message:
    """`busy` is the summary of the one who has the most to do: it counts the ticks."""
    last = [part["last_activity_at"] or "" for part in (summary, busy)]
    return {
        "schema": SCHEMA,
        "state": overall(summary["state"], (_standing(row) for row in rows), complete=complete),
        "pid": summary["pid"],
        "started_at": summary["started_at"],
        "now": summary["now"],
        "last_activity_at": max(last) or None,
        "ticks": busy["ticks"],
        "services": [_service(row) for row in rows],
        "settings_problems": summary.get("settings_problems", []),
        "remarks": busy.get("remarks", []),
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
        "remarks": [],
    }


def entries(home: Home, patience: float = PATIENCE_S) -> list[Message]:
    """The rows that `start` keeps for the scheduler, whether that is to run or not: a server may outlive it."""
    rows: list[Message] = _ask(home, START, "entries", patience)["rows"]
    return rows


def _scheduler_part(home: Home, rows: list[Message], patience: float) -> tuple[Message | None, list[Message], bool]:
    """The scheduler's summary and rows; without it, what `start` keeps for it. And: is that all there is?"""
    try:
        answer = _ask(home, SCHEDULER, "status", patience)
        return answer["summary"], answer["rows"], True
    except Problem:
        wanted = any(row["name"] == SCHEDULER and row["desired"] == "up" for row in rows)
    try:
        return None, entries(home, patience), not wanted
    except Problem:
        return None, [], False


def _ask(home: Home, role: str, verb: str, patience: float) -> Message:
    with connect(home, role, patience) as client:
        return client.request(verb, limit=patience)


def _standing(row: Message) -> Standing:
    return row["state"], row["desired"], row["state"] == "running" and row["ready"] is False


def _service(row: Message) -> Message:
    """The promised keys in the promised order, and nothing else."""
    return {**{key: row.get(key) for key in KEYS}, "detail": row.get("detail") or ""}
