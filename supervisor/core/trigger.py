"""What makes the slots of a schedule: an interval, times of the day, a cron line, one moment; or another schedule.

All answer the same two questions, strictly later and strictly earlier, from whatever moment they are asked.
"""

from __future__ import annotations

from math import ceil, floor

from supervisor.core import cron as cron_line
from supervisor.core import cron_words as words
from supervisor.core.calendar import DAY, clock_text, weekday_of
from supervisor.core.cron_search import RULES, Fire, next_fire, prev_fire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.core.cron import Cron
    from supervisor.core.zone import Zone

WEEK_DAYS = 7


class TriggerError(ValueError):
    """A trigger that can't be; settings are checked before, so this is a mistake of ours, or of a compiled file."""


class Trigger:
    """The base: without slots of its own, like `after` and after-finish intervals, whose runs the planner makes."""

    __slots__ = ()

    def next(self, after: int) -> Fire | None:
        """The first slot strictly later; None: there is none."""
        return None

    def prev(self, before: int) -> Fire | None:
        """The last slot strictly earlier."""
        return None

    @property
    def period(self) -> float:
        """The typical time between two slots, in seconds; 0 where there is no such thing."""
        return 0.0

    def describe(self) -> str:
        return ""

    def clock_rule(self) -> str:
        """What a change of the clock does to its slots, in words; "": it does not notice."""
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.describe()!r})"


class Interval(Trigger):
    """Every so many seconds from an anchor on, which is the first slot: no run, however long, moves the next one."""

    __slots__ = ("_zone", "anchor", "seconds")

    def __init__(self, seconds: float, anchor: int, zone: Zone) -> None:
        if seconds < 1:
            raise TriggerError(f"an interval of {seconds} s: one second is the shortest")
        self.seconds = seconds
        self.anchor = anchor
        self._zone = zone

    def _slot(self, number: int) -> int:
        return floor(self.anchor + number * self.seconds + 0.5)

    def number_after(self, after: int) -> int:
        """Which slot is the first one strictly later; found by arithmetic, put right where floats are not exact."""
        number = max(0, ceil((after + 0.5 - self.anchor) / self.seconds))
        while number and self._slot(number - 1) > after:
            number -= 1
        while self._slot(number) <= after:
            number += 1
        return number

    def next(self, after: int) -> Fire | None:
        return self._fire(self.number_after(after))

    def prev(self, before: int) -> Fire | None:
        number = self.number_after(before - 1) - 1
        return self._fire(number) if number >= 0 else None

    def _fire(self, number: int) -> Fire:
        at = self._slot(number)
        return Fire(at, at + self._zone.offset(at), trigger=self)

    @property
    def period(self) -> float:
        return self.seconds

    def describe(self) -> str:
        return f"every {words.duration(self.seconds)}"


class AfterFinish(Trigger):
    """So many seconds after the end of the run before: the planner knows when that was."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @property
    def period(self) -> float:
        return self.seconds

    def describe(self) -> str:
        return f"{words.duration(self.seconds)} after the last run has ended"


class After(Trigger):
    """When another schedule's run has ended: the planner sees that."""

    __slots__ = ("delay", "schedule", "when")

    def __init__(self, schedule: str, when: str, delay: float) -> None:
        self.schedule = schedule
        self.when = when
        self.delay = delay

    def describe(self) -> str:
        later = f"{words.duration(self.delay)} after" if self.delay else "after"
        ends = {"succeeded": "has succeeded", "failed": "has failed"}.get(self.when, "is done")
        return f"{later} {self.schedule} {ends}"


class Once(Trigger):
    """One moment."""

    __slots__ = ("_zone", "at")

    def __init__(self, at: int, zone: Zone) -> None:
        self.at = at
        self._zone = zone

    def next(self, after: int) -> Fire | None:
        return self._fire() if self.at > after else None

    def prev(self, before: int) -> Fire | None:
        return self._fire() if self.at < before else None

    def _fire(self) -> Fire:
        return Fire(self.at, self.at + self._zone.offset(self.at), trigger=self)

    def describe(self) -> str:
        return f"once at {words.moment(self.at + self._zone.offset(self.at))}"


