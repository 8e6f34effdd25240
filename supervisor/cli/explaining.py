"""`sbctl explain`: what a cron line means, when it fires next, and what changes of the clock do to it."""

from __future__ import annotations

from supervisor.base.clock import iso
from supervisor.base.errors import USAGE, Problem
from supervisor.cli.table import duration
from supervisor.cli.zones import local_iso, moment, offset_text, wall, zone_named
from supervisor.core.cron import CronError, parse
from supervisor.core.cron_disputed import refuse_disputed
from supervisor.core.cron_search import VIXIE, next_fire
from supervisor.core.cron_words import clock_rule, explain

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


def explained(
    text: str, *, zone_name: str, count: int, seconds: bool, key: str, now: float, dst: str | None = None
) -> Facts:
    """All that `sbctl explain --json` shows. Where no rule of DST is given, that of a schedule without one."""
    cron = parsed(text, seconds=seconds, key=key)
    its = zone_named(cron.zone or zone_name)
    refused = _refused(cron, its, int(now)) if dst is None else ""
    dst = dst or VIXIE
    fires: list[Fire] = []
    at = int(now)
    while len(fires) < count and (fire := next_fire(cron, its, at, dst=dst)) is not None:
        fires.append(fire)
        at = fire.at
    return {
        "expression": cron.expression,
        "text": explain(cron),
        "zone": its.name,
        "now": iso(now),
        "next": [_shown(fire, its, now) for fire in fires],
        "dst": dst,
        "clock_rule": clock_rule(cron.is_fixed_time, dst),
        "refused": refused,
        "changes": changes(cron, its, int(now), dst),
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
        "day": moment(fire.at, its, now),
        "note": fire.shifted,
    }


def _refused(cron: Cron, its: Zone, now: int) -> str:
    """Why a schedule with this line has to say `dst`; "": it need not."""
    try:
        refuse_disputed(cron, its, now)
    except CronError as error:
        return f"{error}; {error.remedy}"
    return ""


def changes(cron: Cron, its: Zone, now: int, dst: str) -> list[Facts]:
    """The days of the coming year on which the clock is changed, and how often the line fires on each."""
    found = []
    for at, before, after in its.transitions(now, now + YEAR_S):
        fires: list[Fire] = []
        last = at - NEAR_S
        while (
            len(fires) < AT_ONCE and (fire := next_fire(cron, its, last, dst=dst)) is not None and fire.at < at + NEAR_S
        ):
            last = fire.at
            if wall(fire.at, its)[:3] == wall(at, its)[:3]:
                fires.append(fire)
        shifted = [fire.shifted for fire in fires if fire.shifted]
        found.append(
            {
                "at": iso(float(at)),
                "day": moment(at, its, now),
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
    if facts["changes"]:
        shown.append(f"dst is {facts['clock_rule']}")
    if facts["refused"]:
        shown.append(f"a schedule has to say dst for it: {facts['refused']}")
    for change in facts["changes"]:
        if not change["fires"]:
            continue  # it is none of its days
        way = "forward" if change["forward"] else "back"
        times = "once" if change["fires"] == 1 else f"{change['fires']} times"
        notes = f" ({'; '.join(change['notes'])})" if change["notes"] else ""
        shown.append(f"clock goes {way} {change['day']} ({change['from']} to {change['to']}): fires {times}{notes}")
    return shown
