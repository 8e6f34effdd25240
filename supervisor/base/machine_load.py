"""How busy this machine is: memory in use, and its processors since the last look. Two small reads of procfs."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.clock import Clock

SHORTEST_S = 0.5  # a span over which the kernel's ticks say something
LONGEST_S = 120.0  # ... and over which they say something about now
_FLAGS = os.O_RDONLY | os.O_CLOEXEC


class MachineLoad:
    """Each who asks at times of its own has one of its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = 0.0
        self._ticks = (0, 0)  # busy, all
        self._percent = 0.0

    def look(self) -> tuple[float, float]:
        """MB of memory in use, percent of all processors in use."""
        used, _ = memory()
        return used, self.cpu_percent()

    def cpu_percent(self) -> float:
        """Since the last look; at the first one, and after a long time, since the machine was started."""
        now = self._clock.now()
        if self._at and now - self._at < SHORTEST_S:
            return self._percent
        ticks = _ticks()
        before = self._ticks if self._at and now - self._at < LONGEST_S else (0, 0)
        span = ticks[1] - before[1]
        if span > 0:
            self._percent = 100.0 * (ticks[0] - before[0]) / span
        self._at, self._ticks = now, ticks
        return self._percent


def memory() -> tuple[float, float]:
    """MB in use, and what percentage of all that is."""
    found: dict[bytes, int] = {}
    for line in _read("/proc/meminfo").split(b"\n"):
        name, _, rest = line.partition(b":")
        if name in (b"MemTotal", b"MemAvailable"):
            found[name] = int(rest.split()[0])
    total = found.get(b"MemTotal", 0)
    used = total - found.get(b"MemAvailable", 0)
    return used * 1024 / 1e6, 100.0 * used / total if total else 0.0


def _ticks() -> tuple[int, int]:
    fields = [int(field) for field in _read("/proc/stat").split(b"\n", 1)[0].split()[1:9]]
    idle = sum(fields[3:5])
    return sum(fields) - idle, sum(fields)


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        return b""
    try:
        return os.read(fd, 4096)
    except OSError:
        return b""
    finally:
        os.close(fd)
