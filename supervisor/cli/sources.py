"""What `sbctl logs` can read: a service's raw output with its rotated files, or the daily log.

Each gives lines of the past once, with their times, and then what is new, again and again.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import NamedTuple

from supervisor.base.clock import stamp
from supervisor.base.errors import NO_PERMISSION, Problem
from supervisor.base.rotation import PACKED
from supervisor.cli.following import DayFollower, Follower, day_files
from supervisor.cli.lines import STAMP_LENGTH, Splitter
from supervisor.cli.log_files import (
    LogFile,
    bytes_of,
    last_spans,
    lines_of,
    open_files,
    open_quietly,
    window_spans,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.cli.log_files import Span

OUT, ERR, EVENT, DAILY = "out", "err", "event", "daily"
ALL = sys.maxsize
END_OF_TIME = 1e11
LOST = b"-- some output was rotated away before it could be shown --"


class Line(NamedTuple):
    """One line of output, or of what is told about it."""

    at: float
    service: str
    stream: str
    text: bytes
    level: str = ""  # where it is wanted: by what came before, so before any line is left out


@dataclass(frozen=True)
class Range:
    """What of the past is wanted: the last lines (of a time)."""

    count: int = ALL
    since: float = 0.0
    until: float = float("inf")

    @property
    def is_timed(self) -> bool:
        return self.since > 0 or self.until != float("inf")

    @property
    def is_counted(self) -> bool:
        """Of a time the last lines: a source gives the whole time, so whoever asks it has to count."""
        return self.is_timed and self.count != ALL


class RawSource:
    """One stream of one service: its file and what was rotated away behind it."""

    def __init__(self, label: str, path: str, stream: str = OUT) -> None:
        self.label = label
        self.path = path
        self.stream = stream
        self.is_empty = True  # nothing has ever been written
        self._follower = Follower(path)
        self._splitter = Splitter()

    def lines(self, wanted: Range, *, follow: bool) -> Iterator[Line]:
        for at, text in lines_of(self._spans(wanted, follow=follow)):
            yield Line(at, self.label, self.stream, text)

    def exact(self, wanted: Range, *, follow: bool) -> Iterator[bytes]:
        """The same, exactly as it is there."""
        return bytes_of(self._spans(wanted, follow=follow))

    def _spans(self, wanted: Range, *, follow: bool) -> list[Span]:
        files = open_files(self.path)
        self.is_empty = not any(file.size for file in files)
        if files and follow and not files[0].name.endswith(PACKED):
            files[0].hold_back()
            self._follower.begin_with(files[0].copy_at_end())
        if wanted.is_timed:
            return window_spans(files, wanted.since, wanted.until)
        return last_spans(files, wanted.count)

    def news(self, now: float) -> Iterator[Line]:
        """Lines that have become whole since the last call."""
        for data in self._follower.read():
            for line in self._splitter.feed(data):
                yield Line(now, self.label, self.stream, line)
        if self._follower.lost:
            self._follower.lost = False
            yield Line(now, self.label, self.stream, LOST)


class DailySource:
    """The daily log, over as many days as are asked for. Its lines have their times in themselves."""

    label = ""
    is_empty = False

    def __init__(self, folder: str) -> None:
        self.path = folder
        self._follower = DayFollower(folder)
        self._splitter = Splitter()

    def lines(self, wanted: Range, *, follow: bool) -> Iterator[Line]:
        days = self._days(follow=follow)
        spans = self._timed(days, wanted) if wanted.is_timed else last_spans(days, wanted.count)
        least = f"[{stamp(wanted.since)}] ".encode()
        most = f"[{_day_limit(wanted)}] ".encode()
        for at, text in lines_of(spans):
            if not wanted.is_timed or least <= text[:STAMP_LENGTH] <= most:
                yield Line(at, "", DAILY, text)

    def exact(self, wanted: Range, *, follow: bool) -> Iterator[bytes]:
        return (line.text + b"\n" for line in self.lines(wanted, follow=follow))

    def _timed(self, days: Iterator[LogFile], wanted: Range) -> list[Span]:
        first, last = stamp(wanted.since)[:10], _day_limit(wanted)[:10]
        spans: list[Span] = []
        for file in days:
            day = os.path.basename(file.name)[:10]
            if day <= last:
                file.open()
                spans.append((file, 0, file.size))
            if day < first:  # one day more: the last line before a midnight may be late
                break
        return spans[::-1]

    def _days(self, *, follow: bool) -> Iterator[LogFile]:
        """Newest first; that is followed, from where we take it to end."""
        for name in reversed(day_files(self.path, packed=True)):
            fd = open_quietly(os.path.join(self.path, name))
            if fd < 0:
                continue
            file = LogFile(fd, os.path.join(self.path, name))
            if follow:
                follow = False
                file.hold_back()
                self._follower.begin_with(name, file.copy_at_end())
            yield file

    def news(self, now: float) -> Iterator[Line]:
        for data in self._follower.read():
            for line in self._splitter.feed(data):
                yield Line(now, "", DAILY, line)


Source = RawSource | DailySource


def _day_limit(wanted: Range) -> str:
    return stamp(wanted.until) if wanted.until < END_OF_TIME else "9999"


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
