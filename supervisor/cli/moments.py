"""Points in time as people write them: `yesterday 13:00`, `07:12`, `-2h`, `2026-11-28T07:12`, `tomorrow 08:00`."""

from __future__ import annotations

import re
from calendar import timegm

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.times import parse_duration
from supervisor.cli.zones import DAY_S, DAYS, wall
from supervisor.core.calendar import edge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.zone import Zone

_NEAR = {"yesterday": -1, "today": 0, "tomorrow": 1}
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?")
FORMS = "write it like 07:12, yesterday 13:00, -2h, +30m, 2026-11-28 or 2026-11-28T07:12"


def parse_moment(text: str, now: float, its: Zone) -> float:
    """The moment that is meant by people who look back or ahead; a bare duration is so long ago."""
    word = text.strip()
    found = _relative(word, now)
    if found is None:
        found = _named_day(word.lower(), now, its)
    if found is None:
        found = _date(word, its)
    if found is None:
        raise Problem(f"{text[:80]!r} is no time", remedy=FORMS, code=USAGE)
    return found


def parse_until(text: str, now: float, its: Zone) -> float:
    """The same for what is to come: a bare duration is from now on, a time of day the next one, a weekday too."""
    word = text.strip()
    found = _relative(f"+{word}" if word[:1].isdigit() else word, now)
    if found is None:
        found = _named_day(word.lower(), now, its)
        if found is not None and found <= now and _CLOCK.fullmatch(word):
            found = _named_day(f"tomorrow {word}", now, its)
    if found is None:
        found = _date(word, its)
    if found is None:
        remedy = "write it like 14:00, tomorrow 08:00, mon 08:00, 2h or 2026-11-28T07:12"
        raise Problem(f"{text[:80]!r} is no time", remedy=remedy, code=USAGE)
    if found <= now:
        raise Problem(f"{text[:80]!r} is over", why="it must lie ahead", code=USAGE)
    return found


def _relative(word: str, now: float) -> float | None:
    """`-2h`, `+2h`, `2h` (ago), `now`."""
    if word.lower() == "now":
        return now
    sign = 1 if word.startswith("+") else -1
    try:
        return now + sign * parse_duration(word.lstrip("+-"))
    except Problem:
        return None


def _named_day(word: str, now: float, its: Zone) -> float | None:
    """`07:12` of today, `yesterday 13:00`, `mon 08:00` (the next one)."""
    name, _, rest = word.partition(" ")
    if _CLOCK.fullmatch(name) and not rest:
        name, rest = "today", name
    names = [day.lower() for day in DAYS]
    away = _NEAR.get(name)
    if away is None and name[:3] in names:
        today = wall(now, its).tm_wday
        away = (names.index(name[:3]) - today - 1) % 7 + 1
    seconds = _of_day(rest.strip()) if rest else 0
    if away is None or seconds is None:
        return None
    t = wall(now, its)
    return float(edge(its, timegm((t.tm_year, t.tm_mon, t.tm_mday, 0, 0, 0)) + away * DAY_S + seconds))


def _of_day(word: str) -> int | None:
    found = _CLOCK.fullmatch(word)
    if found is None:
        return None
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
    return hours * 3600 + minutes * 60 + seconds if hours < 24 and minutes < 60 and seconds < 60 else None


def _date(word: str, its: Zone) -> float | None:
    """An ISO date, with or without a time; without an offset it is the time of that zone."""
    from datetime import datetime

    try:
        found = datetime.fromisoformat(word)
        if found.tzinfo is not None:
            return found.timestamp()
        return edge(its, timegm(found.timetuple())) + found.microsecond / 1e6
    except (ValueError, OverflowError):
        return None
