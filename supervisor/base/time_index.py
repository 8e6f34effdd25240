"""When which part of a file was written: pairs of time and offset beside a file that holds bytes only.

    16 bytes   "sbidx 1\\n" and the inode of the file it belongs to
    16 bytes   wall time (float64) and offset (uint64): what begins there was not written earlier
    ...        at most one a second

It helps to find times, nothing depends on it. A missing, cut, foreign or stale one only makes times coarser.
"""

from __future__ import annotations

import os
from struct import Struct

MAGIC = b"sbidx 1\n"
HEADER = Struct("<8sQ")
RECORD = Struct("<dQ")
EVERY_S = 1.0
MAX_BYTES = 64 << 20  # a reader's limit: four million seconds of output in one file

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Marks = list[tuple[float, int]]


class TimeIndex:
    """The writer's side. Holds no descriptor: a mark a second does not pay for one a service."""

    __slots__ = ("_inode", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._inode = 0

    def restart(self) -> None:
        """Another file has the name, or the file was cut: look before the next mark."""
        self._inode = 0

    def mark(self, file: int, wall: float, offset: int) -> None:
        """From `offset` on it was written at `wall` or later. Never raises: it is only an index."""
        try:
            if self._inode:
                fd = os.open(self.path, _WRITE & ~os.O_CREAT | os.O_APPEND)
            else:
                fd = self._open(os.fstat(file), offset)
        except OSError:
            self._inode = 0
            return
        try:
            if os.write(fd, RECORD.pack(wall, offset)) != RECORD.size:
                self._inode = 0  # a full disk took a part: what is cut is mended by the next opening
        except OSError:
            self._inode = 0
        finally:
            os.close(fd)

    def _open(self, file: os.stat_result, offset: int) -> int:
        """Begin a new one, or go on in the one that belongs to this file."""
        fd = os.open(self.path, _WRITE | os.O_APPEND, 0o640)
        try:
            size = os.fstat(fd).st_size
            whole = size - size % RECORD.size
            # At offset 0 nothing it may say is true any more: the file was emptied, or a new one got an old inode.
            if not offset or not _belongs(fd, file.st_ino) or _last_offset(fd, whole) > offset:
                os.ftruncate(fd, 0)
                os.write(fd, HEADER.pack(MAGIC, file.st_ino))
            elif whole != size:
                os.ftruncate(fd, whole)
        except OSError:
            os.close(fd)
            raise
        self._inode = file.st_ino
        return fd


def read_marks(path: str, inode: int, size: int) -> Marks:
    """Times and offsets, both growing, of the file with that inode and size; [] when nothing is known."""
    data = _read(path)
    if data[: HEADER.size] != HEADER.pack(MAGIC, inode):
        return []
    body = memoryview(data)[HEADER.size :]
    body = body[: len(body) - len(body) % RECORD.size]
    marks: Marks = []
    for wall, offset in RECORD.iter_unpack(body):
        if marks and offset < marks[-1][1]:
            marks.clear()  # the file was cut and filled again
        if 0.0 < wall < 1e11 and offset < size:  # which NaN is not either
            # A clock that was set back must not turn the order of lines round.
            marks.append((max(wall, marks[-1][0]) if marks else wall, offset))
    return marks


def first_time(path: str, inode: int) -> float | None:
    """When the first byte of that file was written, as far as the index knows."""
    data = _read(path, HEADER.size + RECORD.size)
    if len(data) < HEADER.size + RECORD.size or data[: HEADER.size] != HEADER.pack(MAGIC, inode):
        return None
    wall, offset = RECORD.unpack_from(data, HEADER.size)
    return wall if offset == 0 and wall > 0 else None


def hand_to(path: str, old: int, new: int) -> None:
    """The same bytes lie in another file now (packed): the index goes over to that. Nothing, if it is not theirs."""
    try:
        fd = os.open(path, _WRITE & ~os.O_CREAT)
    except OSError:
        return
    try:
        if _belongs(fd, old):
            os.pwrite(fd, HEADER.pack(MAGIC, new), 0)
    except OSError:
        return
    finally:
        os.close(fd)


def _belongs(fd: int, inode: int) -> bool:
    return os.pread(fd, HEADER.size, 0) == HEADER.pack(MAGIC, inode)


def _last_offset(fd: int, whole: int) -> int:
    if whole <= HEADER.size:
        return 0
    return int(RECORD.unpack(os.pread(fd, RECORD.size, whole - RECORD.size))[1])


def _read(path: str, limit: int = MAX_BYTES) -> bytes:
    try:
        fd = os.open(path, _READ)
    except OSError:
        return b""
    try:
        return os.read(fd, limit)
    except OSError:
        return b""
    finally:
        os.close(fd)
