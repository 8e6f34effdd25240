"""`sbctl schedule list`: one schedule a line. Pure: rows in, lines out."""

from __future__ import annotations

from supervisor.base.counting import counted
from supervisor.cli.columns import columns
from supervisor.cli.marks import last_run
from supervisor.cli.table import duration
from supervisor.cli.times import parse_iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from supervisor.cli.columns import Cell
    from supervisor.cli.table import Style
    from supervisor.core.zone import Zone

    Row = dict[str, Any]

TITLES = ("SCHEDULE", "STATUS", "NEXT", "LAST", "RATE", "TENANT", "RULE")
STATES = {
    "active": ("○", "ok", "32"),
    "running": ("◐", "..", "34"),
    "paused": ("■", "--", "33"),
    "disabled": ("■", "--", "2"),
    "cooldown": ("▲", "!!", "31"),
    "finished": ("✔", "ok", "2"),
}


def schedule_table(rows: Sequence[Row], its: Zone, now: float, style: Style) -> list[str]:
    """`its`: the zone of the reader."""
    return columns(TITLES, [_row(row, its, now, style) for row in rows], style)


def status(row: Row, style: Style) -> tuple[str, str]:
    """With its sign, and its colour."""
    state = str(row["status"])
    sign, plain, colour = STATES.get(state, ("?", "??", "0"))
    return f"{sign if style.utf8 else plain} {state}", colour


def _row(row: Row, its: Zone, now: float, style: Style) -> list[Cell]:
    return [
        str(row["id"]),
        status(row, style),
        _next(row, now),
        last_run(row["last_result"], row["last_duration_s"], style),
        rate(row),
        str(row["tenant"] or ""),
        rule(row, its),
    ]


def rule(row: Row, its: Zone) -> str:
    """With its zone, where that is not the reader's."""
    text, zone = str(row["rule"]), str(row.get("zone") or its.name)
    return text if zone == its.name or not text else f"{text} ({zone})"


def _next(row: Row, now: float) -> str:
    due = parse_iso(row["next_due"] or row["next_run"])
    if not row["enabled"] or row["status"] in ("disabled", "finished") or due is None:
        return "-"
    if row["paused"]:  # also while a run goes on that had begun before
        paused = parse_iso(row["paused"].get("until"))
        return f"resumes in {duration(paused - now)}" if paused is not None else "when resumed"
    return f"in {duration(due - now)}" if due > now else "now"


def rate(row: Row) -> str:
    """Which part of its runs went well."""
    return ", ".join((*share(row), *streak(row))) or "-"


def ended_by_itself(row: Row) -> int:
    """Runs that say something: nobody cancelled them, and nothing cut them off."""
    return (row["successful_runs"] or 0) + (row["failed_runs"] or 0)


def share(row: Row) -> list[str]:
    ended = ended_by_itself(row)
    return [f"{row['successful_runs'] / ended * 100:.0f}% of {ended}"] if ended else []


def streak(row: Row) -> list[str]:
    failures = row["consecutive_failures"] or 0
    return [f"{failures} failed in a row"] if failures > 1 else []


def totals(system: Row) -> str:
    """What stands on stderr below the table."""
    parts = [f"{counted(system['total_schedules'], 'schedule')}, {system['active_schedules']} active"]
    parts.append(f"{system['running_tasks']} running")
    if system.get("queued_writes"):
        parts.append(f"{counted(system['queued_writes'], 'row')} to be written to the history")
    return ", ".join(parts)
