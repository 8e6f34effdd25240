"""A cron line, read once into sets of bits: which wall times it means. How those become moments is `cron_search.py`.

Each field is one whole number whose bits are its values, so the next minute that matches is a shift and a look at the
lowest bit. Lines with equal text share one object: ten thousand schedules have but a few hundred different ones.
"""

from __future__ import annotations

from functools import lru_cache

from supervisor.core import cron_fields as fields
from supervisor.core.calendar import DAY, LENGTHS, day_of, place_in_month
from supervisor.core.cron_days import ALL_DAYS, ALL_WEEKDAYS, DaySet, bits, smallest_gap
from supervisor.core.cron_fields import FIRST_YEAR, CronError
from supervisor.core.cron_search import Fire, next_fire, prev_fire
from supervisor.core.cron_words import explain

__all__ = ["Cron", "CronError", "Fire", "explain", "next_fire", "parse", "prev_fire"]

ALIASES = {
    "@YEARLY": "0 0 1 1 *",
    "@ANNUALLY": "0 0 1 1 *",
    "@MONTHLY": "0 0 1 * *",
    "@WEEKLY": "0 0 * * 0",
    "@DAILY": "0 0 * * *",
    "@MIDNIGHT": "0 0 * * *",
    "@HOURLY": "0 * * * *",
}
AT_START = ("@REBOOT", "@STARTUP")
INSTEAD = 'a server that does it and ends runs with each start: "autoStart": true, "restart": "never"'
ZONE_PREFIXES = ("CRON_TZ=", "TZ=")
LONGEST = 1000  # letters
MONTHS_AHEAD = 4800  # the calendar repeats itself after 400 years; nothing that is ever is later

STAR = "*?"


