"""The files of one raw log, opened as they are now: which lines they have, and when those were written.

A line has the time of the last mark before its first byte (base/time_index.py); without marks that of its file, which
is when the last one was written. Packed files are unpacked into an unnamed temporary when they are needed.
"""

from __future__ import annotations

import errno
import os
import resource
import stat
import tempfile
import zlib
from bisect import bisect_left, bisect_right
from contextlib import suppress

from supervisor.base.errors import Problem
from supervisor.base.files import write_all
from supervisor.base.rotation import FORMS, INDEX, MAX_FILES, MAX_GAP, PACKED, last_number
from supervisor.base.time_index import EVERY_S, read_marks
from supervisor.cli.lines import BLOCK, MAX_LINE, start_of_last

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Span = tuple["LogFile", int, int]
    Timed = tuple[float, bytes]


class LogFile:
    """One file, held open, so that a rotation or a removal changes nothing for us."""

    def __init__(self, fd: int, name: str) -> None:
        found = os.fstat(fd)
        self.fd = fd
        self.name = name
        self.inode = found.st_ino
        self.mtime = found.st_mtime
        self.size = found.st_size
        self._is_packed = name.endswith(PACKED)
        self._marks: tuple[list[float], list[int]] | None = None

    def open(self) -> None:
        """Make its bytes readable at any place."""
        if not self._is_packed:
            return
        self._is_packed = False
        with tempfile.TemporaryFile(buffering=0) as whole:
            unpack(self.fd, whole.fileno())
            os.close(self.fd)
            self.fd = os.dup(whole.fileno())
        self.size = os.fstat(self.fd).st_size

    def _index(self) -> tuple[list[float], list[int]]:
        """Times and offsets of its marks."""
        if self._marks is None:
            self.open()
            marks = read_marks(self.name.removesuffix(PACKED) + INDEX, self.inode, self.size)
            self._marks = [wall for wall, _ in marks], [offset for _, offset in marks]
        return self._marks

    def time_of(self, offset: int) -> float:
        times, offsets = self._index()
        return times[max(bisect_right(offsets, offset) - 1, 0)] if times else self.mtime

    def window(self, since: float, until: float) -> tuple[int, int]:
        """Where that time begins and ends in it: to the second, as far as is known."""
        if self.mtime < since:
            return 0, 0
        times, offsets = self._index()
        if not times:
            return (0, self.size) if self.mtime <= until else (0, 0)
        first, last = bisect_left(times, since - EVERY_S), bisect_right(times, until)
        begin = offsets[first] if first < len(times) else self.size
        return (0 if first == 0 else begin), (offsets[last] if last < len(times) else self.size)

    def line_start(self, position: int) -> int:
        """Where the first line begins that does so at or after this byte."""
        if position <= 0 or position >= self.size or os.pread(self.fd, 1, position - 1) == b"\n":
            return position
        while data := os.pread(self.fd, BLOCK, position):
            if (end := data.find(b"\n")) >= 0:
                return min(position + end + 1, self.size)
            position += len(data)
        return self.size

    def hold_back(self) -> None:
        """Leave out a last line without an end: whoever follows gets it whole."""
        self.open()
        begin = max(self.size - MAX_LINE, 0)
        end = os.pread(self.fd, self.size - begin, begin).rfind(b"\n") + 1
        if end or not begin:
            self.size = begin + end

    def copy_at_end(self) -> int:
        """A descriptor of its own for whoever reads on from here."""
        fd = os.open(f"/proc/self/fd/{self.fd}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(fd, self.size, os.SEEK_SET)
        return fd

    def close(self) -> None:
        os.close(self.fd)


def open_files(path: str) -> list[LogFile]:
    """Newest first, none twice though a rotation may shift the names meanwhile; of two forms the plain one."""
    found: dict[int, LogFile] = {}
    missing, last = 0, last_number(path)
    for number in range(MAX_FILES):
        forms = (f"{path}.{number}{form}" for form in FORMS) if number else (path,)
        name, fd = next(((name, fd) for name in forms if (fd := open_quietly(name)) >= 0), ("", -1))
        if fd < 0:
            missing += 1
            if missing > MAX_GAP and number >= last:
                break
            continue
        missing = 0
        file = LogFile(fd, name)
        if file.inode in found:
            file.close()
        else:
            found[file.inode] = file
    return list(found.values())


def last_spans(files: Iterable[LogFile], count: int) -> list[Span]:
    """The last `count` lines, oldest first, of files newest first; no more files are looked into than that takes."""
    spans: list[Span] = []
    for file in files:
        file.open()
        begin, lines = start_of_last(file.fd, file.size, count)
        spans.append((file, begin, file.size))
        count -= lines
        if count <= 0:
            break
    return spans[::-1]


def window_spans(files: list[LogFile], since: float, until: float) -> list[Span]:
    """What was written in that time, oldest first."""
    spans = [(file, *file.window(since, until)) for file in files]
    return [span for span in spans[::-1] if span[1] < span[2]]


def lines_of(spans: list[Span]) -> Iterator[Timed]:
    """The lines that begin in these spans, with their times; a last one without a line end comes as it is.

    A line that goes on in the next file is one line; one that does not end comes in pieces.
    """
    rest, began = b"", 0.0
    for file, begin, end in spans:
        position = file.line_start(begin)
        for data in bytes_of([(file, position, file.line_start(end))]):
            *lines, tail = data.split(b"\n")
            start = position
            for line in lines:
                yield (began, rest + line) if rest else (file.time_of(start), line)
                start += len(line) + 1
                rest = b""
            began = began if rest else file.time_of(start)
            rest += tail
            position += len(data)
            if len(rest) > MAX_LINE:
                yield began, rest
                rest = b""
    if rest:
        yield began, rest


def bytes_of(spans: list[Span]) -> Iterator[bytes]:
    """Exactly what is there."""
    for file, begin, end in spans:
        while begin < end and (data := os.pread(file.fd, min(BLOCK, end - begin), begin)):
            begin += len(data)
            yield data


def unpack(source: int, target: int) -> None:
    """As far as it is whole: what is before a damaged end counts."""
    packed = zlib.decompressobj(16 + zlib.MAX_WBITS)
    with suppress(zlib.error):
        while data := os.read(source, BLOCK):
            write_all(target, packed.decompress(data))


def open_quietly(path: str) -> int:
    """-1: there is no file to read. That we have too many open already must not look like that."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise Problem(
                "too many log files for one command",
                why=str(error.strerror),
                remedy="name fewer services, or raise: ulimit -n",
            ) from None
        return -1
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return -1


def allow_many_files() -> None:
    """As many as we may open: hundreds of services have some files each."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
