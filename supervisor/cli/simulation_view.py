"""`sbctl schedule test`: a year of the real planner on a virtual clock, told in a few lines a schedule. Pure."""

from __future__ import annotations

from supervisor.cli.table import duration
from supervisor.cli.times import parse_iso
from supervisor.cli.zones import moment
from supervisor.model.rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from supervisor.core.zone import Zone

    Facts = dict[str, Any]

INDENT = " " * 14
SHOWN = 5


def simulation_lines(found: Mapping[str, Facts], zone_of: Mapping[str, Zone], days: int) -> list[str]:
    """By id, as `simulate` answers."""
    lines: list[str] = []
    for id, facts in found.items():
        lines += _one(id, facts, zone_of[id], days)
    return lines


def _one(id: str, facts: Facts, its: Zone, days: int) -> list[str]:
    skipped = facts["skipped"]
    lines = [f"{clean(id)}: {_times(facts['runs'])} in {days} days"]
    if facts.get("cut"):
        followed = parse_iso(facts["followed_to"])
        until = "" if followed is None else moment(followed, its)
        lines = [f"{clean(id)}: {_times(facts['runs'])} until {until}, which is as far as so many are followed"]
    if skipped:
        told = ", ".join(f"{reason.replace('_', ' ')} {count}" for reason, count in sorted(skipped.items()))
        lines.append(_titled("skipped", f"{sum(skipped.values())}: {told}"))
    if facts["longest_gap_s"]:
        begin, end = parse_iso(facts["gap_from"]), parse_iso(facts["gap_to"])
        when = f", from {moment(begin, its)} to {moment(end, its)}" if begin is not None and end is not None else ""
        lines.append(_titled("longest gap", duration(facts["longest_gap_s"]) + when))
    first = [moment(at, its) for text in facts["first"] if (at := parse_iso(text)) is not None]
    if first:
        lines.append(_titled("first", ", ".join(first)))
    for number, text in enumerate(facts["dst"]):
        lines.append(_titled("" if number else "clock", text))
    for number, each in enumerate(facts["collisions"][:SHOWN]):
        at = parse_iso(each["first"])
        when = f", first {moment(at, its)}" if at is not None else ""
        lines.append(_titled("" if number else "collides", f"with {each['with']} {_times(each['count'])}{when}"))
    more = len(facts["collisions"]) - SHOWN
    if more > 0:
        lines.append(INDENT + f"and with {more} more")
    return lines


def _titled(title: str, text: str) -> str:
    return f"  {title:<12}{clean(text)}"


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")
