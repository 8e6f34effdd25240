"""The record file: which processes a `start` has spawned, for the next `start` to find if this one is killed.

One line a fact, appended before anything else is told about it. Never fsynced: after a reboot every line is void
anyway (the boot id says so), and so it is in another PID namespace: that a container has a process of the same number
means nothing. A line cut off by a kill is ignored; the process it was about carries our marker.
"""

from __future__ import annotations

import os

from supervisor.base import jsons, proc
from supervisor.base.files import read_small, write_all, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.service import StopRule

REWRITE_AT = 4 << 20
_encode = jsons.dumps


class Record:
    """One process that was spawned and whose exit nobody has noted."""

    __slots__ = ("inode", "key", "pid", "started", "stop")

    def __init__(self, key: str, pid: int, started: int, inode: int, stop: StopRule) -> None:
        self.key = key
        self.pid = pid
        self.started = started
        self.inode = inode
        self.stop = stop


class RecordFile:
    """Written by the one `start` that holds the lock."""

    def __init__(self, path: str, *, boot: str, home_id: str) -> None:
        self._path = path
        self._head = _line({"boot": boot, "space": proc.pid_space(), "home": home_id, "start": os.getpid()})
        self._alive: dict[str, bytes] = {}
        self._size = 0
        self._fd = -1
        self._torn = False
        self.dropped = 0

    def open(self) -> bool:
        """Begin anew; what the file held is dealt with. False: the disk refuses, and each append tries again."""
        try:
            self._rewrite()
        except OSError:
            self.dropped += 1
            return False
        return True

    def spawned(self, records: list[Record]) -> None:
        if records:
            self._append(b"".join([self.know(record) for record in records]))

    def know(self, record: Record) -> bytes:
        """It lives; in the file from the next rewriting on."""
        line = _line({"k": record.key, "p": record.pid, "s": record.started, "i": record.inode, "g": list(record.stop)})
        self._alive[record.key] = line
        return line

    def ended(self, key: str) -> None:
        if self._alive.pop(key, None) is not None:
            self._append(_line({"x": key}))

    def _append(self, line: bytes) -> None:
        try:
            if self._size > REWRITE_AT or self._fd < 0:
                self._rewrite()
                return
            write_all(self._fd, b"\n" + line if self._torn else line)
            self._size += len(line)
            self._torn = False
        except OSError:
            # A full disk: the marker in the process's environment still proves whose it is.
            self.dropped += 1
            self._torn = True  # half a line may be there, which must not spoil the next one

    def _rewrite(self) -> None:
        data = self._head + b"".join(self._alive.values())
        write_atomic(self._path, data)
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd
        self._size = len(data)
        self._torn = False

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def read_records(path: str, boot: str, home_id: str) -> list[Record]:
    """What an earlier `start` of this boot, namespace and home left behind; what does not read as a record is none."""
    try:
        lines = read_small(path, 4 * REWRITE_AT).split(b"\n")
    except OSError:
        return []
    head = _parse(lines[0])
    here = {"boot": boot, "space": proc.pid_space(), "home": home_id}
    if head is None or any(head.get(name) != value for name, value in here.items()):
        return []
    found: dict[str, Record] = {}
    for line in lines[1:]:
        data = _parse(line)
        if data is None:
            continue
        if "x" in data:
            found.pop(str(data["x"]), None)
        elif _is_record(data):
            found[data["k"]] = Record(data["k"], data["p"], data["s"], data["i"], (data["g"][0], data["g"][1]))
    return list(found.values())


def unreadable(path: str) -> int:
    """How many of its lines a kill, a full disk or somebody else has spoilt; one that is being written is none."""
    try:
        *lines, _ = read_small(path, 4 * REWRITE_AT).split(b"\n")
    except OSError:
        return 0
    return sum(1 for line in lines if line and _parse(line) is None)


def _is_record(data: dict[str, Any]) -> bool:
    numbers = all(type(data.get(name)) is int and data[name] >= 0 for name in "psi")
    return numbers and data["p"] > 1 and isinstance(data.get("k"), str) and _is_stop_rule(data.get("g"))


def _is_stop_rule(value: object) -> bool:
    """A signal and seconds; anything else in a file that may have been cut anywhere is none."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    number, grace = value
    return type(number) is int and 0 < number < 65 and isinstance(grace, (int, float)) and 0 <= grace < 1e6


def _line(data: dict[str, Any]) -> bytes:
    return _encode(data).encode() + b"\n"


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        data = jsons.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
