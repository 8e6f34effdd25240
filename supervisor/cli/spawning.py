"""Starting the `start` process on its own: its own session, no terminal of ours, and a pipe on which it reports."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` itself loads enum, for which everybody would wait
import os
import select
import time

from supervisor.base.errors import FAILED, Problem
from supervisor.base.where import role_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

TAIL_LINES = 10
OUT_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW


class Spawned:
    """What the new process said: it is up, or another one was there first."""

    __slots__ = ("lost_to", "pid")

    def __init__(self, pid: int, lost_to: int | None) -> None:
        self.pid = pid
        self.lost_to = lost_to


def spawn_start(home: Home, until: float) -> Spawned:
    """Spawn it and wait for its word; a Problem with its last output when it ends without one."""
    read_end, write_end = os.pipe()
    try:
        size = _size(home.out_file("start"))
        pid = _spawn(home, write_end)
    finally:
        os.close(write_end)
    try:
        return _listen(home, pid, read_end, until, size)
    finally:
        os.close(read_end)


def _spawn(home: Home, ready_fd: int) -> int:
    command = [*role_command("start", home.path), "--ready-fd", str(ready_fd)]
    os.set_inheritable(ready_fd, True)
    try:
        return os.posix_spawn(
            command[0],
            command,
            os.environ,
            # What else the caller left open `start` closes itself: here a number above our limit would be refused.
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, home.out_file("start"), OUT_FLAGS, 0o644),
            ],
            setsid=True,  # the terminal that closes takes its own session with it, not ours
            setsigmask=[],
            setsigdef=[n for n in _signal.valid_signals() if n not in (_signal.SIGKILL, _signal.SIGSTOP)],
        )
    except OSError as error:
        raise Problem("can't spawn start", why=str(error), code=FAILED) from None


def _listen(home: Home, pid: int, fd: int, until: float, size: int) -> Spawned:
    """Lines `locked PID`, `up PID`, `busy PID`, `error TEXT`; the end of the pipe is the end of the process."""
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    text = ""
    while True:
        if not poller.poll(max(until - time.monotonic(), 0.0) * 1000):
            raise Problem(
                "start is not getting ready",
                why=f"pid {pid} said: {text.strip() or 'nothing'}",
                remedy=f"look into {home.out_file('start')}",
            )
        data = os.read(fd, 4096)
        text += data.decode("utf-8", "replace")
        for line in text.split("\n")[:-1]:
            word, _, rest = line.partition(" ")
            if word == "up":
                return Spawned(int(rest), None)
            if word == "busy":
                return Spawned(pid, int(rest) if rest.isdigit() else 0)
            if word == "error":
                raise Problem("start could not begin", why=rest, remedy=f"look into {home.out_file('start')}")
        if not data:
            raise _died(home, pid, size)


def _died(home: Home, pid: int, size: int) -> Problem:
    how = ""
    found, status = os.waitpid(pid, os.WNOHANG)
    if found:
        import signal

        code = os.waitstatus_to_exitcode(status)
        how = f" (exit code {code})" if code >= 0 else f" (killed by {signal.Signals(-code).name})"
    said = _since(home.out_file("start"), size)
    return Problem(
        f"start ended before it was ready{how}",
        why="\n        ".join(said) or "it said nothing",
        remedy=f"look into {home.out_file('start')}",
    )


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _since(path: str, size: int) -> list[str]:
    """The last lines written after we started it."""
    try:
        with open(path, "rb") as file:
            file.seek(max(size, _size(path) - 8192))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-TAIL_LINES:]
