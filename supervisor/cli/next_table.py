"""`sbctl next`: one slot a line, by when it is due. Pure: facts in, lines out."""

from __future__ import annotations

from supervisor.cli.columns import columns
from supervisor.cli.marks import last_run
from supervisor.cli.table import duration
from supervisor.cli.times import parse_iso
from supervisor.cli.zones import minute, moment
from supervisor.model.run import Skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from supervisor.cli.columns import Cell
    from supervisor.cli.table import Style
    from supervisor.core.zone import Zone

    Facts = dict[str, Any]

RUN = "run"
LASTING = (Skip.PAUSED, Skip.DISABLED)  # all slots of such a schedule fare alike: one line says it
YELLOW = "33"


def chosen(slots: Sequence[Facts], count: int) -> list[Facts]:
    """The first so many; of schedules that rest one line each, behind the others."""
    going = [slot for slot in slots if slot["would"] not in LASTING]
    resting = {slot["schedule"]: slot for slot in reversed(slots) if slot["would"] in LASTING}
    return [*going[:count], *sorted(resting.values(), key=lambda slot: str(slot["schedule"]))]


def next_table(
    slots: Sequence[Facts], rows: dict[str, Facts], zone_of: Callable[[str], Zone], now: float, style: Style
) -> list[str]:
    """`zone_of` a schedule; one zone for all stands in the title."""
    zones = {zone_of(str(slot["schedule"])).name for slot in slots}
    one = zones.pop() if len(zones) == 1 else ""
    titles = ("IN", f"WHEN ({one})" if one else "WHEN", "SCHEDULE", "RULE", "LAST", "NOTE")
    lines = [_row(slot, rows.get(str(slot["schedule"]), {}), zone_of, now, style, one) for slot in slots]
    return columns(titles, lines, style)


def _row(slot: Facts, row: Facts, zone_of: Callable[[str], Zone], now: float, style: Style, one: str) -> list[Cell]:
    name = str(slot["schedule"])
    its = zone_of(name)
    due, would = parse_iso(slot["due"]), str(slot["would"])
    until = parse_iso(slot.get("until"))
    # Why it rests is what `sbctl why` is for.
    note = [str(slot.get("note") or "") if would not in LASTING else ""]
    if would == RUN:
        first: Cell = duration(max(due - now + 0.5, 0)) if due is not None else "-"
        when = moment(due, its) if due is not None else "-"
    else:
        first = (would.replace("_", " "), YELLOW)
        when = f"until {minute(until, its, now)}" if until is not None else moment(due, its) if due else "-"
        if until is not None and would not in LASTING and due is not None:
            when = moment(due, its)
            note.append(f"held until {minute(until, its, now)}")
    if not one:
        when += f" {its.name}"
    return [
        first,
        when,
        name,
        str(slot["rule"] or row.get("rule") or ""),
        last_run(row.get("last_result"), row.get("last_duration_s"), style),
        "; ".join(word for word in note if word),
    ]
