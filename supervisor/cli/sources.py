"""What `sbctl logs` can read: a service's raw output with its rotated files, or the daily log."""

from __future__ import annotations

import os

from supervisor.base.clock import stamp
from supervisor.base.errors import NO_PERMISSION, Problem
from supervisor.cli.following import DayFollower, Follower, day_files
from supervisor.cli.lines import chunks, start_of_last

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ROTATED = 100


class RawSource:
    """One service's file and what was rotated away behind it. First `history`, then `news` again and again."""

    def __init__(self, label: str, path: str) -> None:
        self.label = label
        self.path = path
        self._follower = Follower(path)

    def history(self, count: int) -> Iterator[bytes]:
        """The last `count` lines, from older files too where the newest has fewer."""
        files = _open_rotated(self.path)
        if not files:
            return
        plan: list[tuple[int, int]] = []
        for fd in files:  # newest first
            size = os.fstat(fd).st_size
            begin, lines = start_of_last(fd, size, count)
            os.lseek(fd, begin, os.SEEK_SET)
            plan.append((fd, size))
            count -= lines
        for fd, size in reversed(plan):
            yield from chunks(fd, size)
            if fd != files[0]:
                os.close(fd)
        self._follower.begin_with(files[0])

    def news(self) -> Iterator[bytes]:
        yield from self._follower.read()
        if self._follower.lost:
            self._follower.lost = False
            yield b"\n-- some output was rotated away before it could be shown --\n"


class DailySource:
    """The daily log, over as many days as are asked for."""

    label = ""

    def __init__(self, folder: str) -> None:
        self.path = folder
        self._follower = DayFollower(folder)

    def history(self, count: int) -> Iterator[bytes]:
        """The last `count` lines, from the days before too when today has fewer."""
        plan: list[tuple[str, int, int]] = []
        for name in reversed(day_files(self.path)):
            fd = _open(os.path.join(self.path, name))
            if fd < 0:
                continue
            size = os.fstat(fd).st_size
            begin, lines = start_of_last(fd, size, count)
            os.lseek(fd, begin, os.SEEK_SET)
            plan.append((name, fd, size))
            count -= lines
            if count <= 0:
                break
        yield from self._play(plan)

    def since(self, wall: float) -> Iterator[bytes]:
        """Every line of the days from then on; the lines themselves are to be filtered by their stamps."""
        first = f"{stamp(wall).partition(' ')[0]}.log"
        plan: list[tuple[str, int, int]] = []
        for name in reversed(day_files(self.path)):
            fd = _open(os.path.join(self.path, name))
            if fd >= 0:
                plan.append((name, fd, os.fstat(fd).st_size))
            if name < first:  # one day more: the last line before a midnight may be late
                break
        yield from self._play(plan)

    def _play(self, plan: list[tuple[str, int, int]]) -> Iterator[bytes]:
        """Files from the oldest on; the newest stays open, to be followed."""
        for number, (name, fd, size) in enumerate(reversed(plan), 1):
            yield from chunks(fd, size)
            if number < len(plan):
                os.close(fd)
            else:
                self._follower.begin_with(name, fd)

    def news(self) -> Iterator[bytes]:
        return self._follower.read()


Source = RawSource | DailySource


def check_readable(path: str) -> None:
    """What may not be read must not look like what is not there. (A folder: its newest log, too.)"""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise Problem(
            f"no permission to read {path}",
            why="it belongs to another user",
            remedy="use sbctl as that user or as root",
            code=NO_PERMISSION,
        ) from None
    except OSError:
        return
    os.close(fd)
    for name in day_files(path)[-1:]:
        check_readable(os.path.join(path, name))


def _open_rotated(path: str) -> list[int]:
    """Descriptors from the newest to the oldest, none twice though a rotation may shift the names meanwhile."""
    found: dict[int, int] = {}
    for number in range(MAX_ROTATED):
        fd = _open(f"{path}.{number}" if number else path)
        if fd < 0 and number:
            break
        if fd < 0:
            continue
        inode = os.fstat(fd).st_ino
        if inode in found:
            os.close(fd)
        else:
            found[inode] = fd
    return list(found.values())


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return -1
