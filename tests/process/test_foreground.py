"""`start --foreground`, whose output goes to whatever the caller has: it may not be read, or be gone."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from support.children import child
from support.daemon import Daemon
from support.waiting import eventually

from supervisor.base.where import role_command


@pytest.fixture
def full_pipe() -> Iterator[tuple[int, int]]:
    """A pipe that takes nothing more, as of `| less` that nobody scrolls."""
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
    os.write(write_end, b"x" * 4096)
    os.set_blocking(read_end, False)
    yield read_end, write_end
    os.close(read_end)
    os.close(write_end)


def start_in_foreground(daemon: Daemon, out: int) -> None:
    assert daemon.compile()["ok"]
    command = [*role_command("start", str(daemon.home.path)), "--foreground"]
    daemon.process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=daemon.home.environment(), start_new_session=True
    )
    daemon.started.append(daemon.process)
    daemon.settle()


def hang_up(daemon: Daemon) -> None:
    """Makes one more event of `start` itself."""
    seen = len(daemon.events("", "signal.ignored"))
    os.kill(daemon.pid("start"), signal.SIGHUP)
    eventually(lambda: len(daemon.events("", "signal.ignored")) > seen)


def test_output_that_nobody_reads_stops_nothing(daemon: Daemon, full_pipe: tuple[int, int]) -> None:
    read_end, write_end = full_pipe
    daemon.home.add_plugin("server", child("ready"))
    start_in_foreground(daemon, write_end)

    assert daemon.row("server")["state"] == "running"
    assert os.get_blocking(write_end), "the caller's own flags were changed"
    os.read(read_end, 1 << 16)
    hang_up(daemon)
    said = os.read(read_end, 1 << 16).decode().splitlines()
    os.write(write_end, b"x" * (4096 - sum(len(line) + 1 for line in said)))

    assert said[0].endswith("lines dropped: nobody took them")
    assert "SIGHUP ignored" in said[1]
    assert daemon.stop() == 0
    assert daemon.home.pids() == []


def test_a_reader_that_leaves_stops_nothing(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    read_end, write_end = os.pipe()
    try:
        start_in_foreground(daemon, write_end)
    finally:
        os.close(write_end)
        os.close(read_end)
    hang_up(daemon)

    assert daemon.row("server")["state"] == "running"
    assert daemon.stop() == 0


def test_a_closed_stdout_is_taken_by_nothing_else(daemon: Daemon) -> None:
    """Else the lock would get its number, and the events would be written into that."""
    daemon.home.add_plugin("server", child("ready"))
    assert daemon.compile()["ok"]
    daemon.launch("--foreground", through=("/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"))
    daemon.settle()

    assert os.readlink(f"/proc/{daemon.pid('start')}/fd/1") == "/dev/null"
    assert daemon.row("server")["state"] == "running"
    assert daemon.stop() == 0
    assert (daemon.home.path / "logs" / "run" / "start.lock").read_bytes() == b""


def test_events_are_shown_also_when_the_log_can_not_be_written(daemon: Daemon) -> None:
    (daemon.home.path / "logs").mkdir()
    (daemon.home.path / "logs" / "start.log").mkdir()
    daemon.home.add_plugin("server", child("ready"))
    assert daemon.compile()["ok"]
    daemon.launch("--foreground")
    daemon.settle()
    assert daemon.stop() == 0

    assert "everything has stopped" in daemon.output()
