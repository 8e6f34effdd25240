"""System calls on one raw file and its pipe: opening, recognizing, looking ahead."""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from supervisor.base import libc
from supervisor.base.files import in_the_way

PIPE_SIZE = 65536  # as the kernel makes them
# Of a loud service. An ordinary user may have 64 MiB of them (`pipe-user-pages-soft`) before new ones get smaller.
WIDE = 1 << 18
SPLICE_F_NONBLOCK = 2


def open_raw(path: str) -> tuple[int, int]:
    """The raw file, at its end, for one writer. What is no file is refused, and called by its name."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        fd = os.open(path, flags, 0o640)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        fd = os.open(path, flags, 0o640)
    except OSError as error:
        raise _named_kind(path) or error from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise _named_kind(path) or OSError(errno.EINVAL, "no file", path)
        return fd, os.lseek(fd, 0, os.SEEK_END)
    except OSError:
        os.close(fd)
        raise


def _named_kind(path: str) -> OSError | None:
    kind = in_the_way(path)
    return OSError(errno.EINVAL, f"{os.path.basename(path)} is a {kind} and no file", path) if kind else None


def is_named(path: str, found: os.stat_result) -> bool:
    try:
        named = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    return (named.st_dev, named.st_ino) == (found.st_dev, found.st_ino)


def holds(fd: int) -> int:
    """So many bytes at most, whoever has set that."""
    return fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ)


def widened(fd: int) -> int:
    """What it holds then; 0: the kernel grants no more."""
    try:
        return max(fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, WIDE), holds(fd))
    except OSError:
        return 0


def narrowed(fd: int) -> bool:
    """As it was made, again; False: more than that is in it. What its writer has set is his affair."""
    try:
        if holds(fd) == WIDE:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    except OSError:
        return False
    return True


_spare: tuple[int, int] | None = None


def peek(fd: int) -> bytes | None:
    """What is in the pipe, without taking it: b"" at the end of the stream, None when it is empty."""
    global _spare
    if _spare is None:
        _spare = os.pipe()
        fcntl.fcntl(_spare[1], fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    count = libc.call("tee", fd, _spare[1], libc.Size(PIPE_SIZE), SPLICE_F_NONBLOCK)
    if count > 0:
        return os.read(_spare[0], count)
    if count == 0:
        return b""
    number = libc.last_error()
    if number in (errno.EAGAIN, errno.EINTR):
        return None
    raise OSError(number, os.strerror(number), "tee")
