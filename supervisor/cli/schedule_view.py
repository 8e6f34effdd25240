"""`sbctl schedule show ID`: everything about one schedule. Pure: facts in, lines out."""

from __future__ import annotations

from supervisor.base.counting import counted
from supervisor.cli.marks import short, words
from supervisor.cli.pausing import paused_text
from supervisor.cli.schedule_table import ended_by_itself, share, status, streak
from supervisor.cli.schedule_zones import told
from supervisor.cli.table import duration
from supervisor.cli.times import parse_iso
from supervisor.cli.zones import minute, moment
from supervisor.core.calendar import clock_text
from supervisor.core.cron_words import weekdays_named
from supervisor.model.rows import clean
from supervisor.model.schedule import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.table import Style
    from supervisor.core.zone import Zone

    Facts = dict[str, Any]

INDENT = " " * 12
IN_SECONDS = frozenset(
    ("grace", "jitter", "run_timeout", "spread", "step_timeout", "stop_grace", "window")
)  # of a policy


def schedule_lines(facts: Facts, its: Zone, now: float, style: Style) -> list[str]:
    """`facts` is what --json shows: row, policy, next."""
    row = facts["row"]
    state, colour = status(row, style)
    lines = [f"{clean(str(row['id']))}: {style.paint(state, colour)}"]
    lines += _titled("about", row["description"])
    lines += _titled("plugin", f"{row['plugin']}: {', '.join(row['steps'])}")
    lines += _titled("rule", f"{row['rule']} ({row['zone']})")
    lines += _titled("zone", its.name if its.name != row["zone"] else "")
    lines += _titled("tenant", row["tenant"])
    lines += _titled("from", row["source"])
    lines += _titled("paused", paused_text(row["paused"], its, now))
    cooldown = parse_iso(row["cooldown_until"])
    lines += _titled("cooldown", f"until {minute(cooldown, its, now)}" if cooldown is not None else "")
    lines += _going(row)
    lines += _titled("runs", _runs(row))
    lines += _titled("usual", _usual(facts.get("usual")))
    lines += _titled("last", _last(row, its, now))
    lines += _titled("policy", "all as by default" if not changed(facts["policy"]) else "")
    for number, text in enumerate(changed(facts["policy"])):
        lines.append(f"{'' if number else 'policy':<12}{clean(text)}")
    for number, slot in enumerate(facts["next"]):
        lines.append(f"{'' if number else 'next':<12}{clean(next_text(slot, its, now))}")
    if not facts["next"]:
        by_ends = str(row["rule"]) if row.get("by_ends") else "never"
        lines += _titled("next", told(row["next_reason"] or by_ends, its, now))
    return lines


def _going(row: Facts) -> list[str]:
    if not row["running"]:
        return _titled("waiting", counted(row["queued"], "run") if row["queued"] else "")
    return _titled("running", ", ".join(row["running"]) + (f", {row['queued']} waiting" if row["queued"] else ""))


def _runs(row: Facts) -> str:
    """How many there were, and what became of them."""
    total = row["total_runs"] or 0
    if not total:
        return "none yet"
    cut_off = total - ended_by_itself(row)
    parts = [f"{each} went well" for each in share(row)] + streak(row)
    parts += [f"{cut_off} cancelled or cut off"] if cut_off > 0 else []
    return f"{total}: {', '.join(parts)}"


def _usual(usual: Facts | None) -> str:
    """How long its last good runs took."""
    if not usual:
        return ""
    figures = f"{short(usual['p50_s'])} (p50), {short(usual['p95_s'])} (p95)"
    return f"{figures}, {short(usual['average_s'])} on average, of the last {usual['runs']} that succeeded"


def _titled(title: str, text: Any) -> list[str]:
    return [f"{title:<12}{clean(str(text))}"] if text else []


def _last(row: Facts, its: Zone, now: float) -> str:
    at = parse_iso(row["last_run_at"])
    if not row["last_result"]:
        return ""
    took = f" after {short(row['last_duration_s'])}" if row["last_duration_s"] is not None else ""
    when = f", {duration(now - at)} ago" if at is not None else ""
    average = f"; {short(row['average_s'])} on average" if row["average_s"] is not None else ""
    return f"{row['last_run'] or ''} {words(str(row['last_result']))}{took}{when}{average}".strip()


def changed(policy: Facts) -> list[str]:
    """What of it is not as by default."""
    usual = Policy().as_dict()
    return [
        f"{name.replace('_', ' ')} {_value(name, value)}"
        for name, value in policy.items()
        if name in usual and (value or usual[name]) and _listed(value) != _listed(usual[name])
    ]


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _value(name: str, value: Any) -> str:
    if name == "active_hours":
        return ", ".join(map(_window, value)) or "always"
    if name in IN_SECONDS and isinstance(value, (int, float)):
        return duration(value)
    if isinstance(value, dict):
        return ", ".join(
            f"{key.replace('_', ' ')} {_plain(key, each)}" for key, each in value.items() if each is not None
        )
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _plain(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return duration(value) if name in ("cooldown", "delay", "max_delay") else str(value)


def _window(window: list[Any]) -> str:
    """`mon-fri 07:00-23:00` of [weekdays, from, to]."""
    weekdays, start, end = window
    days = "" if weekdays is None else f"{weekdays_named(weekdays)} "
    return f"{days}{clock_text(start)}-{clock_text(end)}"


def next_text(slot: Facts, its: Zone, now: float) -> str:
    """`Fri 21 Nov 10:15:00, in 4m 12s`, and why it would not run."""
    due = parse_iso(slot["due"])
    if due is None:
        return "-"
    text = f"{moment(due, its, now)}, in {duration(max(due - now, 0))}"
    if slot["nominal"] != slot["due"]:
        nominal = parse_iso(slot["nominal"])
        text += f" (slot {minute(nominal, its, now)})" if nominal is not None else ""
    if slot["would"] != "run":
        return text + f": {words(str(slot['would']))}"
    return text + (f"; {slot['note']}" if slot.get("note") else "")
