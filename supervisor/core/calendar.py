"""Days and wall clocks by whole numbers: which date is day 20000, and when does a wall clock show 02:30 there?

A *day* counts from 1970-01-01, a *wall* is what a wall clock shows, in seconds as if it were UTC. Monday is weekday 0.
"""

from __future__ import annotations

from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.zone import Zone

MINUTE, HOUR, DAY = 60, 3600, 86_400
WEEK = 7 * DAY

# No wall clock is, or ever was, further from UTC than this: Manila and Alaska once were more than 15 hours off.
FURTHEST = 16 * HOUR
# No repeated stretch of the wall clock was ever longer: a day, where the date line was moved.
LONGEST_FOLD = 25 * HOUR

LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
LAST_YEAR = 9999


def day_of(year: int, month: int, day: int) -> int:
    """The number of a date in the Gregorian calendar (Howard Hinnant's `days_from_civil`)."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def date_of(day: int) -> tuple[int, int, int]:
    """Year, month and day of the month."""
    era, of_era = divmod(day + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def weekday_of(day: int) -> int:
    return (day + 3) % 7


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def length_of(year: int, month: int) -> int:
    return 29 if month == 2 and is_leap(year) else LENGTHS[month]


@lru_cache(256)
def place_in_month(day: int) -> tuple[int, int, int, int, int]:
    """Year, month, day of the month, length of the month, and the weekday of its first, Sunday being 0 as in cron."""
    year, month, of_month = date_of(day)
    return year, month, of_month, length_of(year, month), (day - of_month + 5) % 7


def parse_date(text: str) -> int:
    """The day of `2026-12-24`."""
    parts = text.split("-")
    if len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts) and len(parts[0]) == 4:
        year, month, day = int(parts[0]), int(parts[1]), int(parts[2])
        if 1 <= month <= 12 and 1 <= day <= length_of(year, month):
            return day_of(year, month, day)
    raise ValueError(f"{text!r} is not a date like 2026-12-24")


def parse_wall(text: str) -> int:
    """The wall of `2026-12-24T18:00`, with or without seconds; a date alone is its midnight."""
    date, _, clock = text.replace(" ", "T", 1).partition("T")
    parts = clock.split(":") if clock else ["0", "0"]
    if len(parts) in (2, 3) and all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
        hour, minute, second = (*(int(part) for part in parts), 0)[:3]
        if (hour < 24 and minute < 60 and second < 60) or (hour == 24 and minute == second == 0):
            return parse_date(date) * DAY + hour * HOUR + minute * MINUTE + second
    raise ValueError(f"{text!r} is not a local time like 2026-12-24T18:00")


def date_text(day: int) -> str:
    year, month, of_month = date_of(day)
    return f"{year:04d}-{month:02d}-{of_month:02d}"


def clock_text(seconds: int) -> str:
    """`02:30` of so many seconds of a day, `02:30:15` where there are odd ones."""
    minutes, second = divmod(seconds, 60)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{text}:{second:02d}" if second else text


def first_showing(zone: Zone, wall: int) -> tuple[int, tuple[int, int, int] | None]:
    """When the wall clock shows this for the first time; if it never does, the change that leaps over it, and when."""
    start = wall - FURTHEST
    offset = zone.offset(start)
    for change in zone.transitions(start, wall + FURTHEST):
        moment, _, after = change
        if wall - offset < moment:
            break
        if wall < moment + after:
            return moment, change
        offset = after
    return wall - offset, None


def edge(zone: Zone, wall: int) -> int:
    """The moment of a wall time: the first pass of a repeated one, the end of the gap that holds a missing one."""
    return first_showing(zone, wall)[0]


def high_water(zone: Zone, utc: int) -> int:
    """The latest that the wall clock has shown up to this moment: more than it shows now, in a repeated hour."""
    highest = utc + zone.offset(utc)
    for moment, before, after in zone.transitions(utc - LONGEST_FOLD, utc):
        if before > after:
            highest = max(highest, moment - 1 + before)
    return highest


def end_of_date(zone: Zone, utc: int) -> int:
    """The first moment after this one at which the wall clock shows another date."""
    offset = zone.offset(utc)
    day = (utc + offset) // DAY
    end = (day + 1) * DAY - offset
    for moment, _, after in zone.transitions(utc, end + DAY):
        if moment >= end:
            break
        if (moment + after) // DAY != day:
            return moment
        end = (day + 1) * DAY - after
    return end


def before_date(zone: Zone, utc: int) -> int:
    """The last moment before this one at which the wall clock shows another date."""
    offset = zone.offset(utc)
    day = (utc + offset) // DAY
    start = day * DAY - offset
    for moment, before, _ in reversed(zone.transitions(start - DAY, utc)):
        if moment <= start:
            break
        if (moment - 1 + before) // DAY != day:
            return moment - 1
        start = day * DAY - before
    return start - 1
