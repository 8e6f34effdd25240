"""What the servers print, on its way to stdout: whole lines, a cap, a count of what is left out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes import FakeLoop

from supervisor.events.shown import LINES_PER_S, LONGEST, Shown


class Rig:
    """A raw file, and the lines that were shown."""

    def __init__(self, path: Path) -> None:
        self.loop = FakeLoop()
        self.lines: list[tuple[str, str, str]] = []
        self.shown = Shown(self.loop, self._show)
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT)
        self.size = 0

    def _show(self, at: float, name: str, stream: str, lines: list[str]) -> None:
        assert at == self.loop.clock.wall()
        self.lines += [(name, stream, line) for line in lines]

    def write(self, data: bytes, name: str = "web", stream: str = "out") -> None:
        os.pwrite(self.fd, data, self.size)
        start, self.size = self.size, self.size + len(data)
        self.shown.output(name, stream, self.fd, start, self.size)

    @property
    def texts(self) -> list[str]:
        return [line for _, _, line in self.lines]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "raw")
    yield made
    made.loop.close()
    with contextlib.suppress(OSError):  # a test has closed it
        os.close(made.fd)


def test_lines_wait_for_their_end_each_stream_for_its_own(rig: Rig) -> None:
    rig.write(b"one\ntw")
    rig.write(b"err", stream="err")
    rig.write(b"o\n")
    rig.shown.finish("web")

    assert rig.lines == [("web", "out", "one"), ("web", "out", "two"), ("web", "err", "err")]


def test_what_is_no_text_is_made_one(rig: Rig) -> None:
    rig.write(b"\xff\x1b[2J\rdone\n")

    assert rig.texts == ["done"]


def test_a_line_without_an_end_comes_in_pieces(rig: Rig) -> None:
    rig.write(b"x" * 200_000 + b"\n")
    rig.shown.finish("web")

    assert max(map(len, rig.texts)) == LONGEST
    assert sum(map(len, rig.texts)) <= 200_000


def test_a_flood_is_capped_and_counted(rig: Rig) -> None:
    for _ in range(10):
        rig.write(b"line\n" * 1000)
    assert rig.texts == ["line"] * LINES_PER_S
    rig.loop.pass_time(1.5)
    told = rig.texts[LINES_PER_S:]
    rig.write(b"the rest of a line that was begun unseen\nagain\n")

    assert len(told) == 1
    assert "more" in told[0]
    assert "sbctl logs web" in told[0]
    assert rig.texts[-1] == "again"


def test_a_raw_file_that_can_not_be_read_back_costs_its_lines_only(rig: Rig) -> None:
    os.close(rig.fd)
    rig.shown.output("web", "out", rig.fd, 0, 10)
    rig.shown.finish("web")

    assert ["10 bytes" in text for text in rig.texts] == [True]
