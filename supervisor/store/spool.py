"""While the history can't be written, what waits for it stands in a file beside it too, for memory dies with its owner.

A run that began without its claim on the disk, and its end: a successor that knew neither would start the slot again.
So it writes first what its predecessor could not. Each write may be done twice, so nobody has to know how far that got.
"""

from __future__ import annotations

import os

from supervisor.base import jsons
from supervisor.base.files import read_small, remove_quietly, write_all, write_atomic
from supervisor.model.home import WAITING
from supervisor.store.writes import CHANGE, CLAIM, END, KINDS, STEP, Write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIX = WAITING
WITHDRAWN = "withdrawn"
TOLD_AGAIN = (CHANGE, END, STEP)
LIMIT = 16 << 20  # then it is written anew, without what has been replaced
MOST = LIMIT << 4  # nothing of ours comes near it
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_encode = jsons.dumps


class Spool:
    """Of one history. A disk that refuses this file, too, costs what a death costs; nothing else."""

    __slots__ = ("_fresh", "_is_whole", "_limit", "_path", "_size", "active")

    def __init__(self, path: str) -> None:
        self._path = path + SUFFIX if path else ""
        self._fresh: list[bytes] = []
        self._size = 0
        self._limit = LIMIT
        self._is_whole = False  # all that was noted is in it, up to its last line
        self.active = False

    def begin(self, writes: Iterable[Write]) -> bool:
        """All that waits now. False: it could not be written."""
        self._fresh.clear()
        if not self._path:
            return True
        data = b"".join(map(_line, writes))
        self.active = True
        self._size = len(data)
        self._limit = max(LIMIT, 2 * len(data))
        try:
            write_atomic(self._path, data)
        except OSError:
            self._is_whole = False
        else:
            self._is_whole = True
        return self._is_whole

    def note(self, write: Write) -> None:
        """One more, or the same with other values."""
        if self.active and self._is_whole:  # else all of it will be written anew
            self._fresh.append(_line(write))

    def withdraw(self, run_id: str) -> None:
        self.note(Write(WITHDRAWN, run_id, None))

    def keep(self) -> bool:
        """What was noted since, in one go. False: it is to be written anew.

        For it has become too long, or ends in the middle of a line (a predecessor's death, a full disk), behind which
        nothing can be read.
        """
        if not self.active:
            return True
        if not self._is_whole:
            return False
        if not self._fresh:
            return True
        data = b"".join(self._fresh)
        self._fresh.clear()
        self._size += len(data)
        try:
            fd = os.open(self._path, _FLAGS)
            try:
                write_all(fd, data)
            finally:
                os.close(fd)
        except OSError:
            self._is_whole = False
        return self._is_whole and self._size <= self._limit

    def forget(self) -> None:
        """It is all in the history, or never will be."""
        self._fresh.clear()
        if self.active:
            self.active = False
            remove_quietly(self._path)

    def read(self) -> list[Write]:
        """What a predecessor has left; what is no write is left out: its last line may be torn.

        What several predecessors have told of a run, since none could know whether the one before had, counts once:
        else it would be more with each death, for as long as the history is locked.
        """
        if not self._path:
            return []
        try:
            lines = read_small(self._path, MOST).split(b"\n")
        except OSError:
            return []
        self.active = True
        self._is_whole = False
        found: dict[int, Write] = {}
        claims: dict[str, list[int]] = {}
        told: set[bytes] = set()
        for number, line in enumerate(lines):
            write = _parse(line)
            if write is None or line in told:
                continue
            if write.kind in TOLD_AGAIN:
                told.add(line)
            if write.kind == WITHDRAWN:
                for claim in claims.pop(write.key, ()):
                    del found[claim]
                continue
            found[number] = write
            if write.kind == CLAIM:
                claims.setdefault(write.key, []).append(number)
        return list(found.values())


def left(path: str) -> list[Write]:
    """What is still to be written into this history, whether or not somebody has it in mind."""
    return [write for write in Spool(path).read() if write.kind in KINDS]


def _line(write: Write) -> bytes:
    try:
        return _encode([write.kind, write.key, write.values, write.slots]).encode() + b"\n"
    except (TypeError, ValueError, RecursionError):
        return b""  # a defect: the history will not take it either, and says so


def _parse(line: bytes) -> Write | None:
    try:
        kind, key, values, slots = jsons.loads(line)
    except (ValueError, TypeError, RecursionError):
        return None
    if not (isinstance(kind, str) and isinstance(key, str) and isinstance(slots, list)):
        return None
    if not all(isinstance(each, dict) for each in (*slots, {} if values is None else values)):
        return None
    return Write(kind, key, values, tuple(slots))
