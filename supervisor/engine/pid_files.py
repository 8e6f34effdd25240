"""The files that say a service's pid, and a few that lie ready to say the next one's.

As with folders of runs (runs/spare.py) ext4 gives the inode of a removed file to nobody for minutes, and looks at each
such one whenever a file is made. With hundreds of servers a second that end and come again those looks took half of all
that the scheduler did. So a file that is not wanted any more is put aside, and gets its next name once the next pid is
in it: whoever looks finds it whole or not at all, as before.
"""

from __future__ import annotations

import os
import stat

from supervisor.base.files import publish_pid_file, remove_quietly, write_all

MOST = 16
LONGEST = 16  # bytes
_FLAGS = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class PidFiles:
    """Of one engine."""

    __slots__ = ("_aside", "_folder")

    def __init__(self, folder: str = "") -> None:
        """`folder`: private, where some may be put aside; "": none are."""
        self._folder = folder
        self._aside: list[str] = []

    def publish(self, path: str, pid: int) -> None:
        while self._aside:
            if _renewed(self._aside.pop(), path, b"%d\n" % pid):
                return
        publish_pid_file(path, pid)

    def withdraw(self, path: str) -> None:
        if self._folder and len(self._aside) < MOST:
            place = self._place(len(self._aside))
            try:
                os.rename(path, place)
            except OSError:  # it is on another disk, or gone already
                remove_quietly(path)
            else:
                self._aside.append(place)
        else:
            remove_quietly(path)

    def close(self) -> None:
        """Also what a killed predecessor has left there."""
        self._aside.clear()
        if self._folder:
            for number in range(MOST):
                remove_quietly(self._place(number))

    def _place(self, number: int) -> str:
        return os.path.join(self._folder, f"spare-{number}.pid")


def _renewed(aside: str, path: str, text: bytes) -> bool:
    """False: it can't be used for that, and is removed."""
    try:
        fd = os.open(aside, _FLAGS)
        try:
            found = os.fstat(fd)
            if not _is_ours(found):
                raise PermissionError
            write_all(fd, text)
            if found.st_size > len(text):
                os.ftruncate(fd, len(text))
        finally:
            os.close(fd)
        os.rename(aside, path)
    except OSError:
        remove_quietly(aside)
        return False
    return True


def _is_ours(found: os.stat_result) -> bool:
    """Whoever may write in the folder that it came from may have put another one there, or given ours a second name."""
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_nlink == 1
        and found.st_uid == os.geteuid()
        and found.st_size <= LONGEST
    )
