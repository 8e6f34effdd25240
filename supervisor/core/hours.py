"""When a schedule may run at all: active hours, and the days and times that a calendar takes away.

Windows are wall times. An edge that the clock leaps over is the end of that gap, an edge that comes twice is the first
of both: so a window is one stretch of real time, on any day.
"""

from __future__ import annotations

from supervisor.core.calendar import DAY, edge, parse_date, parse_wall, weekday_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from supervisor.core.zone import Zone

FURTHEST_DAYS = 400  # what does not open within so many days never does
# Windows that meet each other for longer than this go on for ever: a week is what they repeat.
UNBROKEN = 9 * DAY
WHOLE_WEEK = frozenset(range(7))


class Window:
    """[start, end) on some weekdays (Monday is 0); over midnight it belongs to the day that it starts on."""

    __slots__ = ("end", "start", "weekdays")

    def __init__(self, weekdays: Iterable[int] | None, start: int, end: int) -> None:
        self.weekdays = WHOLE_WEEK if weekdays is None else frozenset(weekdays)
        self.start = start
        self.end = end if end > start else end + DAY  # equal ones: a whole day

    @property
    def is_all(self) -> bool:
        return self.weekdays == WHOLE_WEEK and self.end - self.start >= DAY

    def on(self, day: int, zone: Zone) -> tuple[int, int] | None:
        """The stretch that starts on this day, in UTC."""
        if weekday_of(day) not in self.weekdays:
            return None
        return edge(zone, day * DAY + self.start), edge(zone, day * DAY + self.end)

    def end_at(self, utc: int, zone: Zone) -> int:
        """The end of the stretch that holds this moment; 0: none does."""
        today = (utc + zone.offset(utc)) // DAY
        best = 0
        # Yesterday's may go on past midnight; where the date line or midnight itself moves, so may its neighbours.
        for day in range(today - 2, today + 2):
            stretch = self.on(day, zone)
            if stretch and stretch[0] <= utc < stretch[1]:
                best = max(best, stretch[1])
        return best


class Hours:
    """The active hours of a schedule. No windows at all: always."""

    __slots__ = ("_always", "_windows", "_zone")

    def __init__(self, windows: Sequence[Sequence[Any]], zone: Zone) -> None:
        self._windows = tuple(Window(*each) for each in windows)
        self._always = not self._windows or any(window.is_all for window in self._windows)
        self._zone = zone

    def is_open(self, utc: int) -> bool:
        return self._always or any(window.end_at(utc, self._zone) for window in self._windows)

    def next_open(self, utc: int) -> int | None:
        """This moment if they are open, else the next one at which they open; None: not within 400 days."""
        if self.is_open(utc):
            return utc
        today = (utc + self._zone.offset(utc)) // DAY
        for day in range(today - 1, today + FURTHEST_DAYS):
            stretches = [window.on(day, self._zone) for window in self._windows]
            starts = [stretch[0] for stretch in stretches if stretch and utc < stretch[0] < stretch[1]]
            if starts:
                return min(starts)
        return None

    def closes_at(self, utc: int) -> int | None:
        """The first moment that is not within any more; this one if they are closed; None: never."""
        if self._always:
            return None
        at = utc
        while at - utc < UNBROKEN:
            end = max(window.end_at(at, self._zone) for window in self._windows)
            if not end:
                return at
            at = end
        return None


class Blackout:
    """Times at which nothing may start: dates, stretches from one local time to another, windows of the week."""

    __slots__ = ("_stretches", "_windows", "_zone")

    def __init__(self, rules: Iterable[dict[str, Any]], zone: Zone) -> None:
        self._zone = zone
        stretches: list[tuple[int, int]] = []
        windows: list[Window] = []
        for rule in rules:
            if "dates" in rule:
                stretches += [self._between(day * DAY, (day + 1) * DAY) for day in map(parse_date, rule["dates"])]
            elif "from" in rule:
                stretches.append(self._between(parse_wall(rule["from"]), parse_wall(rule["to"])))
            else:
                windows.append(Window(rule.get("weekdays"), rule["start"], rule["end"]))
        self._stretches = tuple(sorted(stretches))
        self._windows = tuple(windows)

    def _between(self, start: int, end: int) -> tuple[int, int]:
        return edge(self._zone, start), edge(self._zone, end)

    def holds(self, utc: int) -> int | None:
        """The first moment that is free again, if this one is not; what always holds is told a good year ahead."""
        at = utc
        while at - utc < FURTHEST_DAYS * DAY:
            end = self._end_at(at)
            if not end:
                break
            at = end
        return at if at > utc else None

    def _end_at(self, utc: int) -> int:
        ends = [end for start, end in self._stretches if start <= utc < end]
        return max([0, *ends, *(window.end_at(utc, self._zone) for window in self._windows)])
