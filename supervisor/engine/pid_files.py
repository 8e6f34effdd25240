"""The files that say a service's pid; that of one which has ended lies ready to say its next one's.

As with folders of runs (runs/spare.py) ext4 gives the inode of a removed file to nobody for minutes, and looks at each
such one whenever a file is made. With hundreds of servers a second that end and come again those looks took half of all
that the scheduler did. So a file that is not wanted any more is put aside, and gets its name back once the next pid is
in it: whoever looks finds it whole or not at all, as before. It never becomes another service's: who has opened it
before must not read the pid of a stranger.
"""

from __future__ import annotations

import os
import stat

from supervisor.base.files import publish_pid_file, remove_quietly, write_all

MOST = 16
LONGEST = 16  # bytes
MODE = 0o644
_FLAGS = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class PidFiles:
    """Of one engine."""

    __slots__ = ("_aside", "_folder", "_free")

    def __init__(self, folder: str = "") -> None:
        """`folder`: private, where some may be put aside; "": none are."""
        self._folder = folder
        self._aside: dict[str, str] = {}  # where that of a path lies
        self._free = [os.path.join(folder, f"spare-{number}.pid") for number in reversed(range(MOST))] if folder else []

    def publish(self, path: str, pid: int) -> None:
        place = self._aside.pop(path, "")
        if place:
            self._free.append(place)
        if not place or not _renewed(place, path, b"%d\n" % pid):
            publish_pid_file(path, pid)

    def withdraw(self, path: str) -> None:
        if not self._free and self._aside:  # the one that has waited longest comes back last, if at all
            oldest = next(iter(self._aside))
            self._free.append(self._aside.pop(oldest))
            remove_quietly(self._free[-1])
        if self._free and _is_ours_at(path):
            try:
                os.rename(path, self._free[-1])
            except OSError:  # it is on another disk
                remove_quietly(path)
            else:
                self._aside[path] = self._free.pop()
        else:
            remove_quietly(path)

    def close(self) -> None:
        """Also what a killed predecessor has left there."""
        self._free += self._aside.values()
        self._aside.clear()
        for place in self._free:
            remove_quietly(place)


def _renewed(aside: str, path: str, text: bytes) -> bool:
    """False: it can't be used for that, and is removed."""
    try:
        fd = os.open(aside, _FLAGS)
        try:
            found = os.fstat(fd)
            # Behind a shorter pid a rest of the other would be read.
            if not _is_ours(found) or found.st_size > len(text):
                raise PermissionError
            write_all(fd, text)
            if stat.S_IMODE(found.st_mode) != MODE:
                os.fchmod(fd, MODE)
        finally:
            os.close(fd)
        os.rename(aside, path)
    except OSError:
        remove_quietly(aside)
        return False
    return True


def _is_ours_at(path: str) -> bool:
    try:
        return _is_ours(os.lstat(path))
    except OSError:
        return False


def _is_ours(found: os.stat_result) -> bool:
    """Whoever may write in the folder that it came from may have put another one there, or given ours a second name."""
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_nlink == 1
        and found.st_uid == os.geteuid()
        and found.st_size <= LONGEST
    )
