"""Where a service's output goes: through pipes that are pumped, straight to a file, or nowhere.

Plugin servers write to a pipe, so that rotation and the daily log work while they run; to two, if stderr is kept
apart. The daemons themselves write straight to their `.out` file: it must take a traceback also when `start` is dead.
"""

from __future__ import annotations

import errno
import os
import stat

from supervisor.base.files import look_at
from supervisor.base.rotation import shift
from supervisor.engine.entries import Ends
from supervisor.engine.own_folder import make_own_folder
from supervisor.engine.pump import Pump
from supervisor.model.launch import NONE, SYSLOG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop
    from supervisor.engine.notify import Listener
    from supervisor.engine.source import Source
    from supervisor.events.syslog import Syslog
    from supervisor.model.launch import Launch

    OnBytes = Callable[[str, str, int, int, int], None]  # service, stream, file, from and to which byte of it
    OnTrouble = Callable[[str, str, int], None]  # service, what is wrong ("": no more), bytes lost
    OnRotated = Callable[[str, str], None]  # service, what was in the way ("": nothing)
    OnLoud = Callable[[str, str, Source], None]  # service, stream, which is to be settled

OUT = "out"
ERR = "err"


class Pumps:
    """What reads one service's output: a pump, two if its stderr is kept apart, none if nothing is to be read."""

    __slots__ = ("ear", "err", "out")

    def __init__(self, out: Pump | None = None, err: Pump | None = None) -> None:
        self.out = out
        self.err = err
        self.ear: Listener | None = None  # and who hears what it says of itself

    def each(self) -> list[Pump]:
        return [pump for pump in (self.out, self.err) if pump is not None]

    def drain(self) -> None:
        """Everything that was in the pipes when their writer ended."""
        for pump in self.each():
            pump.drain()
        if self.ear is not None:
            self.ear.drain()

    def close(self) -> None:
        for pump in self.each():
            pump.close()
        if self.ear is not None:
            self.ear.close()
        self.out = self.err = self.ear = None

    def set_limits(self, launch: Launch) -> None:
        """Other settings, from the next bytes on."""
        for pump in self.each():
            pump.set_limits(launch.log_max, launch.log_keep, launch.log_age, launch.log_budget)

    def rotate_if_old(self) -> None:
        """What is quiet is not rotated by its next output."""
        for pump in self.each():
            pump.rotate_if_old()

    def sizes(self) -> tuple[int, ...]:
        """Of the files being written, for stdout first."""
        return tuple(pump.size for pump in self.each())


class PipeOutlet:
    """A pipe a generation and stream; its read end pumped into the raw file by splice."""

    def __init__(
        self,
        loop: Loop,
        on_bytes: OnBytes | None = None,
        on_trouble: OnTrouble | None = None,
        on_rotated: OnRotated | None = None,
        copy: Syslog | None = None,
        on_loud: OnLoud | None = None,
    ) -> None:
        self._loop = loop
        self._on_bytes = on_bytes
        self._on_trouble = on_trouble
        self._on_rotated = on_rotated
        self._copy = copy
        self._on_loud = on_loud
        self.lost = 0  # bytes of output that no disk took, of all that were pumped here

    def open(self, name: str, launch: Launch) -> tuple[Ends, Pumps]:
        make_own_folder(launch)
        ends = Ends()
        if launch.sink == NONE:
            ends.out_write = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
            return ends, Pumps()
        try:
            ends.out_read, ends.out_write = os.pipe()
            if launch.err_log:
                ends.err_read, ends.err_write = os.pipe()
        except OSError:
            ends.close()
            raise
        return ends, self.resume(name, launch, ends.out_read, ends.err_read)

    def resume(
        self, name: str, launch: Launch, out_fd: int, err_fd: int = -1, seconds: tuple[int, int] = (-1, -1)
    ) -> Pumps:
        """Go on with pipes that somebody else has read so far, and their second ones; -1: there is none."""
        err_log = launch.err_log or launch.log
        out = self._pump(name, launch, OUT, out_fd, launch.log, seconds[0]) if out_fd >= 0 else None
        err = self._pump(name, launch, ERR, err_fd, err_log, seconds[1]) if err_fd >= 0 else None
        return Pumps(out, err)

    def _pump(self, name: str, launch: Launch, stream: str, fd: int, path: str, second: int) -> Pump:
        on_trouble, on_rotated, on_loud = self._on_trouble, self._on_rotated, self._on_loud
        return Pump(
            self._loop,
            fd,
            path,
            limit=launch.log_max,
            keep=launch.log_keep,
            age=launch.log_age,
            budget=launch.log_budget,
            family=(launch.log, launch.err_log) if launch.err_log else (launch.log,),
            head=launch.log_head,
            on_bytes=self._reader(name, launch, stream),
            on_trouble=on_trouble and (lambda text, lost: on_trouble(name, text, lost)),
            on_lost=self._count,
            on_rotated=on_rotated and (lambda text: on_rotated(name, text)),
            on_loud=on_loud and (lambda source: on_loud(name, stream, source)),
            second=second,
        )

    def _count(self, lost: int) -> None:
        self.lost += lost

    def _reader(self, name: str, launch: Launch, stream: str) -> Callable[[int, int, int], None] | None:
        """Who reads back what was added to the raw file: the daily log, and syslog where that is wanted."""
        on_bytes = self._on_bytes
        copy = self._copy.copy(name, stream) if self._copy is not None and launch.sink == SYSLOG else None
        if on_bytes is None or copy is None:
            return copy or (on_bytes and (lambda file, start, end: on_bytes(name, stream, file, start, end)))

        def read(file: int, start: int, end: int) -> None:
            on_bytes(name, stream, file, start, end)
            copy(file, start, end)

        return read


class FileOutlet:
    """The file itself, rotated between two lives."""

    def open(self, name: str, launch: Launch) -> tuple[Ends, Pumps]:
        return Ends(out_write=open_log(launch)), Pumps()

    def resume(
        self, name: str, launch: Launch, out_fd: int, err_fd: int = -1, seconds: tuple[int, int] = (-1, -1)
    ) -> Pumps:
        raise AssertionError("a file outlet has no pipe to resume")


def open_log(launch: Launch) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        if look_at(launch.log)[0] > launch.log_max:
            shift(launch.log, launch.log_keep)
        fd = os.open(launch.log, flags, 0o640)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            os.set_blocking(fd, True)
            return fd
        os.close(fd)  # a pipe, say: whoever writes there waits for who reads
        raise OSError(errno.EINVAL, "not a file", launch.log)
    except OSError:
        # Without a log it still runs: a full or read-only disk must not stop the scheduler.
        return os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
