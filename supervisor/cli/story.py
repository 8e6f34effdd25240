"""`sbctl why` in five lines: state, last exit, attempts, last words, and what to do. Facts in, lines out."""

from __future__ import annotations

from typing import Any

from supervisor.base.counting import counted
from supervisor.cli.out import at_home
from supervisor.cli.table import duration, percent, size
from supervisor.cli.times import parse_iso
from supervisor.model.rows import clean

SHOWN_WORDS = 5
INDENT = " " * 12
DEGRADED = "degraded"
CRITICAL = "service.critical"
NOT_READY_YET = "not ready yet: "

Facts = dict[str, Any]


def story(facts: Facts, now: float) -> list[str]:
    """From the answer to `why`."""
    row: Facts = facts["row"]
    return [
        _state(row, facts, now),
        *_critical(row, facts),
        *_in_the_way(row, facts),
        *_unwell(row, facts.get("events") or [], now),
        _titled("last exit", _last_exit(row, now) + _rest_killed(row, facts.get("events") or [])),
        _titled("attempts", _attempts(row, facts.get("attempts") or {}, now)),
        *_last_words(facts.get("words") or []),
        *_takes(row),
        _titled("next", at_home(facts.get("next") or _next(row, facts))),
    ]


def _critical(row: Facts, facts: Facts) -> list[str]:
    """That everything goes with it; or that it did, when that is the last that is known."""
    told = [event for event in facts.get("events") or [] if event.get("kind") == CRITICAL]
    if told and row["state"] not in ("starting", "running"):
        return [_titled("critical", _words_of(told[-1], row).removeprefix("critical, and "))]
    return [_titled("critical", "when it ends for good, everything stops")] if facts.get("critical") else []


def _titled(title: str, text: str) -> str:
    return f"{title:<12}{clean(text)}"


def _state(row: Facts, facts: Facts, now: float) -> str:
    since = parse_iso(facts.get("since"))
    if since is None and row["uptime_s"] is not None:
        since = now - row["uptime_s"]
    if facts.get("away"):  # what the journal has last is not since when it is so
        pid = f", pid {row['pid']}" if row["pid"] else ""
        return clean(f"{row['name']} is {_shown(row)}{pid}; {facts['away']}")
    for_long = f" for {duration(now - since)}" if since is not None else ""
    pid = f", pid {row['pid']}" if row["pid"] else ""
    wanted = "" if row["desired"] == "up" and row["state"] == "running" else f"; wanted {row['desired']}"
    reason = f" ({facts['reason']})" if facts.get("reason") and row["state"] != "running" else ""
    return clean(f"{row['name']} is {_shown(row)}{for_long}{pid}{wanted}{reason}")


def _shown(row: Facts) -> str:
    """One that runs and can't do its work may have been well for most of that time."""
    return f"{DEGRADED}: running" if row["state"] == "running" and row["ready"] is False else str(row["state"])


def _takes(row: Facts) -> list[str]:
    if row.get("memory_bytes") is None:
        return []
    many = "1 process" if row["processes"] == 1 else f"{row['processes']} processes"
    threads = "1 thread" if row["threads"] == 1 else f"{row['threads']} threads"
    what = f"{percent(row['cpu_percent'])} of a processor, {size(row['memory_bytes'])} of memory, {many}, {threads}"
    return [_titled("takes", what)]


def _in_the_way(row: Facts, facts: Facts) -> list[str]:
    """What one waits for, and how those stand; what it lacks to be ready; or that it runs elsewhere."""
    if row["state"] not in ("waiting", "starting", "external"):
        return []
    detail = str(row.get("detail") or "")
    if row["state"] == "starting" and detail.startswith(NOT_READY_YET):
        return [_titled("not ready", detail.removeprefix(NOT_READY_YET))]
    title, _, rest = detail.partition(" for ")
    if row["state"] != "external" and title == "waits":
        return [_titled("waits for", rest), *(INDENT + clean(line) for line in facts.get("waits_for") or [])]
    return [_titled("", detail)] if detail else []


def _unwell(row: Facts, events: list[Facts], now: float) -> list[str]:
    """It runs, and can't do its work, or uses more than it should: since when, and what was found."""
    if row["state"] != "running":
        return []
    lines: list[str] = []
    if row["ready"] is False:
        event = _still_true(events, "service.degraded", "service.recovered", row)
        found = str(row.get("detail") or "") or _words_of(event, row).removeprefix("degraded: ")
        lines.append(_titled(DEGRADED, _so_long(event, now, found)))
    event = _still_true(events, "service.over_limit", "service.within_limit", row)
    if event is not None:
        lines.append(_titled("over limit", _so_long(event, now, _words_of(event, row))))
    return lines


def _still_true(events: list[Facts], begin: str, end: str, row: Facts) -> Facts | None:
    """The newest event of that kind of this very process, if nothing has ended it."""
    for event in reversed(events):
        kind, data = event.get("kind"), event.get("data") or {}
        if kind == end:
            return None
        if kind == begin:
            return event if data.get("pid") == row["pid"] else None
    return None


