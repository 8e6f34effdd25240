"""What a process takes, in numbers: one read of procfs each, as cheap as Python can make it."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

TICKS_PER_S: int = os.sysconf("SC_CLK_TCK")
PAGE: int = os.sysconf("SC_PAGE_SIZE")
_FLAGS = os.O_RDONLY | os.O_CLOEXEC
_ENOUGH = 4096  # for a line of `stat`, and for most of the others


class Stat:
    """The line `stat` of one process, as far as anybody here asks for it."""

    __slots__ = ("is_zombie", "memory", "parent", "pid", "session", "started", "threads", "ticks")

    def __init__(self, pid: int, fields: list[bytes]) -> None:
        self.pid = pid
        self.is_zombie = fields[0] in (b"Z", b"X")
        self.parent = int(fields[1])
        self.session = int(fields[3])
        # With the time of the children it has waited for: what these took stays in the sum of a tree.
        self.ticks = int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
        self.threads = int(fields[17])
        self.started = int(fields[19])
        self.memory = int(fields[21]) * PAGE  # resident, shared pages included


def stat_of(pid: int) -> Stat | None:
    """None when there is no such process (any more), or when it is not for us."""
    fields = _fields(_read(f"/proc/{pid}/stat"))
    return Stat(pid, fields) if len(fields) > 21 else None


def _fields(line: bytes) -> list[bytes]:
    # The name in brackets may hold blanks and brackets: everything after the last one is plain.
    return line[line.rfind(b")") + 2 :].split(None, 22)


def all_stats() -> Iterator[tuple[int, int, int, list[bytes]]]:
    """Of every process that is to be seen: pid, parent, session, and what makes a `Stat` of it."""
    try:
        names = os.listdir("/proc")
    except OSError:  # no procfs, or no descriptor left
        return
    for name in names:
        if name.isdigit():
            fields = _fields(_read(f"/proc/{name}/stat"))
            if len(fields) > 21:
                yield int(name), int(fields[1]), int(fields[3]), fields


def children_of(stat: Stat) -> list[int]:
    """Its direct children; each belongs to the thread that made it."""
    threads = [str(stat.pid)]
    if stat.threads > 1:
        try:
            threads = os.listdir(f"/proc/{stat.pid}/task")
        except OSError:
            return []
    return [int(word) for thread in threads for word in _read(f"/proc/{stat.pid}/task/{thread}/children").split()]


def own_share(pid: int) -> int | None:
    """Its memory in bytes, where of a page shared by n processes each has the n-th part; None when not for us.

    Unlike the resident size it may be added up over a tree. The kernel walks all its mappings for it: not for often.
    """
    for line in _read(f"/proc/{pid}/smaps_rollup").split(b"\n"):
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return None


def _read(path: str) -> bytes:
    """The whole of a small file of procfs; b"" when it is not there or not for us."""
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        return b""
    try:
        data = os.read(fd, _ENOUGH)
        while len(data) % _ENOUGH == 0 and data:
            more = os.read(fd, _ENOUGH)
            if not more:
                break
            data += more
        return data
    except OSError:
        return b""
    finally:
        os.close(fd)
