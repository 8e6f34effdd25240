"""Every numbered line of every life is in the raw files once and in order, as far as it has written them.

A process that was killed may end anywhere, but what it had written is there: each counts its lines where a kill does
not reach, after the write. Only pipes that died with both daemons may have had a rest in them, and a full disk takes
some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .evidence import Evidence, Life, Violation
from .windows import DEATHS_OF_START, Windows

LINE = re.compile(rb"#(\d+-\d+) ([oe]) (\d{10}) \.*$")
PLAIN = (b"ready",)
SHOWN = 5  # of one log


class Stream(NamedTuple):
    life: str
    letter: str


class Found:
    """What one stream of one life has in the log."""

    __slots__ = ("gaps", "last", "wrong")

    def __init__(self) -> None:
        self.last = 0
        self.gaps = 0
        self.wrong = ""  # twice, or out of order


def check_lines(evidence: Evidence) -> Iterator[Violation]:
    windows = Windows(evidence.faults)
    lives = {life.name: life for life in evidence.lives}
    found: dict[str, dict[Stream, Found]] = {}
    for (name, log), lines in evidence.lines.items():
        streams, torn = read(lines)
        found.setdefault(name, {}).update(streams)
        yield from _check_torn(f"{name}, {log}", torn, name, windows)
    for name, streams in found.items():
        for stream, seen in streams.items():
            life = lives.get(stream.life)
            if life is None or life.service != name:
                yield Violation("stray line", name, f"lines of {stream.life}, which is no life of it")
            elif seen.wrong:
                yield Violation("double line", name, f"{stream}: {seen.wrong}")
            elif seen.gaps and not full_disk(windows, life):
                yield Violation("missing line", name, f"{stream}: {seen.gaps} are missing before {seen.last}")
    for life in evidence.lives:
        streams = found.get(life.service, {})
        for letter, count in (("o", life.out), ("e", life.err)):
            last = streams.get(Stream(life.name, letter), Found()).last
            yield from _check_end(life, letter, count, last, windows)


def read(lines: Iterable[bytes]) -> tuple[dict[Stream, Found], list[bytes]]:
    """By stream; and lines that are none."""
    streams: dict[Stream, Found] = {}
    torn: list[bytes] = []
    for line in lines:
        match = LINE.search(line)
        if (match is None or match.start()) and line not in PLAIN:
            torn.append(line)  # perhaps with the first line of the next life behind it
        if match is None:
            continue
        number = int(match[3])
        seen = streams.setdefault(Stream(match[1].decode(), match[2].decode()), Found())
        if number <= seen.last:
            seen.wrong = seen.wrong or f"{number} after {seen.last}"
        else:
            seen.gaps += number - seen.last - 1
            seen.last = number
    return streams, torn


def count_lines(evidence: Evidence) -> int:
    return sum(life.out + life.err for life in evidence.lives)


def full_disk(windows: Windows, life: Life) -> bool:
    return windows.touch(life.began, life.last, "fill_disk", target=life.service)


def _check_torn(where: str, torn: list[bytes], name: str, windows: Windows) -> Iterator[Violation]:
    """Nobody knows when a line was torn: so many are believed as there were occasions."""
    occasions = sum(1 for _ in windows.of(*DEATHS_OF_START)) + 2 * sum(1 for _ in windows.of("fill_disk", target=name))
    if len(torn) > occasions:
        yield Violation("torn line", where, f"{len(torn)} lines are none: {torn[:SHOWN]}")


def _check_end(life: Life, letter: str, count: int, last: int, windows: Windows) -> Iterator[Violation]:
    if last > count + 1:
        yield Violation("stray line", life.service, f"{last} lines of {letter} of {life}, which has written {count}")
    pipe_died = windows.touch(life.last - 1.0, life.last + 1.0, *DEATHS_OF_START)
    if last < count and not pipe_died and not full_disk(windows, life):
        yield Violation("missing line", life.service, f"{count - last} of {letter} are missing at the end of {life}")
