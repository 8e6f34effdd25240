"""Reads a compiled time zone (RFC 8536) and the rule at its end that holds for all years to come.

Python's `zoneinfo` reads the same files, but tells nobody when an offset changes, and costs the scheduler a megabyte.
"""

from __future__ import annotations

import re
from array import array
from struct import unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    Change = tuple[int, int, int]  # the moment, the offset before, the offset after

MAGIC = b"TZif"
DAY = 86_400
OFFSET = r"(<[^>]+>|[A-Za-z]+)([+-]?\d{1,3}(?::\d\d){0,2})"
RULE = re.compile(rf"{OFFSET}(?:(<[^>]+>|[A-Za-z]+)([+-]?\d{{1,3}}(?::\d\d){{0,2}})?,([^,]+),([^,]+))?$")
DAY_RULE = re.compile(r"(?:M(\d+)\.(\d)\.(\d)|(J?)(\d+))(?:/([+-]?\d{1,3}(?::\d\d){0,2}))?$")
BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


class Damaged(ValueError):
    """It is not what it should be."""


class Rule:
    """What a footer like `CET-1CEST,M3.5.0,M10.5.0/3` says."""

    __slots__ = ("ends", "standard", "starts", "summer")

    def __init__(self, text: str) -> None:
        found = RULE.match(text)
        if not found:
            raise Damaged(f"{text!r} is no rule of a time zone")
        _, standard, summer_name, summer, starts, ends = found.groups()
        self.standard = -_seconds(standard)  # POSIX counts westwards
        self.summer = self.standard
        self.starts = self.ends = ""
        if summer_name:
            self.summer = -_seconds(summer) if summer else self.standard + 3600
            self.starts, self.ends = starts, ends
            _moment_in(1970, starts), _moment_in(1970, ends)

    def changes(self, year: int) -> list[Change]:
        """Of one year, in order."""
        if not self.starts:
            return []
        spring = _moment_in(year, self.starts) - self.standard, self.standard, self.summer
        autumn = _moment_in(year, self.ends) - self.summer, self.summer, self.standard
        return [spring, autumn] if spring < autumn else [autumn, spring]


def read(data: bytes) -> tuple[array[int], array[int], Rule | None]:
    """The moments of all changes, the offsets (the first one holds before the first change), and what comes after."""
    try:
        return _read(data)
    except (IndexError, ValueError, UnicodeDecodeError) as error:
        raise Damaged(str(error)) from None
    except Exception as error:  # struct.error is no ValueError
        raise Damaged(f"it ends too soon ({error})") from None


def _read(data: bytes) -> tuple[array[int], array[int], Rule | None]:
    if data[:4] != MAGIC:
        raise Damaged("it is no compiled time zone")
    start, wide = 0, 4
    if data[4:5] >= b"2":  # the same again follows, with 64 bits a moment
        counts = unpack(">6l", data[20:44])
        start = 44 + _length(counts, 4)
        wide = 8
    gmt, std, leaps, times, types, letters = counts = unpack(">6l", data[start + 20 : start + 44])
    if min(gmt, std, leaps, times, letters) < 0 or types < 1:
        raise Damaged("its counts make no sense")
    at = start + 44
    moments = unpack(f">{times}{'q' if wide == 8 else 'l'}", data[at : at + times * wide])
    at += times * wide
    which = data[at : at + times]
    at += times
    offsets = [unpack(">l", data[at + 6 * n : at + 6 * n + 4])[0] for n in range(types)]
    if len(which) != times or any(one >= types for one in which):
        raise Damaged("it names a kind of time that it does not have")
    footer = data[start + 44 + _length(counts, wide) :].strip(b"\n").decode("ascii") if wide == 8 else ""
    return _merged(moments, [offsets[0], *(offsets[one] for one in which)], Rule(footer) if footer else None)


def _length(counts: tuple[int, ...], wide: int) -> int:
    gmt, std, leaps, times, types, letters = counts
    return times * wide + times + types * 6 + letters + leaps * (wide + 4) + std + gmt


def _merged(
    moments: tuple[int, ...], offsets: list[int], rule: Rule | None
) -> tuple[array[int], array[int], Rule | None]:
    """Without the changes of a name or of a flag, which no clock shows."""
    kept, values = array("q"), array("l", offsets[:1])
    for moment, offset in zip(moments, offsets[1:], strict=True):
        if offset != values[-1]:
            kept.append(moment)
            values.append(offset)
    return kept, values, rule


def _seconds(text: str) -> int:
    """Of `-3`, `5:45` or `2:30:00`."""
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = (*(int(part) for part in text.lstrip("+-").split(":")), 0, 0)[:3]
    return sign * (hours * 3600 + minutes * 60 + seconds)


def _moment_in(year: int, text: str) -> int:
    """When a rule like `M3.5.0/2` strikes, on the wall clock."""
    found = DAY_RULE.match(text)
    if not found:
        raise Damaged(f"{text!r} is no day of a rule")
    month, week, weekday, julian, number, time = found.groups()
    clock = _seconds(time) if time else 7200
    if month:
        return _nth_weekday(year, int(month), int(week), int(weekday)) * DAY + clock
    day = int(number)
    if julian:  # 1 to 365, the 29th of February never counted
        day += -1 if day < 60 or not _is_leap(year) else 0
    return (new_year(year) + day) * DAY + clock


def _nth_weekday(year: int, month: int, week: int, weekday: int) -> int:
    first = _first_of(year, month)
    day = first + (weekday - (first + 4)) % 7 + 7 * (week - 1)
    following = _first_of(year + month // 12, month % 12 + 1)
    return day if day < following else day - 7


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def new_year(year: int) -> int:
    """As a number of days since 1970."""
    before = year - 1
    return before * 365 + before // 4 - before // 100 + before // 400 - 719_162


def _first_of(year: int, month: int) -> int:
    return new_year(year) + BEFORE_MONTH[month - 1] + (1 if month > 2 and _is_leap(year) else 0)
