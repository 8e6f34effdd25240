"""R27: `start --foreground`, whose output goes to whatever the caller has: it may not be read, or be gone."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.scheduling import Scheduling
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


def start_in_foreground(daemon: Daemon, out: int, *words: str) -> None:
    assert daemon.compile()["ok"]
    command = [*role_command("start", str(daemon.home.path)), "--foreground", *words]
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
    """What does not fit waits for a reader that is only slow."""
    read_end, write_end = full_pipe
    daemon.home.add_plugin("server", child("ready"))
    start_in_foreground(daemon, write_end)

    assert daemon.row("server")["state"] == "running"
    assert os.get_blocking(write_end), "the caller's own flags were changed"
    hang_up(daemon)
    lines: list[str] = []
    rest = b""

    def read_on() -> bool:
        nonlocal rest
        with contextlib.suppress(BlockingIOError):
            rest += os.read(read_end, 1 << 16)
        *whole, rest = rest.split(b"\n")
        lines.extend(line.decode() for line in whole)
        return any("SIGHUP ignored" in line for line in lines)

    eventually(read_on)
    assert any("started, pid" in line for line in lines)
    assert daemon.stop() == 0
    assert daemon.home.pids() == []


def test_a_flood_that_nobody_reads_is_dropped_and_counted(daemon: Daemon, full_pipe: tuple[int, int]) -> None:
    read_end, write_end = full_pipe
    for number in range(2):
        daemon.home.add_plugin(f"loud{number}", child("spew", 3000, 0, 1000, "stay"))
    start_in_foreground(daemon, write_end, "--output", "--log-format", "json")
    eventually(lambda: all(daemon.home.log(f"loud{n}").count("\n") > 3000 for n in range(2)), 20)
    hang_up(daemon)  # comes last
    assert daemon.row("scheduler")["state"] == "running"

    got = bytearray()
    reader = threading.Thread(target=read_to_end, args=(os.dup(read_end), got))
    reader.start()
    assert daemon.stop() == 0
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, write_end)  # no writer is left, and the fixture still has something to close
    os.close(null)
    reader.join(10)

    lines = [json.loads(line) for line in bytes(got).partition(b"{")[2].join((b"{", b"")).splitlines()]
    assert [line["text"] for line in lines if line["kind"] == "output.dropped"]
    assert lines[-1]["text"] == "everything has stopped"


def read_to_end(fd: int, got: bytearray) -> None:
    os.set_blocking(fd, True)
    while data := os.read(fd, 1 << 16):
        got += data
    os.close(fd)


@pytest.mark.parametrize("form", ["text", "json"])
def test_events_of_all_and_output_of_the_servers_are_shown(daemon: Daemon, form: str, tmp_path: Path) -> None:
    """Through a death of the scheduler; without it, a collector of a container would not know of it."""
    talk = "echo first; echo oops >&2; while [ ! -e gone ]; do sleep 0.05; done; echo second; exec sleep 60"
    daemon.home.add_plugin("web", ["/bin/sh", "-c", talk], log={"stderr": "separate"})
    with open(tmp_path / "out", "wb") as out:
        start_in_foreground(daemon, out.fileno(), "--output", "--log-format", form)
    eventually(lambda: "first" in (tmp_path / "out").read_text())
    daemon.kill_scheduler()
    (daemon.home.path / "plugins" / "web" / "gone").touch()
    eventually(lambda: "second" in (tmp_path / "out").read_text())
    daemon.in_phase("web", "running")
    assert daemon.stop() == 0
    text = (tmp_path / "out").read_text()

    if form == "text":
        lines = text.splitlines()
        assert {"web | first", "web | oops", "web | second", "everything has stopped"} <= set(lines)
        assert sum(line.startswith("web: started, pid") for line in lines) == 1
        return
    shown = [json.loads(line) for line in text.splitlines()]
    assert all(list(line)[:5] == ["time", "level", "kind", "service", "text"] for line in shown)
    said = [(line["service"], line["stream"], line["text"]) for line in shown if line["kind"] == "output"]
    assert sorted(said) == [("web", "err", "oops"), ("web", "out", "first"), ("web", "out", "second")]
    kinds = [line["kind"] for line in shown]
    assert kinds.count("start.began") == kinds.count("start.stopped") == 1
    assert kinds.count("scheduler.began") == 2
    assert "service.exited" in kinds


def test_a_step_of_a_run_is_shown_under_one_name_whoever_reads_it(scheduling: Scheduling, tmp_path: Path) -> None:
    desk, out = scheduling, tmp_path / "out"
    script = f"echo first; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo second; while :; do sleep 0.05; done"
    desk.job("job", script)
    with open(out, "wb") as file:
        start_in_foreground(desk.daemon, file.fileno(), "--output")
    desk.run("job")
    eventually(lambda: "job/get | first" in out.read_text())
    desk.daemon.kill_scheduler()
    (tmp_path / "go").touch()
    eventually(lambda: "| second" in out.read_text())
    assert desk.daemon.stop() == 0

    lines = out.read_text().splitlines()
    assert [line for line in lines if " | " in line] == ["job/get | first", "job/get | second"]


def test_without_output_only_events_are_shown(daemon: Daemon, tmp_path: Path) -> None:
    daemon.home.add_plugin("web", ["/bin/sh", "-c", "echo first; exec sleep 60"])
    with open(tmp_path / "out", "wb") as out:
        start_in_foreground(daemon, out.fileno())
    eventually(lambda: "first" in daemon.home.log("web"))
    assert daemon.stop() == 0

    assert "web: started, pid" in (tmp_path / "out").read_text()
    assert "first" not in (tmp_path / "out").read_text()


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_line_is_torn_under_load(daemon: Daemon, form: str) -> None:
    """Three that write all the time, two deaths of the scheduler, and a reader that keeps up."""
    for number in range(3):
        daemon.home.add_plugin(f"loud{number}", child("spew", 0, 1000))
    read_end, write_end = os.pipe()
    got = bytearray()
    reader = threading.Thread(target=read_to_end, args=(read_end, got))
    reader.start()
    try:
        start_in_foreground(daemon, write_end, "--output", "--log-format", form)
        for _ in range(2):
            eventually(lambda: daemon.home.log("loud0").count("\n") > 500)
            killed = daemon.pid("scheduler")
            daemon.kill_scheduler()
            eventually(lambda killed=killed: daemon.pid("scheduler") != killed)  # type: ignore[misc]
        daemon.settle()
        assert daemon.stop() == 0
    finally:
        os.close(write_end)
        reader.join(10)
    lines = bytes(got).decode().splitlines()

    assert bytes(got).endswith(b"\n")
    assert lines[-1].endswith("everything has stopped" if form == "text" else '"everything has stopped"}')
    if form == "json":
        shown = [json.loads(line) for line in lines]
        written = [(line["service"], line["text"]) for line in shown if line["kind"] == "output"]
    else:
        written = [(name, text) for name, bar, text in (line.partition(" | ") for line in lines) if bar]
    whole = [text for _, text in written if re.fullmatch(r"\d{10}\.{89}", text)]
    known = {*whole, "ready"}
    others = [text for _, text in written if text not in known and "more" not in text]
    assert len(whole) > 1500
    assert len(others) <= 3 * 2 * 2, "a death of the scheduler may cut one line of each in two, and nothing else may"
    assert all(name.startswith("loud") and " | " not in text for name, text in written)


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
