"""The pump by itself, on real pipes and files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.base.clock import SystemClock
from supervisor.base.loop import Loop
from supervisor.engine.pump import Pump

LINES = b"".join(b"line %05d\n" % number for number in range(5000))  # 55,000 bytes: a pipe holds them


@pytest.fixture
def loop() -> Iterator[Loop]:
    def fail(error: BaseException) -> None:
        raise error

    loop = Loop(SystemClock(), fail)
    yield loop
    loop.close()


def pump_of(loop: Loop, path: Path, *, limit: int, keep: int) -> tuple[Pump, int]:
    read_fd, write_fd = os.pipe()
    return Pump(loop, read_fd, str(path), limit=limit, keep=keep), write_fd


def in_order(path: Path) -> list[bytes]:
    """What the rotated files and the newest hold, oldest first."""
    rotated = sorted(path.parent.glob(f"{path.name}.*[0-9]"), key=lambda file: -int(file.suffix[1:]))
    return [file.read_bytes() for file in [*rotated, path] if file.exists()]


def test_a_drain_takes_everything_over_any_number_of_rotations(loop: Loop, tmp_path: Path) -> None:
    pump, write_fd = pump_of(loop, tmp_path / "log", limit=1000, keep=100)
    os.write(write_fd, LINES)

    pump.drain()

    files = in_order(tmp_path / "log")
    assert b"".join(files) == LINES
    assert len(files) > 40
    assert all(data.endswith(b"\n") for data in files)
    pump.close()
    os.close(write_fd)


def test_the_end_of_the_stream_closes_it(loop: Loop, tmp_path: Path) -> None:
    pump, write_fd = pump_of(loop, tmp_path / "log", limit=10**6, keep=1)
    os.write(write_fd, b"last words")
    os.close(write_fd)

    pump.drain()

    assert (tmp_path / "log").read_bytes() == b"last words"
    assert not pump.open


def test_a_successor_goes_on_at_the_end_of_the_file(loop: Loop, tmp_path: Path) -> None:
    read_fd, write_fd = os.pipe()
    for part in (b"one\n", b"two\n"):
        pump = Pump(loop, os.dup(read_fd), str(tmp_path / "log"), limit=10**6, keep=1)
        os.write(write_fd, part)
        pump.drain()
        pump.close()
    os.close(read_fd)
    os.close(write_fd)

    assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"


def test_a_line_longer_than_the_limit_stays_whole(loop: Loop, tmp_path: Path) -> None:
    pump, write_fd = pump_of(loop, tmp_path / "log", limit=100, keep=3)
    long = b"x" * 30_000 + b"\n"
    os.write(write_fd, b"short\n" + long + b"after\n")

    pump.drain()

    assert in_order(tmp_path / "log") == [b"short\n" + long, b"after\n"]
    pump.close()
    os.close(write_fd)


def test_where_splice_is_not_to_be_had_bytes_are_copied(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "splice", refuse)
    pump, write_fd = pump_of(loop, tmp_path / "log", limit=1000, keep=100)
    os.write(write_fd, LINES)

    pump.drain()

    assert b"".join(in_order(tmp_path / "log")) == LINES
    assert pump.dropped == 0
    pump.close()
    os.close(write_fd)
