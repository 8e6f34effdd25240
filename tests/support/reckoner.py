"""When a cron line fires, by trying every minute: slow and plain, so that it can be believed.

It shares no code with what it checks. Zones are those of Python's `zoneinfo`, and a line is matched date by date. It
knows the fields of five-field lines without letters: `*`, numbers, lists, ranges and steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


class Minute:
    """One minute of real time: what the clock shows, what it has leapt over just before, whether it shows it again."""

    __slots__ = ("again", "leapt", "utc", "wall")

    def __init__(self, utc: int, wall: datetime, leapt: tuple[datetime, ...], again: bool) -> None:
        self.utc = utc
        self.wall = wall
        self.leapt = leapt
        self.again = again


def minutes(name: str, start: datetime, end: datetime) -> list[Minute]:
    """Every minute of [start, end), both in UTC. `start` must be well after a change of the clock."""
    return list(_minutes(ZoneInfo(name), start, end))


def _minutes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Minute]:
    now = start.replace(tzinfo=UTC)
    highest = (now - MINUTE).astimezone(zone).replace(tzinfo=None)
    while now < end.replace(tzinfo=UTC):
        wall = now.astimezone(zone).replace(tzinfo=None)
        leapt = []
        expected = highest + MINUTE
        while expected < wall:
            leapt.append(expected)
            expected += MINUTE
        yield Minute(int(now.timestamp()), wall, tuple(leapt), wall <= highest)
        highest = max(highest, wall)
        now += MINUTE


class Line:
    """A five-field line."""

    def __init__(self, text: str) -> None:
        self.fields = text.split()
        self.values = [_values(field, *bounds) for field, bounds in zip(self.fields, RANGES, strict=True)]
        self.starred = [field.startswith("*") for field in self.fields]

    def matches(self, wall: datetime) -> bool:
        minute, hour, day, month, weekday = self.values
        if wall.minute not in minute or wall.hour not in hour or wall.month not in month:
            return False
        by_day = wall.day in day
        by_weekday = wall.isoweekday() in weekday or (wall.isoweekday() == 7 and 0 in weekday)
        return by_day and by_weekday if self.starred[2] or self.starred[4] else by_day or by_weekday

    def fires(self, timeline: list[Minute], dst: str) -> list[int]:
        fixed = not self.starred[0] and not self.starred[1]
        if dst == "literal" or (dst == "vixie" and not fixed):
            return [each.utc for each in timeline if self.matches(each.wall)]
        return [each.utc for each in timeline if self._fires_once(each, dst)]

    def _fires_once(self, each: Minute, dst: str) -> bool:
        if dst == "vixie" and any(self.matches(wall) for wall in each.leapt):
            return True
        return not each.again and self.matches(each.wall)


def _values(field: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for item in field.split(","):
        base, _, step = item.partition("/")
        first, dash, last = base.partition("-")
        if base == "*":
            span = range(low, high + 1)
        elif dash:
            span = range(int(first), int(last) + 1)
        else:
            span = range(int(first), (high if step else int(first)) + 1)
        found |= set(span[:: int(step or 1)])
    return found
