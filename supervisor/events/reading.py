"""Reading the journal back, by the daemon that writes it and by the command line when none runs.

Lines that are no event (a torn one, garbage, a half-written end) are passed over. Files are read from
the newest (`path`) to the oldest (`path.3`); numbers grow from line to line, so a place is found by
bisection and not by reading 50 MiB.
"""

from __future__ import annotations

import os

from supervisor.base import jsons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    Record = dict[str, Any]
    Number = tuple[int, int]

NO_NUMBER = (0, 0)
BLOCK = 256 << 10
MAX_LINE = 1 << 20
MAX_READ = 4 << 20  # of one read_since, so that an answer fits a frame
MAX_LOOK_BACK = 8 << 20  # of one `last`
MAX_FILES = 10


def number_of(record: Record) -> Number:
    """Its `seq` as numbers that can be compared; (0, 0) when it has none."""
    return parse_seq(record.get("seq"))


def parse_seq(seq: object) -> Number:
    if not isinstance(seq, str):
        return NO_NUMBER
    epoch, _, number = seq.partition(".")
    if not (epoch.isdecimal() and number.isdecimal()) or len(seq) > 40:
        return NO_NUMBER
    return int(epoch), int(number)


def tail(path: str, limit_bytes: int = BLOCK) -> list[Record]:
    """The events in the last `limit_bytes` of the journal, oldest first."""
    found: list[Record] = []
    for lines in _blocks_backwards(path, limit_bytes):
        found += _records(reversed(lines))
    found.reverse()
    return found


def past_of_runs(path: str, starts: str) -> list[Record]:
    """What was told of runs, and each event of the kind `starts`, in the last few megabytes, oldest first.

    A thousand runs that begin in one second and end in the next write more than the end that `tail` reads.
    """
    marks = (b'"kind":"run.', b'"kind":"step.', b'"kind":' + jsons.dumps(starts).encode())
    found: list[Record] = []
    for lines in _blocks_backwards(path, MAX_LOOK_BACK):
        # Parsing is the cost, so lines that can't be meant are not parsed.
        found += _records(line for line in reversed(lines) if any(mark in line for mark in marks))
    found.reverse()
    return found


def last(path: str, count: int, service: str | None = None) -> list[Record]:
    """The last `count` events (of one service), oldest first, from the last few megabytes."""
    found: list[Record] = []
    mark = b"" if service is None else b'"service":' + jsons.dumps(service).encode()
    for lines in _blocks_backwards(path, MAX_LOOK_BACK):
        # Parsing is the cost, so lines that can't be meant are not parsed.
        for record in _records(line for line in reversed(lines) if mark in line):
            if service is not None and record.get("service") != service:
                continue
            found.append(record)
            if len(found) == count:
                return found[::-1]
    return found[::-1]


def told_runs(path: str, runs: Iterable[str], kinds: frozenset[str]) -> set[str]:
    """Those of `runs` of which an event of such a kind is in the last few megabytes. Reads no more than it has to."""
    missing = set(runs)
    found: set[str] = set()
    for lines in _blocks_backwards(path, MAX_LOOK_BACK) if missing else ():
        for record in _records(line for line in lines if b'"kind":"run.' in line):
            data = record.get("data")
            run = data.get("run") if isinstance(data, dict) else None
            if isinstance(run, str) and run in missing and record.get("kind") in kinds:
                found.add(run)
        if found == missing:
            break
    return found


def read_since(path: str, seq: str, limit: int) -> list[Record]:
    """Up to `limit` events after `seq`, oldest first; an empty list means that there are no more."""
    after = parse_seq(seq)
    found: list[Record] = []
    budget = MAX_READ
    for name in _files_from(path, after):
        try:
            fd = _open(name)
        except OSError:
            continue
        try:
            position = _place_after(fd, after)
            while budget > 0 and len(found) < limit:
                lines, position = _whole_lines(fd, position)
                if not lines:
                    break
                budget -= sum(map(len, lines))
                for record in _records(lines):
                    # Strictly growing: a rotation while we read can show the same lines twice.
                    if number_of(record) > after:
                        after = number_of(record)
                        found.append(record)
        finally:
            os.close(fd)
        if len(found) >= limit or budget <= 0:
            break
    return found[:limit]


