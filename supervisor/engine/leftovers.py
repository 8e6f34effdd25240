"""What a killed `start` left behind: ended, when it is proven to be ours, before anything new is started.

Proof is a record of this boot whose pid has the recorded start time, or a process of our own user that carries
this home's marker in the environment it was started with. A pid alone, a name or a PID file prove nothing.
"""

from __future__ import annotations

import os
import signal

from supervisor.base import proc
from supervisor.base.loop import READ
from supervisor.engine.entries import service_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop, Timer
    from supervisor.engine.records import Record
    from supervisor.model.service import StopRule

KILL_AGAIN_S = 0.5


class Left:
    """One process of an earlier life."""

    __slots__ = ("key", "pid", "pidfd", "started", "stop")

    def __init__(self, key: str, pid: int, started: int, pidfd: int, stop: StopRule) -> None:
        self.key = key
        self.pid = pid
        self.started = started
        self.pidfd = pidfd
        self.stop = stop


def find_left(records: list[Record], home_id: str, default: StopRule) -> list[Left]:
    """Everything proven and alive. Each is held by a pidfd, so it can't turn into another process."""
    found: dict[int, Left] = {}
    stops = {record.key: record.stop for record in records}  # which holds for all of a service, escaped ones too
    for record in records:
        if record.pid == os.getpid():  # a scheduler that a killed `start` has made
            continue
        left = _take(record.key, record.pid, record.started, record.stop)
        if left is not None:
            if record.inode and proc.pidfd_inode(left.pidfd) != record.inode and _inodes_tell():
                os.close(left.pidfd)
                continue
            found[record.pid] = left
    for pid, key in find_marked(home_id):
        started = proc.start_time(pid)
        if pid not in found and started is not None:
            left = _take(key, pid, started, stops.get(key, default))
            if left is not None:
                found[pid] = left
    return list(found.values())


def find_marked(home_id: str, *, skip: frozenset[str] = frozenset()) -> list[tuple[int, str]]:
    """(pid, key) of each live process of our user with this home's marker; service names in `skip` left out."""
    mark = os.fsencode(home_id)
    spared = _own_line()
    found: list[tuple[int, str]] = []
    for pid in proc.all_pids():
        if pid in spared or not _is_own(pid):
            continue
        env = proc.environment_of(pid)
        if env.get(b"SB_HOME_ID") != mark or b"SB_KEY" not in env or not proc.is_alive(pid):
            continue
        key = os.fsdecode(env[b"SB_KEY"])
        if service_of(key) not in skip:
            found.append((pid, key))
    return found


def _take(key: str, pid: int, started: int, stop: StopRule) -> Left | None:
    pidfd = proc.open_pidfd(pid, started)
    if pidfd is None:
        return None
    if not proc.is_alive(pid, started):
        os.close(pidfd)
        return None
    return Left(key, pid, started, pidfd, stop)


def _own_line() -> set[int]:
    """We and our ancestors: a service may have called the `sbctl start` that made us."""
    line: set[int] = set()
    pid: int | None = os.getpid()
    while pid and pid > 1 and pid not in line:
        line.add(pid)
        pid = proc.parent_of(pid)
    return line


def _is_own(pid: int) -> bool:
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.geteuid() or os.geteuid() == 0
    except OSError:
        return False


def _inodes_tell() -> bool:
    """Only newer kernels give each process's pidfd an inode of its own; elsewhere it proves nothing."""
    own, other = os.pidfd_open(os.getpid()), os.pidfd_open(os.getppid() or 1)
    try:
        return proc.pidfd_inode(own) != proc.pidfd_inode(other)
    finally:
        os.close(own)
        os.close(other)


class Ending:
    """TERM to all at once, KILL after each one's grace, done when the last is gone. It never waits itself."""

    def __init__(self, loop: Loop, lefts: list[Left], on_done: Callable[[], None]) -> None:
        self._loop = loop
        self._on_done = on_done
        self._waiting = {left.pid: left for left in lefts}
        self._timers: list[Timer] = []

    def begin(self) -> None:
        if not self._waiting:
            self._loop.soon(self._on_done)
            return
        for left in list(self._waiting.values()):
            self._loop.watch(left.pidfd, READ, lambda _events, left=left: self._gone(left))  # type: ignore[misc]
            _signal(left, left.stop[0])
            _signal(left, signal.SIGCONT)  # one that is suspended could not obey
            self._timers.append(self._loop.after(left.stop[1], lambda left=left: self._kill(left)))  # type: ignore[misc]

    def kill_now(self) -> None:
        for left in list(self._waiting.values()):
            self._kill(left)

    def _kill(self, left: Left) -> None:
        if left.pid in self._waiting:
            _signal(left, signal.SIGKILL)
            self._timers.append(self._loop.after(KILL_AGAIN_S, lambda: self._kill(left)))

    def _gone(self, left: Left) -> None:
        _signal(left, signal.SIGKILL)  # whoever is left of its group
        self._loop.unwatch(left.pidfd)
        os.close(left.pidfd)
        self._waiting.pop(left.pid, None)
        if not self._waiting:
            for timer in self._timers:
                timer.cancel()
            self._on_done()


def _signal(left: Left, number: int) -> None:
    """The group it leads, else the process alone: an escaped child may sit in somebody else's group."""
    try:
        leads = os.getpgid(left.pid) == left.pid
    except ProcessLookupError:
        leads = True  # reaped already: only its group can be meant
    if leads:
        proc.signal_group(left.pidfd, left.pid, number)
        return
    try:
        signal.pidfd_send_signal(left.pidfd, number)
    except OSError:
        return
