"""The days of a month that a cron line means, as a set of bits, from its day-of-month and weekday fields together.

A set is shared by all lines with the same two fields, and what it has worked out for one shape of month (a weekday to
begin with, a length: 28 of them) serves for ever.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from supervisor.core.calendar import DAY

ALL_DAYS = (1 << 32) - 2  # bits 1 to 31
ALL_WEEKDAYS = 0b1111111  # bit 0 is Sunday
WEEKS = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28
SHORTEST = 28


class DaySet:
    """Immutable, but for what it remembers."""

    __slots__ = (
        "_masks", "_period", "both", "days", "days_star", "last_days", "last_weekdays", "last_workdays", "nth_weekdays",
        "weekdays", "weekdays_star", "workdays",
    )  # fmt: skip

    def __init__(
        self,
        *,
        days: int,
        days_star: bool,
        last_days: int,
        workdays: int,
        last_workdays: int,
        weekdays: int,
        weekdays_star: bool,
        nth_weekdays: int,
        last_weekdays: int,
    ) -> None:
        self.days = days
        self.days_star = days_star  # the field begins with * (or is ?)
        self.last_days = last_days  # bit n: n days before the last
        self.workdays = workdays  # bit n: the weekday (Monday to Friday) that is nearest to the nth
        self.last_workdays = last_workdays  # bit n: that nearest to n days before the last
        self.weekdays = weekdays
        self.weekdays_star = weekdays_star
        self.nth_weekdays = nth_weekdays  # bit 7 * (k - 1) + weekday
        self.last_weekdays = last_weekdays
        # The rule of Vixie's cron as Debian has it: either field may match, unless one begins with *: then both must.
        self.both = days_star or weekdays_star
        self._masks: list[int] = [-1] * 28
        self._period = 0

    def of_month(self, first: int, length: int) -> int:
        """Bit n set: the nth is meant, in a month that begins on the weekday `first` (Sunday is 0)."""
        index = first * 4 + length - SHORTEST
        mask = self._masks[index]
        if mask < 0:
            mask = self._masks[index] = self._work_out(first, length)
        return mask

    def _work_out(self, first: int, length: int) -> int:
        by_day = self._by_day(first, length)
        by_weekday = self._by_weekday(first, length)
        mask = by_day & by_weekday if self.both else by_day | by_weekday
        return mask & ((1 << (length + 1)) - 2)

    def _by_day(self, first: int, length: int) -> int:
        mask = self.days
        for before in bits(self.last_days):
            mask |= _bit_of(length - before)
        for day in bits(self.workdays):
            mask |= _bit_of(_nearest_workday(day, first, length))
        for before in bits(self.last_workdays):
            mask |= _bit_of(_nearest_workday(length - before, first, length))
        return mask

    def _by_weekday(self, first: int, length: int) -> int:
        turned = (self.weekdays >> first | self.weekdays << (7 - first)) & ALL_WEEKDAYS
        mask = turned * WEEKS << 1
        for bit in bits(self.nth_weekdays):
            week, weekday = divmod(bit, 7)
            day = 1 + (weekday - first) % 7 + 7 * week
            mask |= _bit_of(day) if day <= length else 0
        for weekday in bits(self.last_weekdays):
            mask |= _bit_of(length - (first + length - 1 - weekday) % 7)
        return mask

    def ever(self, lengths: tuple[int, ...]) -> bool:
        """Is there a day of it in months of these lengths? Sooner or later each begins on every weekday."""
        return any(self.of_month(first, length) for length in lengths for first in range(7))

    def period(self) -> int:
        """The shortest time between two of them, in seconds."""
        if not self._period:
            masks = [self.of_month(first, 30) for first in range(7)]
            gaps = [smallest_gap(mask) for mask in masks if mask.bit_count() > 1]
            self._period = (min(gaps) if gaps else 30) * DAY
        return self._period


def bits(mask: int) -> list[int]:
    """Which bits are set, from the lowest."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


@lru_cache(256)
def smallest_gap(mask: int) -> int:
    """The shortest distance between two bits; there are two at least."""
    found = bits(mask)
    return min(later - earlier for earlier, later in pairwise(found))


def _bit_of(day: int) -> int:
    return 1 << day if day >= 1 else 0


def _nearest_workday(day: int, first: int, length: int) -> int:
    """In the same month: Saturday the first gives the third, Sunday the last the Friday before. 0: no such day."""
    if not 1 <= day <= length:
        return 0
    weekday = (first + day - 1) % 7
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < length else day - 2
    return day
