"""Lines to stdout, whatever that is and whoever has stopped looking."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import resource
import socket
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import eventually

from supervisor.daemons import common, foreground
from supervisor.daemons.foreground import Lines

Ends = tuple[int, int]  # to read from, to write to


def make_pipe() -> Ends:
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
    return read_end, write_end


def make_socket() -> Ends:
    ours, theirs = socket.socketpair()
    return ours.detach(), theirs.detach()


@pytest.fixture(params=[make_pipe, make_socket])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    read_end, write_end = request.param()
    os.set_blocking(read_end, False)
    yield read_end, write_end
    for fd in (read_end, write_end):
        try:
            os.close(fd)
        except OSError:
            continue  # a test has closed it


def read_all(fd: int) -> bytes:
    found = b""
    while True:
        try:
            data = os.read(fd, 1 << 16)
        except BlockingIOError:
            return found
        if not data:
            return found
        found += data


def show_until_full(lines: Lines, text: str = "x" * 30) -> int:
    for number in range(100_000):
        lines.show(text)
        if lines._dropped:
            return number
    raise AssertionError("it took everything")


def test_what_is_not_taken_is_dropped_and_owned_up_to(ends: Ends) -> None:
    read_end, write_end = ends
    lines = Lines(write_end)
    shown = show_until_full(lines)
    for _ in range(4):
        lines.show("z" * 30)
    found = read_all(read_end)
    lines.show("again")
    found += read_all(read_end)
    lines.close()

    assert shown > 10
    assert found.splitlines() == [b"x" * 30] * shown + [b"sbctl: 5 lines dropped: nobody took them", b"again"]


def test_a_line_that_was_taken_in_part_is_finished_first(ends: Ends) -> None:
    read_end, write_end = ends
    lines = Lines(write_end)
    lines.show("y" * 1_000_000)
    found = b""
    while lines._rest:
        lines.show("dropped")
        found += read_all(read_end)
    lines.show("after it")
    found += read_all(read_end)

    assert found.splitlines()[0] == b"y" * 1_000_000
    assert found.splitlines()[-1] == b"after it"
    assert b"y" not in b"".join(found.splitlines()[1:]).replace(b"nobody", b"")


def test_the_callers_own_descriptor_stays_as_it_is(ends: Ends) -> None:
    lines = Lines(ends[1])
    lines.show("one")

    assert os.get_blocking(ends[1])
    lines.close()
    os.fstat(ends[1])


def test_a_reader_that_leaves_is_no_failure(ends: Ends) -> None:
    lines = Lines(ends[1])
    os.close(ends[0])
    for _ in range(3):
        lines.show("to nobody")

    assert lines._dropped == 3
    Lines(ends[1]).show("nobody from the start")


def read_lines(fd: int, count: int) -> bytes:
    """A terminal hands on what was written when it gets to it, not at once."""
    os.set_blocking(fd, False)
    found = bytearray()

    def enough() -> bool:
        with contextlib.suppress(BlockingIOError):
            found.extend(os.read(fd, 4096))
        return found.count(b"\n") >= count

    eventually(enough, 5, f"{count} lines")
    return bytes(found)


def test_a_stopped_terminal_is_not_waited_for() -> None:
    master, slave = pty.openpty()
    try:
        lines = Lines(slave)
        lines.show("one")
        termios.tcflow(slave, termios.TCOOFF)  # Ctrl-S
        lines.show("two")
        termios.tcflow(slave, termios.TCOON)
        lines.show("three")
        found = read_lines(master, 3)
        lines.close()
    finally:
        os.close(master)
        os.close(slave)

    assert found.split(b"\r\n") == [b"one", b"sbctl: 1 line dropped: nobody took them", b"three", b""]


def test_a_file_keeps_one_place_to_write_at(tmp_path: Path) -> None:
    """`>out 2>&1`: two that share it must not overwrite each other."""
    with open(tmp_path / "out", "wb", buffering=0) as file:
        lines = Lines(file.fileno())
        lines.show("one")
        file.write(b"two\n")
        lines.show("three \udcff")

    assert (tmp_path / "out").read_bytes() == b"one\ntwo\nthree \\udcff\n"


def test_a_closed_descriptor_is_no_failure() -> None:
    Lines(987).show("to nobody")


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Read end of what `complain` writes to."""
    read_end, write_end = make_pipe()
    os.set_blocking(read_end, False)
    monkeypatch.setattr(foreground, "Lines", lambda _fd: Lines(write_end))
    yield read_end
    os.close(read_end)
    os.close(write_end)


def defect() -> BaseException:
    try:
        raise ValueError("that went wrong")
    except ValueError as error:
        return error


def test_a_defect_is_told_with_its_traceback(stderr: int) -> None:
    common.report(defect())

    told = read_all(stderr).decode()
    assert told.startswith("Traceback")
    assert told.endswith("ValueError: that went wrong\n")


def test_a_defect_is_told_without_a_descriptor_to_spare(stderr: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    error = defect()
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, before[1]))
    try:
        common.report(error)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert b"ValueError" in read_all(stderr)


class Wordless(Exception):
    def __str__(self) -> str:
        raise OSError


def test_a_defect_is_told_without_a_way_to_show_its_traceback(stderr: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "traceback", None)
    common.report(defect())
    common.report(Wordless())

    assert read_all(stderr) == b"ValueError: that went wrong\nWordless, and its words can't be shown\n"
