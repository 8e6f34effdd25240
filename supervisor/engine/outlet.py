"""Where a service's output goes: through a pipe that is pumped, or straight to a file.

Plugin servers write to a pipe, so that rotation and the daily log work while they run. The daemons themselves
write straight to their `.out` file: it must take a traceback also when `start` is dead.
"""

from __future__ import annotations

import os

from supervisor.base.files import look_at, shift
from supervisor.engine.own_folder import make_own_folder
from supervisor.engine.pump import Pump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop
    from supervisor.model.service import Launch

    OnBytes = Callable[[str, int, int, int], None]
    OnTrouble = Callable[[str, str, int], None]


class PipeOutlet:
    """A pipe a generation; its read end pumped into the raw file by splice."""

    def __init__(self, loop: Loop, on_bytes: OnBytes, on_trouble: OnTrouble) -> None:
        self._loop = loop
        self._on_bytes = on_bytes
        self._on_trouble = on_trouble

    def open(self, name: str, launch: Launch) -> tuple[int, int, Pump | None]:
        make_own_folder(launch)
        read_fd, write_fd = os.pipe()
        return read_fd, write_fd, self.resume(name, launch, read_fd)

    def resume(self, name: str, launch: Launch, read_fd: int) -> Pump:
        """Go on with a pipe that somebody else has read so far."""
        return Pump(
            self._loop,
            read_fd,
            launch.log,
            limit=launch.log_max,
            keep=launch.log_keep,
            on_bytes=lambda fd, start, end: self._on_bytes(name, fd, start, end),
            on_trouble=lambda text, lost: self._on_trouble(name, text, lost),
        )


class FileOutlet:
    """The file itself, rotated between two lives."""

    def open(self, name: str, launch: Launch) -> tuple[int, int, Pump | None]:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            if look_at(launch.log)[0] > launch.log_max:
                shift(launch.log, launch.log_keep)
            return -1, os.open(launch.log, flags, 0o640), None
        except OSError:
            # Without a log it still runs: a full or read-only disk must not stop the scheduler.
            return -1, os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC), None

    def resume(self, name: str, launch: Launch, read_fd: int) -> Pump:
        raise AssertionError("a file outlet has no pipe to resume")