def _words_of(event: Facts | None, row: Facts) -> str:
    return str((event or {}).get("text") or "").removeprefix(f"{row['name']}: ")


def _so_long(event: Facts | None, now: float, text: str) -> str:
    at = parse_iso((event or {}).get("at"))
    return text if at is None else f"for {duration(now - at)}" + (f": {text}" if text else "")


def _last_exit(row: Facts, now: float) -> str:
    exit_ = row["exit"]
    if not exit_:
        return row["cause"] or "none since sbctl was started"
    at = parse_iso(exit_.get("at"))
    how = row["cause"] or (f"killed by {exit_['signal']}" if exit_.get("signal") else f"exit code {exit_.get('code')}")
    code = exit_.get("code")
    if code is not None and str(code) not in how:
        how += f" (exit code {code})"
    return how + (f", {duration(now - at)} ago" if at is not None else "")


def _rest_killed(row: Facts, events: list[Facts]) -> str:
    """Its main process ended as it should, what that had started did not."""
    exit_ = row["exit"]
    if not exit_ or exit_.get("signal") == "SIGKILL":
        return ""
    keys = {
        kind: next(
            ((event.get("data") or {}).get("key") for event in reversed(events) if event.get("kind") == kind), None
        )
        for kind in ("service.exited", "service.killed")
    }
    same = keys["service.killed"] is not None and keys["service.killed"] == keys["service.exited"]
    return "; the rest of its group had to be killed" if same else ""


def _attempts(row: Facts, attempts: Facts, now: float) -> str:
    streak, give_up = attempts.get("streak") or 0, attempts.get("give_up")
    parts: list[str] = []
    if row["state"] == "failed" and streak and give_up and streak >= give_up:
        parts.append(f"gave up after {counted(streak, 'fast crash')} in a row")
    elif row["state"] == "stopped" and str(row.get("detail") or "").startswith("finished"):
        parts.append("finished")
    elif row["state"] == "failed":
        parts.append("not tried again")
    elif streak:
        parts.append(f"crash {streak} of {give_up} in a row")
    retry = parse_iso(row["next_retry_at"])
    if retry is not None:
        parts.append(f"next try in {duration(retry - now + 0.5)}")
    parts.append(_times(row["restarts"]))
    if attempts.get("deaths"):
        parts.append(f"{attempts['deaths']} ended in the last {duration(attempts.get('window') or 0)}")
    return ", ".join(parts)


def _last_words(words: list[str]) -> list[str]:
    """One line where one is enough; more are indented below the first."""
    if not words:
        return [_titled("last words", "none")]
    first, *others = [clean(word) for word in words[-SHOWN_WORDS:]]
    return [_titled("last words", first), *(INDENT + line for line in others)]


def _next(row: Facts, facts: Facts) -> str:
    name = row["name"]
    if row["state"] == "waiting":
        last = ((facts.get("waits_for") or [""])[-1]).partition(" is ")[0]
        return f"sbctl why {last}" if last else f"it starts by itself when that is so; sbctl stop {name} ends the wait"
    if row["state"] == "external":
        return "that one is left alone; when it ends, this one is started"
    if row["state"] in ("failed", "backoff") and str(row["cause"] or "").startswith("the command before it"):
        return f"sbctl logs {name} --commands; then: sbctl start {name}"
    if row["state"] == "failed" and str(row.get("detail") or "").startswith("waited too long"):
        return f"look at what it waited for (waitFor, requires); then: sbctl start {name}"
    if row["state"] == "failed":
        return f"sbctl logs {name}; then: sbctl start {name} (a fresh budget)"
    if row["state"] == "stopped":
        return f"sbctl start {name}"
    if row["state"] == "backoff":
        return f"sbctl logs {name}; to try now: sbctl start {name}"
    return f"sbctl logs -f {name}"


def from_journal(name: str, events: list[Facts], kept: Facts | None = None) -> Facts:
    """The same facts, as far as the journal has them, for when the daemon that knows is away.

    Without that daemon and without a row that `start` keeps nothing runs.
    """
    row: Facts = dict.fromkeys(("pid", "uptime_s", "exit", "cause", "next_retry_at", "ready"))
    row |= {"name": name, "state": "stopped", "desired": "down", "restarts": 0}
    row |= kept or {}
    facts: Facts = {"row": row, "attempts": {}, "words": [], "events": events[-10:], "since": None}
    for event in events:
        data = event.get("data") or {}
        cause = data.get("cause")
        if isinstance(cause, dict):
            row["cause"] = cause.get("text")
            row["exit"] = {"code": cause.get("code"), "signal": cause.get("signal"), "at": event.get("at")}
            facts["words"] = cause.get("words") or []
        for key in ("streak", "give_up"):
            if key in data:
                facts["attempts"][key] = data[key]
        row["restarts"] = data.get("restarts", row["restarts"])
        facts["since"] = event.get("at")
        facts["reason"] = str(event.get("kind", "")).removeprefix("service.").replace("_", " ")
    return facts


def _times(restarts: int) -> str:
    return {0: "never restarted", 1: "restarted once"}.get(restarts, f"restarted {restarts} times")
