"""Lines of which programs disagree what a change of the clock does to them: not guessed, `dst` has to say it.

Five fields are a line of Vixie's cron, whose rule is known. Seconds and years come from elsewhere. Where programs that
have those agree with Vixie's rule, or most of them do, it holds; two kinds are left (decision 16 has the counts):

- fixed times with a year;
- with seconds, a fixed minute in a range of hours (`0 30 1-10 * * *`): so many times of day, or an hourly rhythm?

A line is only refused where it makes a difference: in a zone whose clock is changed while the line has a time nearby.
"""

from __future__ import annotations

from supervisor.core.calendar import DAY, HOUR, date_text
from supervisor.core.cron_fields import CronError
from supervisor.core.cron_search import LITERAL, VIXIE, next_fire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.cron import Cron
    from supervisor.core.zone import Zone

NEAR_S = HOUR  # some programs leave out what is just beside a gap, too
AHEAD_S = 2 * 366 * DAY  # from the first time on; a zone that changes its clock does so each year
ALL_HOURS = (1 << 24) - 1

REMEDY = (
    'say which: "dst": "vixie" (once: in spring at the end of the gap, in autumn the first time) or "dst": "literal" '
    "(as the clock shows it: in spring not at all, in autumn twice)"
)


def refuse_disputed(cron: Cron, zone: Zone, now: int) -> None:
    """For a schedule that does not say `dst`."""
    what = _kind(cron)
    change = _next_change(cron, zone, now) if what else None
    if change is not None:
        raise CronError(
            f"{cron.expression!r}: programs disagree on what {what} does when the clock of {zone.name} is changed, "
            f"as on {date_text(change // DAY)}",
            REMEDY,
        )


def _kind(cron: Cron) -> str:
    """In words; "": nobody disagrees."""
    if not cron.is_fixed_time:
        return ""
    if cron.years:
        return "a line with a year"
    has_seconds = cron.expression.count(" ") > 4
    return "a range of hours in a line with seconds" if has_seconds and _is_range(cron.hours) else ""


def _is_range(hours: int) -> bool:
    """Several in a row, however written, perhaps over midnight: at most one of them does not follow on another."""
    before = (hours << 1 | hours >> 23) & ALL_HOURS
    return hours.bit_count() > 1 and (hours & ~before).bit_count() <= 1


def _next_change(cron: Cron, zone: Zone, now: int) -> int | None:
    """What the clock showed when it was changed, for the first change to come that the line has a time near to."""
    first = next_fire(cron, zone, now)
    if first is None:
        return None
    start = max(now, first.at - DAY) - NEAR_S
    for moment, before, after in zone.transitions(start, start + AHEAD_S):
        # A repeated hour begins before the change. In a gap only the one rule has times, in its second pass the other.
        begin, end = max(now, moment - max(NEAR_S, before - after) - 1), moment + NEAR_S
        fires = [next_fire(cron, zone, begin, dst=dst) for dst in (VIXIE, LITERAL)]
        if any(fire is not None and fire.at < end for fire in fires):
            return moment + before
        if fires[0] is None:
            break  # its years are over
    return None