class Cron:
    """Immutable. Walls are seconds of a wall clock, see `calendar.py`."""

    __slots__ = ("days", "expression", "hours", "is_fixed_time", "minutes", "months", "seconds", "years", "zone")

    def __init__(
        self,
        *,
        expression: str,
        zone: str,
        seconds: int,
        minutes: int,
        hours: int,
        days: DaySet,
        months: int,
        years: int,
        is_fixed_time: bool,
    ) -> None:
        self.expression = expression  # upper case, one blank between fields, H filled in, no zone
        self.zone = zone  # of CRON_TZ= or TZ=; "": none was named
        self.seconds = seconds
        self.minutes = minutes
        self.hours = hours
        self.days = days
        self.months = months
        self.years = years  # bit n: 1970 + n; 0: all of them
        self.is_fixed_time = is_fixed_time  # a time of day, and no rhythm: see the rule of DST

    def next_wall(self, wall: int) -> int | None:
        """The first wall time that matches, this one or later."""
        day, rest = divmod(wall, DAY)
        year, month, of_month, length, first = place_in_month(day)
        if self._has(year, month):
            mask = self.days.of_month(first, length) >> of_month
            if mask & 1:
                time = self._next_time(rest)
                if time >= 0:
                    return day * DAY + time
            mask >>= 1
            if mask:
                return (day + (mask & -mask).bit_length()) * DAY + self.first_time()
        return self._in_later_month(day + length - of_month + 1)

    def prev_wall(self, wall: int) -> int | None:
        """The last wall time that matches, this one or earlier."""
        day, rest = divmod(wall, DAY)
        year, month, of_month, length, first = place_in_month(day)
        if self._has(year, month):
            mask = self.days.of_month(first, length)
            if mask >> of_month & 1:
                time = self._prev_time(rest)
                if time >= 0:
                    return day * DAY + time
            mask &= (1 << of_month) - 1
            if mask:
                return (day - of_month + mask.bit_length() - 1) * DAY + self.last_time()
        return self._in_earlier_month(day - of_month)

    def _has(self, year: int, month: int) -> int:
        if self.years:
            return self.months >> month & 1 and year >= FIRST_YEAR and self.years >> (year - FIRST_YEAR) & 1
        return self.months >> month & 1

    def _in_later_month(self, day: int) -> int | None:
        """From the first of a month on."""
        for _ in range(MONTHS_AHEAD):
            year, month, _, length, first = place_in_month(day)
            if self.years and year - FIRST_YEAR >= self.years.bit_length():
                return None  # its last year is over: no need to look at four hundred more
            if self._has(year, month):
                mask = self.days.of_month(first, length)
                if mask:
                    return (day - 1 + (mask & -mask).bit_length() - 1) * DAY + self.first_time()
            day += length
        return None

    def _in_earlier_month(self, day: int) -> int | None:
        """From the last of a month back."""
        for _ in range(MONTHS_AHEAD):
            year, month, _, length, first = place_in_month(day)
            if self._has(year, month):
                mask = self.days.of_month(first, length)
                if mask:
                    return (day - length + mask.bit_length() - 1) * DAY + self.last_time()
            day -= length
        return None

    def _next_time(self, rest: int) -> int:
        """The first time of the day that matches from this one on, -1 if there is none."""
        minute, second = divmod(rest, 60)
        hour, minute = divmod(minute, 60)
        if self.hours >> hour & 1:
            if self.minutes >> minute & 1:
                mask = self.seconds >> second
                if mask:
                    return rest + (mask & -mask).bit_length() - 1
            mask = self.minutes >> (minute + 1)
            if mask:
                return (hour * 60 + minute + (mask & -mask).bit_length()) * 60 + _lowest(self.seconds)
        mask = self.hours >> (hour + 1)
        if mask:
            hour += (mask & -mask).bit_length()
            return (hour * 60 + _lowest(self.minutes)) * 60 + _lowest(self.seconds)
        return -1

    def _prev_time(self, rest: int) -> int:
        """The last time of the day that matches up to this one, -1 if there is none."""
        minute, second = divmod(rest, 60)
        hour, minute = divmod(minute, 60)
        if self.hours >> hour & 1:
            if self.minutes >> minute & 1:
                mask = self.seconds & ((2 << second) - 1)
                if mask:
                    return rest - second + mask.bit_length() - 1
            mask = self.minutes & ((1 << minute) - 1)
            if mask:
                return (hour * 60 + mask.bit_length() - 1) * 60 + self.seconds.bit_length() - 1
        mask = self.hours & ((1 << hour) - 1)
        if mask:
            hour = mask.bit_length() - 1
            return (hour * 60 + self.minutes.bit_length() - 1) * 60 + self.seconds.bit_length() - 1
        return -1

    def first_time(self) -> int:
        """Of a day, in seconds."""
        return (_lowest(self.hours) * 60 + _lowest(self.minutes)) * 60 + _lowest(self.seconds)

    def last_time(self) -> int:
        return ((self.hours.bit_length() - 1) * 60 + self.minutes.bit_length() - 1) * 60 + self.seconds.bit_length() - 1

    @property
    def period(self) -> float:
        """The typical time between two: the shortest one within the largest unit that has several."""
        for mask, unit in ((self.seconds, 1), (self.minutes, 60), (self.hours, 3600)):
            if mask.bit_count() > 1:
                return float(smallest_gap(mask) * unit)
        days = self.days.period()
        if days < 28 * DAY:
            return float(days)
        if self.months.bit_count() > 1:
            return float(smallest_gap(self.months) * 30 * DAY)
        return 365.0 * DAY

    def __repr__(self) -> str:
        return f"Cron({self.expression!r})"


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def parse(text: str, *, key: str = "", seconds: bool = False) -> Cron:
    """Read a line; `key` decides what H stands for. With `seconds` a sixth field comes first, and a year may end it."""
    words = text.split() if len(text) <= LONGEST else []
    zone = ""
    if words and words[0].upper().startswith(ZONE_PREFIXES):
        zone = words.pop(0).partition("=")[2]
        if not zone:
            raise CronError("time zone: no name after TZ=", "write CRON_TZ=Europe/Berlin before the fields")
    if not words:
        raise CronError("there is no cron line" if len(text) <= LONGEST else "the line is too long")
    line = " ".join(words).upper()
    if line[0] == "@":
        line = _alias(line)
    elif "H" in line:
        line = _filled(line, key, seconds)
    return _parsed(line, zone, seconds)


