"""The one place that reads a clock. Delays run on the monotonic clock; wall time is for people."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Clock(Protocol):
        def now(self) -> float:
            """Seconds on the monotonic clock (the same for all processes of one boot)."""

        def wall(self) -> float:
            """Seconds since 1970, UTC."""

        def boot(self) -> float:
            """Like `now`, and it goes on while the machine sleeps."""


class SystemClock:
    """The real clocks."""

    __slots__ = ()

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def boot(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


# The last second that was written, in both forms: what happens in one burst has the same.
_written = (0, "1970-01-01T00:00:00", "1970-01-01 00:00:00 UTC")


def _in_words(second: int) -> tuple[int, str, str]:
    global _written
    known = _written
    if known[0] != second:
        t = time.gmtime(second)
        date = f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}"
        clock = f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"
        known = _written = (second, f"{date}T{clock}", f"{date} {clock} UTC")
    return known


def iso(wall: float) -> str:
    """`2026-11-21T05:20:01.123Z`: fixed width, so that lines sort as text."""
    whole = int(wall // 1)
    # A time that was told in whole ms is a little less than that as a float.
    return f"{_in_words(whole)[1]}.{min(int((wall - whole) * 1000 + 0.001), 999):03d}Z"


def stamp(wall: float) -> str:
    """`2026-11-21 05:20:01 UTC`, as the daily log has it."""
    return _in_words(int(wall // 1))[2]
