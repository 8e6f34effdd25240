"""The start times of processes that were made just now, mostly without a look at procfs.

The kernel counts start times in hundredths of a second of its boot clock. If that was the same before the process was
made and after, there is only one answer, and the clock costs a hundredth of what procfs does. The first few are looked
up as well: a kernel that counts otherwise is believed, and always asked.
"""

from __future__ import annotations

import os
import time

from supervisor.base import proc

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
COMPARED = 3


def now() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class StartTimes:
    """Of the children of this process."""

    def __init__(self) -> None:
        self._to_compare = COMPARED
        self._differs = False

    def of(self, pid: int, before: int, after: int) -> int | None:
        """The moments are those before and after it was made. None: there is no such process."""
        tick = before // TICK_NS
        if self._differs or tick != after // TICK_NS:
            return proc.start_time(pid)
        if not self._to_compare:
            return tick
        self._to_compare -= 1
        found = proc.start_time(pid)
        self._differs = self._differs or (found is not None and found != tick)
        return found