def _alias(line: str) -> str:
    expression = ALIASES.get(line)
    if expression is not None:
        return expression
    if line in AT_START:
        raise CronError(f"{line.lower()} is not a time", INSTEAD)
    if line.startswith("@EVERY"):
        raise CronError(f"{line.lower()} is not known", "an interval is a trigger of its own: intervalMinutes")
    raise CronError(f"{line.lower()} is not known", f"there are {', '.join(sorted(ALIASES)).lower()}")


def _fields_of(line: str, seconds: bool) -> list[tuple[fields.Field, str]]:
    """The fields in the order of the line; what is left out is not among them."""
    words = line.split(" ")
    order = [fields.MINUTE, fields.HOUR, fields.DAY, fields.MONTH, fields.WEEKDAY]
    if seconds and len(words) > 5:
        order = [fields.SECOND, *order, fields.YEAR][: len(words)]
    if len(words) != len(order):
        raise CronError(f"{line!r} has {len(words)} fields", _count_remedy(len(words), seconds))
    return list(zip(order, words, strict=True))


def _count_remedy(count: int, seconds: bool) -> str:
    if seconds:
        return "minute, hour, day of month, month, weekday; before them a second, and then after them a year"
    if count in (6, 7):
        return "five are read: minute, hour, day of month, month, weekday; a second before them needs `seconds: true`"
    return "five are needed: minute, hour, day of month, month, weekday"


def _filled(line: str, key: str, seconds: bool) -> str:
    found = _fields_of(line, seconds)
    return " ".join(fields.fill(field, text, key) if "H" in text else text for field, text in found)


@lru_cache(4096)
def _parsed(line: str, zone: str, seconds: bool) -> Cron:
    texts = dict(_fields_of(line, seconds))
    # Vixie's test is on the text: `0-59` is a list of times, `*` is not. Several seconds of a minute are a rhythm too.
    minute, hour, year = texts[fields.MINUTE], texts[fields.HOUR], texts.get(fields.YEAR, "*")
    seconds_mask = fields.plain(fields.SECOND, texts.get(fields.SECOND, "0"))
    cron = Cron(
        expression=line,
        zone=zone,
        seconds=seconds_mask,
        minutes=fields.plain(fields.MINUTE, minute),
        hours=fields.plain(fields.HOUR, hour),
        days=_day_set(texts[fields.DAY], texts[fields.WEEKDAY]),
        months=fields.plain(fields.MONTH, texts[fields.MONTH]),
        years=0 if year in ("*", "?") else fields.plain(fields.YEAR, year),
        is_fixed_time=minute[0] not in STAR and hour[0] not in STAR and seconds_mask.bit_count() == 1,
    )
    _refuse_never(cron)
    return cron


@lru_cache(512)
def _day_set(day: str, weekday: str) -> DaySet:
    days, last_days, workdays, last_workdays = (ALL_DAYS, 0, 0, 0) if day in ("*", "?") else fields.days(day)
    plain, nth, last = (ALL_WEEKDAYS, 0, 0) if weekday in ("*", "?") else fields.weekdays(weekday)
    if (workdays or last_workdays or last_days > 1) and weekday not in ("*", "?"):
        raise CronError(
            f"day of month: whether {day} and the weekday {weekday} both must match is not clear",
            "two triggers, if either is enough",
        )
    return DaySet(
        days=days,
        days_star=day[0] in STAR,
        last_days=last_days,
        workdays=workdays,
        last_workdays=last_workdays,
        weekdays=plain,
        weekdays_star=weekday[0] in STAR,
        nth_weekdays=nth,
        last_weekdays=last,
    )


def _refuse_never(cron: Cron) -> None:
    """A line that no date matches is a mistake: the 30th of February."""
    if cron.years:
        pairs = ((1970 + n, month) for n in bits(cron.years) for month in bits(cron.months))
        firsts = (place_in_month(day_of(year, month, 1)) for year, month in pairs)
        found = any(cron.days.of_month(first, length) for _, _, _, length, first in firsts)
    else:
        lengths = {LENGTHS[month] for month in bits(cron.months)} | ({29} if cron.months >> 2 & 1 else set())
        found = cron.days.ever(tuple(sorted(lengths, reverse=True)))
    if not found:
        raise CronError(f"{cron.expression!r} never fires: no date matches it")
