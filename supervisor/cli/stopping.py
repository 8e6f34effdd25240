"""`sbctl stop` for the whole tree: ask `start`, then wait for the real end of that very process."""

from __future__ import annotations

import _socket
import os
import select
import sys
import time

from supervisor.base.errors import FAILED, NOT_RUNNING, TIMED_OUT, Problem
from supervisor.cli.killed import killed_since, tell_killed
from supervisor.cli.out import answer, note
from supervisor.cli.quick import exchange, lock_holder
from supervisor.control.dial import dial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home

ANSWER_S = 3.0
EXTRA_S = 2.0  # beyond --timeout, for the tree to notice that its time is over
REMARK_AFTER_S = 5.0
BEGINNING_S = 2.0


class Ended:
    """How a tree ended: its pid, None when nothing ran, and who had to be killed.

    `waited`: `start` had been killed before, and services of it were still ending; `left`: who of them has not ended.
    """

    __slots__ = ("killed", "left", "pid", "seconds", "waited")

    def __init__(
        self,
        pid: int | None,
        seconds: float,
        killed: list[str],
        *,
        waited: bool = False,
        left: dict[str, list[int]] | None = None,
    ) -> None:
        self.pid = pid
        self.seconds = seconds
        self.killed = killed
        self.waited = waited
        self.left = left or {}

    @property
    def text(self) -> str:
        if self.left:
            return "start had been killed; what it left is still ending"
        if self.waited:
            return f"start had been killed; what it left has ended after {self.seconds:.1f} s"
        return f"stopped in {self.seconds:.1f} s (pid {self.pid})" if self.pid else "already stopped"

    def as_dict(self) -> dict[str, Any]:
        return {"stopped": self.pid, "seconds": round(self.seconds, 3), "killed": self.killed}


def stop_tree(home: Home, timeout: float | None = None, *, as_json: bool = False) -> int:
    """Stop everything; 0 when it is stopped, also when it was before."""
    ended = end_tree(home, timeout)
    if ended.left:
        tell_killed(ended.killed)
        raise _left(ended.left)
    answer(ended.text, ended.as_dict(), as_json=as_json)
    tell_killed(ended.killed)
    return 0


def end_tree(home: Home, timeout: float | None) -> Ended:
    began, wall = time.monotonic(), time.time()
    sock = _reach(home)
    if sock is None:
        ended = _end_by_signal(home, timeout)
        left: dict[str, list[int]] = {}
        waited = False
        if ended is None:
            left, waited = _wait_for_left(home, None if timeout is None else began + timeout)
        _clean_up(home)
        return Ended(ended, time.monotonic() - began, killed_since(home, wall), waited=waited, left=left)
    pid = _peer_pid(sock)
    pidfd = _open_pidfd(pid)
    try:
        _ask(sock, home, pid, timeout)
        gone = _wait(sock, pidfd, None if timeout is None else timeout + EXTRA_S)
    finally:
        sock.close()
        if pidfd >= 0:
            os.close(pidfd)
    if not gone:
        raise _not_in_time(pid, timeout)
    return Ended(pid, time.monotonic() - began, killed_since(home, wall))


def _reach(home: Home) -> _socket.socket | None:
    """A connection to `start`, or None when nothing listens. One that just begins is waited for."""
    until = time.monotonic() + BEGINNING_S
    while True:
        try:
            return dial(home, "start")
        except Problem as problem:
            if problem.code == TIMED_OUT:
                raise _hung(lock_holder(home)) from None
            if problem.code != NOT_RUNNING:
                raise
        if time.monotonic() > until or lock_holder(home) is None or _runs_alone(home):
            return None
        time.sleep(0.02)


def _runs_alone(home: Home) -> bool:
    try:
        dial(home, "scheduler").close()
    except Problem:
        return False
    from supervisor.cli.unreached import ALONE, who_runs

    holder = who_runs(home)
    return holder is not None and holder.kind == ALONE


def _end_by_signal(home: Home, timeout: float | None) -> int | None:
    """Whoever runs this home and does not listen as `start` ends by SIGTERM as it would by the verb. Its pid."""
    import signal  # 6 ms: as long as the rest of a stop takes until it has been asked for

    from supervisor.base.proc import open_pidfd
    from supervisor.cli.unreached import who_runs

    holder = who_runs(home)
    pidfd = None if holder is None else open_pidfd(holder.pid, holder.started)
    if holder is None or pidfd is None:
        return None
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        if not _wait(None, pidfd, timeout):
            signal.pidfd_send_signal(pidfd, signal.SIGTERM)  # the second one means: at once
            if not _wait(None, pidfd, EXTRA_S):
                raise _not_in_time(holder.pid, timeout)
    except ProcessLookupError:
        pass  # it ended just now, which is all we want
    finally:
        os.close(pidfd)
    return holder.pid


