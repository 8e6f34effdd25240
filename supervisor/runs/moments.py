"""Times in texts of our own, read without the help of a library: the daemon has no use for more."""

from __future__ import annotations

from supervisor.core.calendar import day_of


def from_iso(text: str) -> float | None:
    """`2026-11-21T05:20:01.123Z`, as `base/clock.py` writes it; None: it is not that."""
    try:
        date, _, time = text.removesuffix("Z").partition("T")
        year, month, day = (int(part) for part in date.split("-"))
        hour, minute, second = time.split(":")
        return day_of(year, month, day) * 86400.0 + int(hour) * 3600 + int(minute) * 60 + float(second)
    except ValueError:
        return None
