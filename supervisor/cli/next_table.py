"""`sbctl next`: one slot a line, by when it is due. Pure: facts in, lines out."""

from __future__ import annotations

from supervisor.cli.columns import columns
from supervisor.cli.marks import last_run
from supervisor.cli.schedule_table import rule
from supervisor.cli.schedule_zones import told
from supervisor.cli.table import duration
from supervisor.cli.times import parse_iso
from supervisor.cli.zones import minute, moment
from supervisor.model.run import Skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from supervisor.cli.columns import Cell
    from supervisor.cli.table import Style
    from supervisor.core.zone import Zone

    Facts = dict[str, Any]

RUN = "run"
LASTING = (Skip.PAUSED, Skip.DISABLED)  # when that is over is said, and not when the slot is
YELLOW = "33"


def ordered(slots: Sequence[Facts]) -> list[Facts]:
    """By time; those of schedules that rest behind the others."""
    resting = [slot for slot in slots if slot["would"] in LASTING]
    going = [slot for slot in slots if slot["would"] not in LASTING]
    return [*going, *sorted(resting, key=lambda slot: str(slot["schedule"]))]


def next_table(slots: Sequence[Facts], rows: dict[str, Facts], its: Zone, now: float, style: Style) -> list[str]:
    titles = ("IN", f"WHEN ({its.name})", "SCHEDULE", "RULE", "LAST", "NOTE")
    return columns(titles, [_row(slot, rows.get(str(slot["schedule"]), {}), its, now, style) for slot in slots], style)


def _row(slot: Facts, row: Facts, its: Zone, now: float, style: Style) -> list[Cell]:
    due, would = parse_iso(slot["due"]), str(slot["would"])
    until = parse_iso(slot.get("until"))
    # Why it is held the first column says; more of it is what `sbctl why` is for.
    note = [told(str(slot.get("note") or ""), its, now) if would == RUN else ""]
    if would == RUN:
        first: Cell = duration(max(due - now + 0.5, 0)) if due is not None else "-"
        when = moment(due, its, now) if due is not None else "-"
    else:
        first = (would.replace("_", " "), YELLOW)
        when = f"until {minute(until, its, now)}" if until is not None else moment(due, its, now) if due else "-"
        if until is not None and would not in LASTING and due is not None:
            when = moment(due, its, now)
            note.append(f"held until {minute(until, its, now)}")
    return [
        first,
        when,
        str(slot["schedule"]),
        rule({**row, "rule": slot["rule"] or row.get("rule") or ""}, its),
        last_run(row.get("last_result"), row.get("last_duration_s"), style),
        "; ".join(word for word in note if word),
    ]
