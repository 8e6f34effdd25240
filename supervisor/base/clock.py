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


def iso(wall: float) -> str:
    """`2026-11-21T05:20:01.123Z`: fixed width, so that lines sort as text."""
    whole = int(wall // 1)
    t = time.gmtime(whole)
    millis = int((wall - whole) * 1000)
    return f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}T{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}.{millis:03d}Z"


def stamp(wall: float) -> str:
    """`2026-11-21 05:20:01 UTC`, as the daily log has it."""
    t = time.gmtime(wall)
    return f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} UTC"
