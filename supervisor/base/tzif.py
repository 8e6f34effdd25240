"""Reads a compiled time zone (RFC 8536) and the rule at its end that holds for all years to come.

Python's `zoneinfo` reads the same files, but tells nobody when an offset changes, and costs the scheduler a megabyte.
No `re` either: for these two lines it would be another quarter.
"""

from __future__ import annotations

from array import array
from struct import unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    Change = tuple[int, int, int]  # the moment, the offset before, the offset after

MAGIC = b"TZif"
DAY = 86_400
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
AT_TWO = 7200  # the time of a day in a rule that names none
BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


class Damaged(ValueError):
    """It is not what it should be."""


class Rule:
    """What a footer like `CET-1CEST,M3.5.0,M10.5.0/3` says."""

    __slots__ = ("ends", "standard", "starts", "summer")

    def __init__(self, text: str) -> None:
        standard, rest = _offset(_after_name(text))
        self.standard = -_seconds(standard)  # POSIX counts westwards
        self.summer = self.standard
        self.starts = self.ends = ""
        if rest:
            summer, rest = _offset(_after_name(rest))
            self.summer = -_seconds(summer) if summer else self.standard + 3600
            nothing, self.starts, self.ends = _three(rest, ",")
            if nothing:
                raise Damaged(f"{text!r} is no rule of a time zone")
            _moment_in(1970, self.starts), _moment_in(1970, self.ends)

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


def _after_name(text: str) -> str:
    """Of `CET-1` or `<+03>-3`."""
    if text.startswith("<"):
        name, closed, rest = text[1:].partition(">")
    else:
        rest = text.lstrip(LETTERS)
        name = closed = text.removesuffix(rest)
    if not name or not closed:
        raise Damaged(f"{text!r} does not begin with the name of a time")
    return rest


def _offset(text: str) -> tuple[str, str]:
    """What it begins with of `-3`, `5:45` or `2:30:00`, and the rest."""
    sign = text[:1] if text[:1] in ("+", "-") else ""
    rest = text.removeprefix(sign).lstrip(f"{DIGITS}:")
    return text.removesuffix(rest), rest


def _seconds(text: str) -> int:
    """Of such a one."""
    sign = text[:1] if text[:1] in ("+", "-") else ""
    hours, *smaller = text.removeprefix(sign).split(":")
    if len(hours) > 3 or len(smaller) > 2 or any(len(part) != 2 for part in smaller):
        raise Damaged(f"{text!r} is no time")
    minutes, seconds = (*map(_number, smaller), 0, 0)[:2]
    return (-1 if sign == "-" else 1) * (_number(hours) * 3600 + minutes * 60 + seconds)


def _number(text: str) -> int:
    if not text or text.strip(DIGITS):
        raise Damaged(f"{text!r} is no number")
    return int(text)


def _three(text: str, mark: str) -> tuple[str, str, str]:
    parts = text.split(mark)
    if len(parts) != 3:
        raise Damaged(f"{text!r} does not have three parts")
    return parts[0], parts[1], parts[2]


def _moment_in(year: int, text: str) -> int:
    """When a rule like `M3.5.0/2` strikes, on the wall clock."""
    day, slash, time = text.partition("/")
    clock = _seconds(time) if slash else AT_TWO
    if day.startswith("M"):
        month, week, weekday = _three(day[1:], ".")
        if len(week) != 1 or len(weekday) != 1:
            raise Damaged(f"{text!r} is no day of a rule")
        return _nth_weekday(year, _number(month), _number(week), _number(weekday)) * DAY + clock
    number = _number(day.removeprefix("J"))
    if day.startswith("J"):  # 1 to 365, the 29th of February never counted
        number += -1 if number < 60 or not _is_leap(year) else 0
    return (new_year(year) + number) * DAY + clock


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
