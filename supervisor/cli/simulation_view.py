"""`sbctl schedule test`: a year of the real planner on a virtual clock, told in a few lines a schedule. Pure."""

from __future__ import annotations

from supervisor.base.counting import counted
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


def simulation_lines(found: Mapping[str, Facts], zone_of: Mapping[str, Zone], days: int, now: float) -> list[str]:
    """By id, as `simulate` answers."""
    lines: list[str] = []
    for id, facts in found.items():
        lines += _one(id, facts, zone_of[id], days, now)
    return lines


def _one(id: str, facts: Facts, its: Zone, days: int, now: float) -> list[str]:
    skipped = facts["skipped"]
    lines = [f"{clean(id)}: {_times(facts['runs'])} in {counted(days, 'day')}"]
    if facts.get("cut"):
        followed = parse_iso(facts["followed_to"])
        until = "" if followed is None else moment(followed, its, now)
        lines = [f"{clean(id)}: {_times(facts['runs'])} until {until}, which is as far as so many are followed"]
    follows = clean(" or ".join(facts.get("follows", ())))
    if follows:
        lines = [f"{lines[0]}, and {follows}" if facts["runs"] else f"{clean(id)}: {follows}, which is not foreseen"]
    lines.append(_titled("zone", its.name))
    if skipped:
        told = ", ".join(f"{reason.replace('_', ' ')} {count}" for reason, count in sorted(skipped.items()))
        lines.append(_titled("skipped", f"{sum(skipped.values())}: {told}"))
    if facts["longest_gap_s"] and not follows:  # a run that follows another may lie in it
        begin, end = parse_iso(facts["gap_from"]), parse_iso(facts["gap_to"])
        when = ""
        if begin is not None and end is not None:
            when = f", from {moment(begin, its, now)} to {moment(end, its, now)}"
        lines.append(_titled("longest gap", duration(facts["longest_gap_s"]) + when))
    first = [moment(at, its, now) for text in facts["first"] if (at := parse_iso(text)) is not None]
    if first:
        lines.append(_titled("first", ", ".join(first)))
    for number, text in enumerate(facts["dst"]):
        lines.append(_titled("" if number else "clock", _told(text, its, now)))
    if facts["dst"]:  # a clock that is not changed needs no rule
        lines += [_titled("" if number else "dst", rule) for number, rule in enumerate(facts.get("clock_rules", ()))]
    for number, each in enumerate(facts["collisions"][:SHOWN]):
        at = parse_iso(each["first"])
        when = f", first {moment(at, its, now)}" if at is not None else ""
        lines.append(_titled("" if number else "collides", f"with {each['with']} {_times(each['count'])}{when}"))
    more = len(facts["collisions"]) - SHOWN
    if more > 0:
        lines.append(INDENT + f"and with {more} more")
    return lines


def _told(text: str, its: Zone, now: float) -> str:
    """`2027-03-28T01:00:00.000Z: the clocks go forward`, as the planner has it, with the time of that zone."""
    head, colon, rest = text.partition(": ")
    at = parse_iso(head)
    return text if at is None else f"{moment(at, its, now)}{colon}{rest}"


def _titled(title: str, text: str) -> str:
    return f"  {title:<12}{clean(text)}"


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")
