"""While the history can't be written, what waits for it stands in a file beside it too, for memory dies with its owner.

A run that began without its claim on the disk, and its end: a successor that knew neither would start the slot again.
So it writes first what its predecessor could not. Each write may be done twice, so nobody has to know how far that got.
"""

from __future__ import annotations

import json
import os

from supervisor.base.files import read_small, remove_quietly, write_all, write_atomic
from supervisor.store.writes import CLAIM, Write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIX = ".waiting"
WITHDRAWN = "withdrawn"
LIMIT = 16 << 20  # then it is written anew, without what has been replaced
MOST = LIMIT << 4  # nothing of ours comes near it
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_encode = json.JSONEncoder(separators=(",", ":")).encode


class Spool:
    """Of one history. A disk that refuses this file, too, costs what a death costs; nothing else."""

    __slots__ = ("_fresh", "_path", "_size", "active")

    def __init__(self, path: str) -> None:
        self._path = path + SUFFIX if path else ""
        self._fresh: list[bytes] = []
        self._size = 0
        self.active = False

    def begin(self, writes: Iterable[Write]) -> None:
        """All that waits now."""
        self._fresh.clear()
        if not self._path:
            return
        data = b"".join(map(_line, writes))
        self.active = True
        self._size = len(data)
        try:
            write_atomic(self._path, data)
        except OSError:
            return

    def note(self, write: Write) -> None:
        """One more, or the same with other values."""
        if self.active:
            self._fresh.append(_line(write))

    def withdraw(self, run_id: str) -> None:
        if self.active:
            self._fresh.append(_line(Write(WITHDRAWN, run_id, None)))

    def keep(self) -> bool:
        """What was noted since, in one go. False: it has become too long."""
        if not self._fresh:
            return True
        data = b"".join(self._fresh)
        self._fresh.clear()
        self._size += len(data)
        try:
            fd = os.open(self._path, _FLAGS)
        except OSError:
            return True
        try:
            write_all(fd, data)
        except OSError:
            return True
        finally:
            os.close(fd)
        return self._size <= LIMIT

    def forget(self) -> None:
        """It is all in the history, or never will be."""
        self._fresh.clear()
        if self.active:
            self.active = False
            remove_quietly(self._path)

    def read(self) -> list[Write]:
        """What a predecessor has left; what is no write is left out: its last line may be torn."""
        if not self._path:
            return []
        try:
            lines = read_small(self._path, MOST).split(b"\n")
        except OSError:
            return []
        self.active = True
        found: list[Write] = []
        for line in lines:
            write = _parse(line)
            if write is not None and write.kind == WITHDRAWN:
                found = [each for each in found if each.kind != CLAIM or each.key != write.key]
            elif write is not None:
                found.append(write)
        return found


def _line(write: Write) -> bytes:
    try:
        return _encode([write.kind, write.key, write.values, write.slots]).encode() + b"\n"
    except (TypeError, ValueError, RecursionError):
        return b""  # a defect: the history will not take it either, and says so


def _parse(line: bytes) -> Write | None:
    try:
        kind, key, values, slots = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return None
    if not (isinstance(kind, str) and isinstance(key, str) and isinstance(slots, list)):
        return None
    if not all(isinstance(each, dict) for each in (*slots, {} if values is None else values)):
        return None
    return Write(kind, key, values, tuple(slots))
