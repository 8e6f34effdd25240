"""The pump by itself, on real pipes and files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.base.clock import SystemClock
from supervisor.base.loop import Loop
from supervisor.engine.pump import Pump
from supervisor.engine.raw_file import PIPE_SIZE, WIDE
from supervisor.engine.source import FULL

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


def held(fd: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ)


def fill(loop: Loop, write_fd: int, block: bytes, times: int) -> int:
    """So many times as much as the pipe takes, in such blocks."""
    os.set_blocking(write_fd, False)
    written = 0
    for _ in range(times):
        with contextlib.suppress(BlockingIOError):
            while True:
                written += os.write(write_fd, block)
        loop.turn(0)
    return written


def test_a_pipe_that_is_full_again_and_again_gets_wider(loop: Loop, tmp_path: Path) -> None:
    pump, write_fd = pump_of(loop, tmp_path / "log", limit=10**9, keep=1)

    written = fill(loop, write_fd, LINES[:4000], FULL - 1)
    assert held(write_fd) == PIPE_SIZE
    written += fill(loop, write_fd, LINES[:4000], 3)

    assert held(write_fd) == WIDE
    assert os.path.getsize(tmp_path / "log") == written > 2 * WIDE
    pump.close()
    os.close(write_fd)


def test_one_that_is_full_now_and_then_does_not(loop: Loop, tmp_path: Path) -> None:
    pump, write_fd = pump_of(loop, tmp_path / "log", limit=10**9, keep=1)
    for _ in range(3):
        fill(loop, write_fd, LINES[:4000], FULL - 1)
        os.write(write_fd, b"a line\n")
        loop.turn(0)

    assert held(write_fd) == PIPE_SIZE
    pump.close()
    os.close(write_fd)


def test_a_kernel_that_grants_no_more_is_asked_and_not_needed(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def refuse(fd: int, number: int, *_: int) -> int:
        asked.append(number)
        raise PermissionError(1, "Operation not permitted")

    pump, write_fd = pump_of(loop, tmp_path / "log", limit=10**9, keep=1)
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "fcntl", refuse)
        written = fill(loop, write_fd, LINES[:4000], FULL + 5)

    assert asked == [fcntl.F_SETPIPE_SZ]
    assert os.path.getsize(tmp_path / "log") == written
    pump.close()
    os.close(write_fd)


def test_a_drain_takes_all_of_a_pipe_that_a_predecessor_has_widened(loop: Loop, tmp_path: Path) -> None:
    pump, write_fd = pump_of(loop, tmp_path / "log", limit=10**9, keep=1)
    fcntl.fcntl(write_fd, fcntl.F_SETPIPE_SZ, WIDE)
    os.write(write_fd, LINES * 4)

    pump.drain()

    assert (tmp_path / "log").read_bytes() == LINES * 4
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


def refuse(*_: object, **__: object) -> int:
    raise OSError(22, "Invalid argument")


def test_where_splice_is_not_to_be_had_bytes_are_copied(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "splice", refuse)
    pump, write_fd = pump_of(loop, tmp_path / "log", limit=1000, keep=100)
    os.write(write_fd, LINES)

    pump.drain()

    assert b"".join(in_order(tmp_path / "log")) == LINES
    assert pump.dropped == 0
    pump.close()
    os.close(write_fd)


def test_what_was_read_for_a_disk_that_takes_no_more_is_counted_as_lost(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There nothing stays in the pipe for later, as it does where splice is to be had."""
    monkeypatch.setattr(os, "splice", refuse)
    lost: list[int] = []
    read_fd, write_fd = os.pipe()
    pump = Pump(loop, read_fd, str(tmp_path / "log"), limit=10**6, keep=1, on_lost=lost.append)
    os.write(write_fd, b"first\n")
    pump.drain()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        os.write(write_fd, b"second\n")
        pump.drain()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)

    assert (tmp_path / "log").read_bytes() == b"first\nseco"
    assert (sum(lost), pump.dropped) == (3, 3)
    pump.close()
    os.close(write_fd)
