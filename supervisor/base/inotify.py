"""Hears at once that a file of one folder has come, gone or changed. The kernel's own interface.

Only for promptness: who must be sure looks at the file itself. Where the kernel gives no watch (too many, an odd file
system), that is said, and the looks have to do.
"""

from __future__ import annotations

import errno
import os
import sys

from supervisor.base import libc
from supervisor.base.loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE, _DELETE_SELF = 0x8, 0x40, 0x80, 0x100, 0x200, 0x400
_ONLYDIR = 0x0100_0000
_MASK = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _ONLYDIR
_HEADER = 16  # of an event: watch, mask, cookie, length of the name
_BUFFER = 64 << 10


class FolderWatch:
    """Calls `call(names)` with the names in the folder of which something has changed."""

    def __init__(self, loop: Loop, folder: str, call: Callable[[set[str]], None]) -> None:
        self._loop = loop
        self._call = call
        self._fd = libc.call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise _error("inotify_init1")
        if libc.call("inotify_add_watch", self._fd, os.fsencode(folder), _MASK) < 0:
            problem = _error(folder)
            os.close(self._fd)
            raise problem
        loop.watch(self._fd, READ, self._read)

    def _read(self, _events: int) -> None:
        try:
            data = os.read(self._fd, _BUFFER)
        except BlockingIOError:
            return
        names: set[str] = set()
        at = 0
        while at + _HEADER <= len(data):
            length = int.from_bytes(data[at + 12 : at + 16], sys.byteorder)
            names.add(os.fsdecode(data[at + _HEADER : at + _HEADER + length].rstrip(b"\0")))
            at += _HEADER + length
        self._call(names)

    def close(self) -> None:
        self._loop.unwatch(self._fd)
        os.close(self._fd)


def _error(what: str) -> OSError:
    number = libc.last_error() or errno.EIO
    return OSError(number, os.strerror(number), what)
