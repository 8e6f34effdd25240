"""One process, held by a pidfd: killed, or stopped for a while and never left so, whatever becomes of us."""

from __future__ import annotations

import os
import signal

from supervisor.base import proc
from supervisor.base.errors import FAILED, NO_PERMISSION, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Held:
    """That very process, and no other that may get its number."""

    def __init__(self, pid: int) -> None:
        started = proc.start_time(pid)
        pidfd = None if started is None else proc.open_pidfd(pid, started)
        if pidfd is None:
            raise Problem(f"pid {pid} has ended meanwhile", remedy="sbctl status", code=FAILED)
        self.pid = pid
        self.pidfd = pidfd

    def signal(self, number: int) -> None:
        try:
            signal.pidfd_send_signal(self.pidfd, number)
        except PermissionError:
            raise Problem(
                f"no permission to signal pid {self.pid}",
                why="it runs as another user",
                remedy="use sbctl as root",
                code=NO_PERMISSION,
            ) from None
        except ProcessLookupError:
            raise Problem(f"pid {self.pid} has ended meanwhile", remedy="sbctl status", code=FAILED) from None

    def close(self) -> None:
        os.close(self.pidfd)


class Frozen:
    """Stopped within the block. A child waits for our end, so that even SIGKILL of us leaves nobody stopped."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._guard = 0
        self._line = -1
        self._before: dict[int, object] = {}

    def __enter__(self) -> Frozen:
        for number in ENDING:
            self._before[number] = signal.signal(number, _leave)
        self._begin_guard()
        try:
            self._held.signal(signal.SIGSTOP)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        _go_on(self._held.pidfd)
        if self._line >= 0:
            os.close(self._line)
            os.waitpid(self._guard, 0)
            self._line = -1
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]

    def _begin_guard(self) -> None:
        theirs, self._line = os.pipe()
        self._guard = os.fork()
        if self._guard == 0:
            os.close(self._line)  # else it would wait for itself
            _watch(theirs, self._held.pidfd)
        os.close(theirs)


def _watch(line: int, pidfd: int) -> NoReturn:
    """Until whoever began us has gone; then the process goes on."""
    try:
        os.setsid()
        for number in (*ENDING, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        empty = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(empty, fd)  # nobody who reads our output waits for this child
        os.read(line, 1)
    finally:
        _go_on(pidfd)
        os._exit(0)


def _go_on(pidfd: int) -> None:
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGCONT)
    except OSError:
        return  # it has ended


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
