"""Lines for whoever looks at a daemon's stdout or stderr, without ever waiting for them.

A terminal stopped with Ctrl-S, a pager, a collector that is stuck: what they don't take at once is dropped, counted,
and owned up to when they take lines again. Nothing here raises: that nobody looks is no reason to end.
"""

from __future__ import annotations

import os
import select
import stat

from supervisor.base.counting import counted

# A pipe or socket that poll calls writable takes this much at once (PIPE_BUF), also where it could not be reopened.
CHUNK = 4096


class Lines:
    """One descriptor to write lines to. It stays the caller's; what is opened here beside it, `close` closes."""

    def __init__(self, fd: int) -> None:
        self._own = reopened(fd)
        self._fd = fd if self._own is None else self._own
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLOUT)
        self._rest = b""  # of a line that was taken in part
        self._dropped = 0

    def show(self, text: str) -> None:
        line = text.encode("utf-8", "backslashreplace") + b"\n"
        if not (self._finish() and self._own_up() and self._begin(line)):
            self._dropped += 1

    def close(self) -> None:
        if self._own is not None:
            os.close(self._own)
            self._own = None

    def _own_up(self) -> bool:
        if self._dropped and self._begin(
            f"sbctl: {counted(self._dropped, 'line')} dropped: nobody took them\n".encode()
        ):
            self._dropped = 0
        return not self._dropped and not self._rest

    def _begin(self, data: bytes) -> bool:
        """False when nothing of it was taken; what was taken in part is finished before anything else."""
        self._rest = data
        self._finish()
        if len(self._rest) < len(data):
            return True
        self._rest = b""
        return False

    def _finish(self) -> bool:
        try:
            while self._rest and (self._own is not None or self._poll.poll(0)):
                self._rest = self._rest[os.write(self._fd, self._rest[:CHUNK]) :]
        except OSError:  # full after all, or closed
            return False
        return not self._rest


def reopened(fd: int) -> int | None:
    """A pipe or terminal with a description of our own: O_NONBLOCK on the caller's would be the caller's too.

    None where that can't be had (a socket, a pipe of another user, no descriptor left) or makes no sense (a file has
    one place to write at, which must stay shared): then poll alone has to say whether a write would wait.
    """
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
            return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return None
    return None


def complain(text: str) -> None:
    """One remark on stderr."""
    lines = Lines(2)
    lines.show(text)
    lines.close()