def _files_from(path: str, after: Number) -> list[str]:
    """The files that may hold something after that number, oldest first."""
    names: list[str] = []
    for number in range(MAX_FILES):
        name = f"{path}.{number}" if number else path
        first = _first_number(name)
        if first is None and number > 1:
            break
        names.append(name)
        if first is not None and first <= after:
            break
    return names[::-1]


def _first_number(name: str) -> Number | None:
    """The number of a file's first event; None without a file or an event."""
    try:
        fd = _open(name)
    except OSError:
        return None
    try:
        return _number_at(fd, 0)
    finally:
        os.close(fd)


def _number_at(fd: int, position: int) -> Number | None:
    """The number of the first event whose line begins in the block at `position`."""
    lines, _ = _whole_lines(fd, position)
    numbers = (number_of(record) for record in _records(lines))
    return next((number for number in numbers if number != NO_NUMBER), None)


def _place_after(fd: int, after: Number) -> int:
    """The start of a line at or shortly before the first event that is later than `after`."""
    low, high = 0, os.fstat(fd).st_size
    if after == NO_NUMBER:
        return 0
    while high - low > BLOCK:
        middle = _line_start(fd, (low + high) // 2)
        number = _number_at(fd, middle)
        if middle >= high or number is None or number > after:
            high = (low + high) // 2
        else:
            low = middle
    return low


def _line_start(fd: int, position: int) -> int:
    """The start of the first line that begins after `position`, or the end of the file."""
    while data := _pread(fd, BLOCK, position):
        found = data.find(b"\n")
        if found >= 0:
            return position + found + 1
        position += len(data)
    return position


def _whole_lines(fd: int, position: int) -> tuple[list[bytes], int]:
    """The whole lines of the block at `position`, and the position behind them."""
    data = _pread(fd, BLOCK, position)
    while data and (end := data.rfind(b"\n")) < 0:
        more = _pread(fd, BLOCK, position + len(data))
        if not more:
            return [], position  # a line that is being written
        if len(data) > MAX_LINE:
            position, data = position + len(data), b""  # no event is that long: garbage
        data += more
    if not data:
        return [], position
    return data[:end].split(b"\n"), position + end + 1


def _blocks_backwards(path: str, limit_bytes: int) -> Iterator[list[bytes]]:
    """Lists of whole lines from the end of the newest file to the start of the oldest, `limit_bytes` in all."""
    left = limit_bytes
    for number in range(MAX_FILES):
        try:
            fd = _open(f"{path}.{number}" if number else path)
        except OSError:
            if number > 1:
                return
            continue
        try:
            position = os.fstat(fd).st_size
            rest = b""  # the end of a line whose start is in the block before
            while position > 0 and left > 0:
                size = min(BLOCK, position, left)
                position -= size
                left -= size
                head, found, body = (_pread(fd, size, position) + rest).partition(b"\n")
                if position == 0:
                    yield [head, *body.split(b"\n")]
                elif found:
                    rest = head
                    yield body.split(b"\n")
                else:
                    rest = head if len(head) < MAX_LINE else b""
        finally:
            os.close(fd)
        if left <= 0:
            return


def _open(name: str) -> int:
    return os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _pread(fd: int, size: int, position: int) -> bytes:
    """A folder or a FIFO in place of the file, or a bad disk, reads as the end of it."""
    try:
        return os.pread(fd, size, position)
    except OSError:
        return b""


def _records(lines: Iterator[bytes] | list[bytes]) -> Iterator[Record]:
    for line in lines:
        if not line.startswith(b"{"):
            continue
        try:
            record = jsons.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and "kind" in record:
            yield record
