"""The output of a run: beginning and end are kept, in about as much as was asked for, whatever it looks like."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes import FakeLoop

from supervisor.engine.pump import Pump

PART = (1 << 20) // 3  # of outputMaxMb 1
CHUNK = 60_000


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read_fd, write_fd = os.pipe()
    yield read_fd, write_fd
    os.close(write_fd)


def fill(pipe: tuple[int, int], path: Path, words: bytes) -> None:
    """These again and again, 10 MB of them."""
    loop = FakeLoop()
    pump = Pump(loop, pipe[0], str(path), limit=PART, keep=1, head=True)
    data = words * (CHUNK // len(words))
    for _ in range(10_000_000 // CHUNK):
        os.write(pipe[1], data)
        pump.drain()
    pump.close()
    loop.close()


@pytest.mark.parametrize(
    "words", [b"x", b"a line\n", b"y" * 29_999 + b"\n"], ids=["no line ends", "lines", "long lines"]
)
def test_the_cap_holds_also_for_output_without_line_ends(pipe: tuple[int, int], tmp_path: Path, words: bytes) -> None:
    fill(pipe, tmp_path / "log", words)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}

    assert set(sizes) <= {"log", "log.1", "log.head"}
    assert PART <= sizes["log.head"] <= PART * 1.25
    assert sum(sizes.values()) <= 3 * PART * 1.25


def test_a_line_that_is_not_too_long_is_kept_whole(pipe: tuple[int, int], tmp_path: Path) -> None:
    fill(pipe, tmp_path / "log", b"y" * 29_999 + b"\n")

    for path in tmp_path.iterdir():
        assert path.read_bytes().endswith(b"\n")
        assert path.stat().st_size % 30_000 == 0