def _wait_for_left(home: Home, until: float | None) -> tuple[dict[str, list[int]], bool]:
    """Who has not ended of a tree whose `start` is gone; and whether there was anybody to wait for."""
    from supervisor.cli.left import left_of, named, wait_for_left

    left = left_of(home)
    if not left or lock_holder(home) is not None:  # else they are those of a tree that has just begun
        return {}, False
    note(f"start was killed; its services are still ending: {named(left)}")
    return wait_for_left(home, until), True


def _left(left: dict[str, list[int]]) -> Problem:
    from supervisor.cli.left import named

    if "scheduler" in left:
        why, remedy = "its scheduler ends them, each within its grace", "wait and try again"
    else:
        why = "nobody is there any more who ends them"
        remedy = "sbctl doctor --fix, which ends what is left; sbctl start does so before it begins, too"
    return Problem(
        f"start was killed, and not everything has ended: {named(left)}",
        why=why,
        remedy=remedy,
        code=FAILED,
    )


def _not_in_time(pid: int, timeout: float | None) -> Problem:
    return Problem(
        f"not stopped within {timeout or 0:g} s (pid {pid})",
        why="something does not end, or start itself is stuck",
        remedy=f"sbctl status; at worst: kill -9 {pid} (all it runs ends with it)",
        code=TIMED_OUT,
    )


def _ask(sock: _socket.socket, home: Home, pid: int, timeout: float | None) -> None:
    body = b'{"verb":"shutdown"}' if timeout is None else b'{"verb":"shutdown","timeout":%.3f}' % timeout
    try:
        answer = exchange(sock, home, "start", body, ANSWER_S)
    except Problem as problem:
        if problem.code == TIMED_OUT:
            raise _hung(pid) from None
        if problem.code == NOT_RUNNING:
            return  # it ended just now, which is all we want
        raise
    if not answer.startswith(b'{"ok":true'):
        from supervisor.base.wire import decode

        raise Problem.from_dict(decode(answer).get("error") or {})


def _wait(sock: _socket.socket | None, pidfd: int, timeout: float | None) -> bool:
    """Wait for the process's end by its pidfd, or without one for the end of its connection."""
    poller = select.poll()
    if pidfd >= 0:
        poller.register(pidfd, select.POLLIN)
    elif sock is not None:
        poller.register(sock.fileno(), select.POLLRDHUP)
    until = None if timeout is None else time.monotonic() + timeout
    first = REMARK_AFTER_S if until is None else min(REMARK_AFTER_S, until - time.monotonic())
    if poller.poll(max(first, 0.0) * 1000):
        return True
    if until is not None and time.monotonic() >= until:
        return False
    note("still stopping: services have their grace to end (Ctrl-C leaves it to them)")
    return bool(poller.poll(None if until is None else max(until - time.monotonic(), 0.0) * 1000))


def has_ended_within(pid: int, seconds: float) -> bool:
    """Wait for the end of a process that is known to be there."""
    pidfd = _open_pidfd(pid)
    if pidfd < 0:
        return True
    try:
        poller = select.poll()
        poller.register(pidfd, select.POLLIN)
        return bool(poller.poll(seconds * 1000))
    finally:
        os.close(pidfd)


def _peer_pid(sock: _socket.socket) -> int:
    """Who listens at the other end, from the kernel."""
    return int.from_bytes(sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)[:4], sys.byteorder)


def _open_pidfd(pid: int) -> int:
    """A hold on the process while we still talk to it, so that its pid can't have become another's; or -1."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1


def _hung(pid: int | None) -> Problem:
    whom = str(pid) if pid else "PID"
    return Problem(
        f"start does not answer (pid {whom})",
        why="it is suspended (SIGSTOP), or stuck",
        remedy=f"kill -CONT {whom}; if that does not help: kill -9 {whom} (all it runs ends with it)",
        code=FAILED,
    )


def _clean_up(home: Home) -> None:
    """Take away the PID files of a tree that was killed, but only while nobody can be starting one."""
    from supervisor.base.files import read_pid_file, remove_quietly, take_lock
    from supervisor.base.proc import command_of

    stale = [path for path in map(home.pid_file, ("start", "scheduler", "config", "tunnel")) if os.path.exists(path)]
    if not stale:
        return
    try:
        lock = take_lock(home.lock_file)
    except OSError:
        return
    if lock is None:
        return
    try:
        for path in stale:
            pid = read_pid_file(path)
            if pid is None or home.path not in command_of(pid):  # else it is still on its way out
                remove_quietly(path)
    finally:
        os.close(lock)
