"""What follows from the answers of one probe, and when it is asked again.

One failure proves nothing, and neither does one success after a failure: it is the number in a row that counts.
"""

from __future__ import annotations

import binascii
import enum

from supervisor.core.record import Record

FIRST_S = 0.02  # after the start, for a probe that costs nothing: a quick server is ready quickly
MAX_DOUBLINGS = 30
# In an interval; those of one place are asked in one go, which costs far less than a wake-up each.
PLACES = 20
MAX_STEP_S = 1.0  # between two places: a longer interval has more of them
SHORTEST_S = 0.1  # what comes more often wakes us up anyhow


class Turn(enum.StrEnum):
    """What an answer has changed."""

    NONE = ""
    WELL = "well"  # so many successes in a row
    UNWELL = "unwell"  # so many failures in a row


class Health(Record):
    """How a probe has been answered lately; never changed in place."""

    __slots__ = ("failed", "passed", "well")

    def __init__(self, *, well: bool, passed: int = 0, failed: int = 0) -> None:
        self.well = well  # what it counts as until the answers say otherwise, often enough
        self.passed = passed  # in a row, up to now
        self.failed = failed


def after(health: Health, *, ok: bool, failures: int, successes: int) -> tuple[Health, Turn]:
    """The health with one more answer, and whether that one has turned it."""
    new = Health(
        well=health.well,
        passed=health.passed + 1 if ok else 0,
        failed=0 if ok else health.failed + 1,
    )
    if not new.well and new.passed >= successes:
        new.well = True
        return new, Turn.WELL
    if new.well and new.failed >= failures:
        new.well = False
        return new, Turn.UNWELL
    return new, Turn.NONE


def pause(tries: int, interval: float, first: float = FIRST_S) -> float:
    """Before the next try of one that is not ready yet: soon at first, then ever longer, up to the interval."""
    return min(first * 2.0 ** min(tries, MAX_DOUBLINGS), interval)


def offset(name: str, interval: float) -> float:
    """A place within the interval that is this name's own: a hundred services must not all be asked at once."""
    share: float = binascii.crc32(name.encode("utf-8", "surrogateescape")) / 2.0**32
    return share * interval


def in_step(due: float, interval: float) -> float:
    """The place of the clock that is nearest to `due`. All services of one interval share the places."""
    if interval < SHORTEST_S:
        return due
    step = interval / max(PLACES, -int(-interval // MAX_STEP_S))  # a whole number of them, so it keeps its length
    return round(due / step) * step


def in_a_row(text: str, count: int) -> str:
    return f"{text}, {count} times in a row" if count > 1 else text