class OnWalls(Trigger):
    """Wall times of some kind, made moments by the rule of DST: the base of the two below."""

    __slots__ = ("dst", "zone")

    def __init__(self, zone: Zone, dst: str) -> None:
        self.zone = zone
        self.dst = dst

    def spec(self) -> Cron | TimesOfDay:
        raise TriggerError("no wall times")

    def next(self, after: int) -> Fire | None:
        return self._mine(next_fire(self.spec(), self.zone, after, dst=self.dst))

    def prev(self, before: int) -> Fire | None:
        return self._mine(prev_fire(self.spec(), self.zone, before, dst=self.dst))

    def clock_rule(self) -> str:
        return words.clock_rule(self.spec().is_fixed_time, self.dst)

    def _mine(self, fire: Fire | None) -> Fire | None:
        if fire:
            fire.trigger = self
        return fire


class OnCron(OnWalls):
    __slots__ = ("cron",)

    def __init__(self, cron: Cron, zone: Zone, dst: str) -> None:
        super().__init__(zone, dst)
        self.cron = cron

    def spec(self) -> Cron:
        return self.cron

    @property
    def period(self) -> float:
        return self.cron.period

    def describe(self) -> str:
        return words.explain(self.cron)


class OnTimes(OnWalls):
    __slots__ = ("times",)

    def __init__(self, times: TimesOfDay, zone: Zone, dst: str) -> None:
        super().__init__(zone, dst)
        self.times = times

    def spec(self) -> TimesOfDay:
        return self.times

    @property
    def period(self) -> float:
        return self.times.period

    def describe(self) -> str:
        times = words.listed([clock_text(each) for each in self.times.times])
        if len(self.times.weekdays) == WEEK_DAYS:
            return f"daily at {times}"
        return f"at {times} on {words.weekdays_named(self.times.weekdays)}"


class TimesOfDay:
    """Times of the day, on all or on some weekdays: the wall times of `at`."""

    __slots__ = ("times", "weekdays")

    is_fixed_time = True

    def __init__(self, times: list[int], weekdays: list[int] | None) -> None:
        self.times = tuple(sorted(set(times)))  # seconds of the day
        self.weekdays = tuple(sorted(set(range(WEEK_DAYS) if weekdays is None else weekdays)))  # Monday is 0
        if not self.times or not 0 <= self.times[0] <= self.times[-1] < DAY:
            raise TriggerError(f"no times of a day: {times}")
        if not self.weekdays or not 0 <= self.weekdays[0] <= self.weekdays[-1] < WEEK_DAYS:
            raise TriggerError(f"no weekdays: {weekdays}")

    def next_wall(self, wall: int) -> int | None:
        day, rest = divmod(wall, DAY)
        for each in self.times if weekday_of(day) in self.weekdays else ():
            if each >= rest:
                return day * DAY + each
        day = next(day + n for n in range(1, 8) if weekday_of(day + n) in self.weekdays)
        return day * DAY + self.times[0]

    def prev_wall(self, wall: int) -> int | None:
        day, rest = divmod(wall, DAY)
        for each in reversed(self.times) if weekday_of(day) in self.weekdays else ():
            if each <= rest:
                return day * DAY + each
        day = next(day - n for n in range(1, 8) if weekday_of(day - n) in self.weekdays)
        return day * DAY + self.times[-1]

    @property
    def period(self) -> float:
        for values, round_, unit in ((self.times, DAY, 1), (self.weekdays, WEEK_DAYS, DAY)):
            if len(values) > 1:
                following = (*values[1:], values[0] + round_)
                return float(min(b - a for a, b in zip(values, following, strict=True)) * unit)
        return float(WEEK_DAYS * DAY)


def build(
    data: dict[str, Any], *, zone: Zone, zones: Callable[[str], Zone], key: str, anchor: int, dst: str = "vixie"
) -> Trigger:
    """From a row of the compiled settings. A zone or a rule of DST of its own beats the one that is handed in."""
    kind = data["kind"]
    if data.get("zone"):
        zone = zones(data["zone"])
    dst = data.get("dst") or dst
    if dst not in RULES:
        raise TriggerError(f"{dst!r} is no rule of DST: {', '.join(RULES)}")
    if kind == "interval":
        seconds = float(data["seconds"])
        return AfterFinish(seconds) if data.get("after_finish") else Interval(seconds, anchor, zone)
    if kind == "at":
        return OnTimes(TimesOfDay(data["times"], data.get("weekdays")), zone, dst)
    if kind == "cron":
        cron = cron_line.parse(data["expr"], key=key, seconds=bool(data.get("seconds")))
        return OnCron(cron, zones(cron.zone) if cron.zone else zone, dst)
    if kind == "once":
        return Once(int(data["at"]), zone)
    if kind == "after":
        return After(data["schedule"], data.get("when", "succeeded"), float(data.get("delay", 0)))
    raise TriggerError(f"there is no trigger {kind!r}")
