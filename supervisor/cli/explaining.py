"""`sbctl explain`: what a cron line means, when it fires next, and what changes of the clock do to it."""

from __future__ import annotations

from supervisor.base.clock import iso
from supervisor.base.errors import USAGE, Problem
from supervisor.cli.table import duration
from supervisor.cli.zones import local_iso, moment, offset_text, wall, zone_named
from supervisor.core.cron import CronError, parse
from supervisor.core.cron_search import next_fire
from supervisor.core.cron_words import explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.core.cron import Cron
    from supervisor.core.cron_search import Fire
    from supervisor.core.zone import Zone

    Facts = dict[str, Any]

YEAR_S = 366 * 86_400
NEAR_S = 26 * 3600  # a change of the clock makes a difference to what fires on that day
AT_ONCE = 200


def explained(text: str, *, zone_name: str, count: int, seconds: bool, key: str, now: float) -> Facts:
    """All that `sbctl explain --json` shows."""
    cron = parsed(text, seconds=seconds, key=key)
    its = zone_named(cron.zone or zone_name)
    fires: list[Fire] = []
    at = int(now)
    while len(fires) < count and (fire := next_fire(cron, its, at)) is not None:
        fires.append(fire)
        at = fire.at
    return {
        "expression": cron.expression,
        "text": explain(cron),
        "zone": its.name,
        "now": iso(now),
        "next": [_shown(fire, its, now) for fire in fires],
        "changes": changes(cron, its, int(now)),
    }


def parsed(text: str, *, seconds: bool = False, key: str = "") -> Cron:
    """Or a Problem that says which field is wrong."""
    try:
        return parse(text, key=key, seconds=seconds)
    except CronError as error:
        remedy = error.remedy or "minute hour day-of-month month day-of-week, like: sbctl explain '30 2 * * 1-5'"
        raise Problem(f"{text[:200]!r} is no cron line", why=str(error), remedy=remedy, code=USAGE) from None


def _shown(fire: Fire, its: Zone, now: float) -> Facts:
    return {
        "at": iso(float(fire.at)),
        "local": local_iso(fire.at, its),
        "in_s": fire.at - int(now),
        "day": moment(fire.at, its),
        "note": fire.shifted,
    }


def changes(cron: Cron, its: Zone, now: int) -> list[Facts]:
    """The days of the coming year on which the clock is changed, and how often the line fires on each."""
    found = []
    for at, before, after in its.transitions(now, now + YEAR_S):
        fires: list[Fire] = []
        last = at - NEAR_S
        while len(fires) < AT_ONCE and (fire := next_fire(cron, its, last)) is not None and fire.at < at + NEAR_S:
            last = fire.at
            if wall(fire.at, its)[:3] == wall(at, its)[:3]:
                fires.append(fire)
        shifted = [fire.shifted for fire in fires if fire.shifted]
        found.append(
            {
                "at": iso(float(at)),
                "day": moment(at, its),
                "from": offset_text(before),
                "to": offset_text(after),
                "forward": after > before,
                "fires": len(fires),
                "notes": list(dict.fromkeys(shifted)),
            }
        )
    return found


def lines(facts: Facts) -> list[str]:
    """For people."""
    text = facts["text"]
    shown = [f"{facts['expression']}: {text}", f"zone {facts['zone']}"]
    for each in facts["next"]:
        note = f"  {each['note']}" if each["note"] else ""
        shown.append(f"  {each['day']}  in {duration(each['in_s'])}{note}")
    if not facts["next"]:
        shown.append("  it never fires again")
    for change in facts["changes"]:
        if not change["fires"]:
            continue  # it is none of its days
        way = "forward" if change["forward"] else "back"
        times = "once" if change["fires"] == 1 else f"{change['fires']} times"
        notes = f" ({'; '.join(change['notes'])})" if change["notes"] else ""
        shown.append(f"clock goes {way} {change['day']} ({change['from']} to {change['to']}): fires {times}{notes}")
    return shown
