"""Times as people write them: `08:00`, `mon-fri`, `2026-12-24`, `2026-12-24T18:00`, `7` (an hour)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from supervisor.core.calendar import DAY, date_text, parse_date, parse_wall
from supervisor.settings.shape import NAME, as_list, wrong

MAX_HOURS = 24 * 366

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG = {f"{word}day": word[:3] for word in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_OFFSET = re.compile(r"[+-]\d\d:?\d\d$|[zZ]$")


def seconds_of_day(text: str) -> int:
    """Of a text that has been checked."""
    found = _CLOCK.fullmatch(text)
    assert found is not None
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0)


def hour_seconds(value: float | str) -> int:
    """Of an hour of the day: 7.5, or `07:30`."""
    return seconds_of_day(value) if isinstance(value, str) else round(value * 3600)


def weekday_numbers(words: list[str] | None) -> list[int] | None:
    """Monday is 0; None: every day."""
    if words is None:
        return None
    found: set[int] = set()
    for word in words:
        first, _, last = word.lower().partition("-")
        start, end = _weekday(first), _weekday(last or first)
        found.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return None if len(found) == len(WEEKDAYS) else sorted(found)


def _weekday(word: str) -> int:
    return WEEKDAYS.index(_LONG.get(word, word))


def has_offset(text: str) -> bool:
    """Does it say how far it is from UTC?"""
    return bool(_OFFSET.search(text)) and "T" in text.upper().replace(" ", "T", 1)


def utc_of(text: str) -> int:
    """Of a time with an offset or Z."""
    return int(datetime.fromisoformat(text.upper()).timestamp())


def is_date(text: str) -> bool:
    return len(text) == len("2026-12-24")


def next_day(date: str) -> str:
    """Midnight at the end of that date."""
    return f"{date_text(parse_date(date) + 1)}T00:00"


def end_wall(text: str) -> int:
    """Where a stretch ends: a date alone belongs to it as a whole."""
    return parse_wall(text) + (DAY if is_date(text) else 0)


# what is checked


def _check_time(value: Any) -> Any:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise wrong("must be a time of day as text", 'write it in quotes, like "08:00" or "08:00:30"')
    return value


def _check_hour(value: Any) -> Any:
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("must be an hour of the day", 'write a number from 0 to 24, like 7.5, or a text like "07:30"')
    if value < 0:
        raise wrong("must be at least 0", "write 0 or more")
    if value > 24:
        raise wrong("must be at most 24", "write 24 or less")
    return float(value)


def _check_weekday(value: Any) -> Any:
    if isinstance(value, str):
        first, mark, last = value.lower().partition("-")
        words = (first, last) if mark else (first,)
        if all(_LONG.get(word, word) in WEEKDAYS for word in words):
            return value
    raise wrong("not a weekday", 'write mon, tue, wed, thu, fri, sat or sun, or a range like "mon-fri"')


def _check_date(value: Any) -> Any:
    try:
        if isinstance(value, str):
            parse_date(value)
            return value
    except ValueError:
        pass
    raise wrong("not a date", 'write it as text, like "2026-12-24"')


def _check_moment(value: Any) -> Any:
    """A local time, or one that says how far it is from UTC."""
    try:
        if isinstance(value, str) and value.isascii():
            if has_offset(value):
                utc_of(value)
            else:
                parse_wall(value)
            return value
    except (ValueError, OverflowError):
        pass
    raise wrong("not a date and time", 'write it as text, like "2026-12-24T18:00", or "2026-12-24T18:00Z" for UTC')


def _check_once(value: Any) -> Any:
    if isinstance(value, str) and is_date(value):
        raise wrong("a date without a time", f'write "{value}T08:00"' if len(value) == 10 else "add the time")
    return _check_moment(value)


def _check_local(value: Any) -> Any:
    try:
        if isinstance(value, str):
            parse_wall(value)
            return value
    except ValueError:
        pass
    raise wrong("not a local date and time", 'write it as text, like "2026-12-24T18:00", or a date alone')


def _check_hours(value: Any) -> Any:
    if isinstance(value, str):
        if not value.startswith("env:") or not NAME.fullmatch(value[4:]):
            raise wrong("must be a number of hours or env:NAME", "write a number like 6, or env:SB_INTERVAL_HOURS")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("must be a number of hours or env:NAME", "write a number like 6, or env:SB_INTERVAL_HOURS")
    elif not 0 < value <= MAX_HOURS:
        raise wrong(f"must be greater than 0 and at most {MAX_HOURS} hours", "write a number like 6")
    return value


Hours = Annotated[float | str, BeforeValidator(_check_hours, json_schema_input_type=float | str)]
Time = Annotated[str, BeforeValidator(_check_time)]
Hour = Annotated[float | str, BeforeValidator(_check_hour, json_schema_input_type=float | str)]
Weekday = Annotated[str, BeforeValidator(_check_weekday)]
Date = Annotated[str, BeforeValidator(_check_date)]
Moment = Annotated[str, BeforeValidator(_check_moment)]
OnceMoment = Annotated[str, BeforeValidator(_check_once)]
LocalMoment = Annotated[str, BeforeValidator(_check_local)]

_OF_TEXTS = str | list[str]
Times = Annotated[
    list[Time], BeforeValidator(as_list, json_schema_input_type=_OF_TEXTS), Field(min_length=1, max_length=1440)
]
Weekdays = Annotated[
    list[Weekday], BeforeValidator(as_list, json_schema_input_type=_OF_TEXTS), Field(min_length=1, max_length=7)
]
Dates = Annotated[
    list[Date], BeforeValidator(as_list, json_schema_input_type=_OF_TEXTS), Field(min_length=1, max_length=5000)
]
Moments = Annotated[
    list[OnceMoment], BeforeValidator(as_list, json_schema_input_type=_OF_TEXTS), Field(min_length=1, max_length=1000)
]
