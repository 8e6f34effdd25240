"""The last words of a server: the end of its raw output, for the verdict on its exit."""

from __future__ import annotations

import os

from supervisor.base.files import look_at
from supervisor.events.output import line_of

MAX_CHARS = 1000  # of one line, its end: that is where the message of a long one is


def last_words(
    path: str, limit_lines: int = 30, limit_bytes: int = 64 << 10, *, since_offset: int = 0, since_inode: int = 0
) -> list[str]:
    """The last lines that are not blank, printable, oldest first; [] when there is nothing to read.

    Nothing before `since_offset` of the file that had `since_inode` is taken: those are the words of an
    earlier life. Without an inode the offset means the file as it is now, unless that is shorter: then
    it was rotated in between, and the offset is one of `path.1`.
    """
    data = _read_end(path, limit_bytes, since_offset, since_inode)
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    words: list[str] = []
    for line in reversed(lines):
        shown = line_of(line[-4 * MAX_CHARS :]).expandtabs(4).rstrip()
        if shown:
            words.append(shown[-MAX_CHARS:])
            if len(words) == limit_lines:
                break
    return words[::-1]


def _read_end(path: str, limit: int, since_offset: int, since_inode: int) -> bytes:
    """The last `limit` bytes of this life, over the seam of one rotation; begins at the start of a line."""
    size, inode = look_at(path)
    rotated = inode != since_inode if since_inode else size < since_offset
    start = 0 if rotated else since_offset
    data, cut = _pread_end(path, size, start, limit)
    if rotated or (not since_inode and not since_offset):
        older_size, older_inode = look_at(path + ".1")
        older_start = since_offset if rotated and since_inode in (0, older_inode) else 0
        older, cut = (b"", cut) if cut else _pread_end(path + ".1", older_size, older_start, limit - len(data))
        data = older + data
    # A line that was cut is not shown, unless it is all there is.
    return (data.partition(b"\n")[2] if cut else b"") or data


def _pread_end(path: str, size: int, start: int, limit: int) -> tuple[bytes, bool]:
    """The end of `path[start:size]`, and whether something before it was left out."""
    begin = max(start, size - limit)
    if size <= begin:
        return b"", size > start
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b"", False
    try:
        return os.pread(fd, size - begin, begin), begin > start
    except OSError:
        return b"", False
    finally:
        os.close(fd)
