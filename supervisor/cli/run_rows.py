"""A run as the command line speaks of it: from a row of the history, or as the scheduler tells it. Pure.

Times become ISO texts, durations seconds; the JSON columns of the table are read.
"""

from __future__ import annotations

import json

from supervisor.base.clock import iso
from supervisor.cli.times import parse_iso
from supervisor.model.run import LIVE, RunState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Row = dict[str, Any]

IN_MS = ("due", "claimed", "started", "ended")
AS_JSON = ("steps", "args", "metrics", "words")
SIGNAL_CODE = 128


def run_facts(row: Row) -> Row:
    """What `--json` shows of a run."""
    facts = {name: row.get(name) for name in ("id", "schedule", "plugin", "tenant", "trigger", "state")}
    facts["nominal"] = time_of(row.get("nominal"), 1)
    for name in IN_MS:
        facts[name] = time_of(row.get(name), 1000)
    facts["late_s"] = seconds(row.get("late_ms"))
    facts["took_s"] = took(row)
    for name in ("cause", "exit_code", "signal", "attempt", "retry_of", "by", "correlation", "log", "memory"):
        facts[name] = row.get(name)
    facts["cpu_s"] = seconds(row.get("cpu_ms"))
    facts["unledgered"] = bool(row.get("unledgered"))
    for name in AS_JSON:
        facts[name] = unpacked(row.get(name))
    facts["forced"] = [gate.strip() for gate in str(row.get("forced") or "").split(",") if gate.strip()]
    return facts


def step_facts(row: Row) -> Row:
    facts = {name: row.get(name) for name in ("number", "attempt", "name", "state", "exit_code", "signal", "cause")}
    facts["started"] = time_of(row.get("started"), 1000)
    facts["ended"] = time_of(row.get("ended"), 1000)
    facts["took_s"] = took(row)
    facts["cpu_s"] = seconds(row.get("cpu_ms"))
    facts["memory"] = row.get("memory")
    facts["words"] = unpacked(row.get("words"))
    return facts


def time_of(value: Any, per_second: int) -> str | None:
    """As ISO. What the scheduler has made one already passes."""
    if isinstance(value, str) or value is None:
        return value
    return iso(value / per_second)


def seconds(milliseconds: Any) -> float | None:
    return milliseconds / 1000 if isinstance(milliseconds, (int, float)) else None


def took(row: Row) -> float | None:
    started, ended = parse_iso(time_of(row.get("started"), 1000)), parse_iso(time_of(row.get("ended"), 1000))
    if started is not None and ended is not None:
        return round(max(ended - started, 0.0), 3)
    given = row.get("took_s")
    return float(given) if isinstance(given, (int, float)) else None


def unpacked(value: Any) -> Any:
    """A JSON column; a text that is none stays one."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def is_over(state: str | None) -> bool:
    return state not in LIVE


def exit_code(run: Row, *, of_job: bool) -> int:
    """What a command that has waited for it ends with: 0 or 1, or as the job itself did."""
    if run.get("state") == RunState.SUCCEEDED:
        return 0
    code = run.get("exit_code")
    if of_job and isinstance(code, int) and 0 < code < 256:
        return code
    if of_job and run.get("signal"):
        return SIGNAL_CODE + _number(str(run["signal"]))
    return 1


def _number(name: str) -> int:
    import signal

    known = signal.Signals.__members__.get(name if name.startswith("SIG") else f"SIG{name}")
    return int(known) if known is not None else 0


def outcome(run: Row) -> str:
    """`exit 1`, `timed out`, `SIGKILL`: what became of it, without its sign; "" when it went well."""
    state = str(run.get("state") or "")
    if state == RunState.SUCCEEDED:
        return ""
    if state == RunState.FAILED and run.get("exit_code"):  # with 0 it failed by what it left
        return f"exit {run['exit_code']}"
    if state == RunState.FAILED and run.get("signal"):
        return str(run["signal"])
    return state.replace("_", " ")


def last_words(run: Row) -> list[str]:
    words = run.get("words")
    if isinstance(words, str):
        return words.splitlines()
    return [str(word) for word in words] if isinstance(words, list) else []


def retold(row: Row | None) -> Row:
    """What to ask for to have it again: name, commands, args, and the names of what it had in its environment."""
    if row is None:
        return {}
    args = unpacked(row.get("args"))
    given = args if isinstance(args, dict) else {"args": args or []}
    steps = unpacked(row.get("steps"))
    return {
        "name": str(row.get("schedule") or row.get("plugin") or ""),
        "commands": [str(step) for step in steps] if isinstance(steps, list) else [],
        "args": [str(word) for word in given.get("args") or ()],
        "env": [str(name) for name in given.get("env") or ()],
    }
