"""From bytes of a log to the lines a person asked for: the last N, those that match."""

from __future__ import annotations

import os
import re

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.ansi import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 1 << 16
MAX_LINE = 1 << 20  # of a line that does not end: shown in pieces
MAX_PATTERN = 1000
MAX_MATCHED = 16 << 10  # of one line; what a pattern costs can grow faster than the line
STAMP_LENGTH = len("[2026-11-21 05:20:01 UTC] ")


def start_of_last(fd: int, size: int, count: int) -> tuple[int, int]:
    """Where the last `count` lines of the first `size` bytes begin, and how many there are."""
    if count <= 0:
        return size, 0
    found, position = 0, size
    while position > 0:
        begin = max(position - BLOCK, 0)
        data = os.pread(fd, position - begin, begin)
        end = len(data)
        while (at := data.rfind(b"\n", 0, end)) >= 0:
            # The line end at the very end closes the last line and begins no other.
            if begin + at + 1 < size:
                found += 1
                if found == count:
                    return begin + at + 1, found
            end = at
        position = begin
    return 0, found + (size > 0)


class Splitter:
    """Whole lines from chunks; what has no line end yet waits for it."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE:
            lines.append(self._rest)
            self._rest = b""
        return lines

    def finish(self) -> list[bytes]:
        rest, self._rest = self._rest, b""
        return [rest] if rest else []


def pattern(text: str, *, ignore_case: bool = False) -> Callable[[bytes], bool]:
    """A test for lines, from what a person typed."""
    if len(text) > MAX_PATTERN:
        raise Problem(f"the pattern is longer than {MAX_PATTERN} characters", code=USAGE)
    try:
        found = re.compile(text, re.IGNORECASE if ignore_case else 0)
    except (re.error, RecursionError, OverflowError) as error:
        raise Problem(f"{text!r} is no regular expression", why=str(error), code=USAGE) from None
    return lambda line: found.search(plain(line[:MAX_MATCHED]).decode("utf-8", "replace")) is not None
