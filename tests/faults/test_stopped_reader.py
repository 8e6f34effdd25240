"""R07, R09: who reads a service's output stands still, or its calls fail; a job that talks too much at once.

The child waits at a full pipe and no longer than that; nobody else is affected; no byte is lost that could be kept, and
what could not is counted.
"""

from __future__ import annotations

import array
import fcntl
import os
import signal
import termios
from pathlib import Path

import pytest
from support.children import child
from support.daemon import PYTHON, Daemon
from support.injecting import attached, injected
from support.numbers import check_numbers, raw_files
from support.processes import kill
from support.scheduling import Scheduling
from support.waiting import eventually

from supervisor.base import proc

PIPE = 65536
BURST = 20_000  # lines of 100 bytes: some thirty calls of the reader
LINE = 100
SELDOM = [pytest.param(error, marks=pytest.mark.slow) for error in ("ENOMEM", "EAGAIN")]


# it stands still


def test_a_child_waits_at_64_kib_and_no_other_notices(daemon: Daemon) -> None:
    daemon.home.add_plugin("burst", child("burst", BURST))
    daemon.home.add_plugin("steady", child("spew", 0, 100))
    daemon.home.add_plugin("quiet", child("print_signals"))
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("burst") and "ready" in daemon.home.log("quiet"))
    pids = {name: daemon.row(name)["pid"] for name in ("burst", "steady", "quiet")}
    scheduler = daemon.pid("scheduler")
    os.kill(scheduler, signal.SIGSTOP)
    try:
        kill(pids["burst"], signal.SIGUSR1)

        eventually(lambda: in_pipe(pids["burst"]) == PIPE, 5, "the pipe is full")
        eventually(lambda: waits_for(pids["burst"], "pipe"), 5, "the loud one waits")
        assert daemon.ask("start", "ping")["ok"]
        answer = daemon.home.sbctl("status", "--json", timeout=10)
        assert {row["name"] for row in answer.json()["services"]} >= {"burst", "steady", "quiet"}
        assert not waits_for(pids["steady"], "pipe")
        kill(pids["quiet"], signal.SIGUSR1)
        eventually(lambda: in_pipe(pids["quiet"]) > 0, 5, "the quiet one has answered")
    finally:
        os.kill(scheduler, signal.SIGCONT)

    eventually(lambda: ends_with(daemon, "burst", BURST - 1))
    eventually(lambda: "got SIGUSR1" in daemon.home.log("quiet"))
    assert {name: daemon.row(name)["pid"] for name in pids} == pids
    assert daemon.stop() == 0
    assert check_numbers(daemon.home, "burst") == BURST
    check_numbers(daemon.home, "steady", at_least=10)


def in_pipe(pid: int) -> int:
    """Bytes of its output that nobody has taken yet."""
    fd = os.open(f"/proc/{pid}/fd/1", os.O_RDONLY | os.O_NONBLOCK)
    try:
        count = array.array("i", [0])
        fcntl.ioctl(fd, termios.FIONREAD, count)
        return count[0]
    finally:
        os.close(fd)


def waits_for(pid: int, what: str) -> bool:
    return what in Path(f"/proc/{pid}/wchan").read_text()


def ends_with(daemon: Daemon, name: str, number: int) -> bool:
    return f"{number:010d}" in daemon.home.log(name)[-3 * LINE :]


# its calls fail


@pytest.fixture
def burst(daemon: Daemon) -> Daemon:
    daemon.home.add_plugin("burst", child("burst", BURST))
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("burst"))
    return daemon


@pytest.mark.parametrize("error", ["EIO", "EINTR", *SELDOM])
def test_single_calls_of_the_reader_that_fail_cost_no_byte(burst: Daemon, tmp_path: Path, error: str) -> None:
    pid, scheduler, log = burst.row("burst")["pid"], burst.pid("scheduler"), tmp_path / "calls"
    with attached(scheduler, log, f"splice:error={error}:when=2+5", calls=("splice",), threads=False):
        kill(pid, signal.SIGUSR1)
        eventually(lambda: ends_with(burst, "burst", BURST - 1), 20)

    assert len(injected(log)) >= 3
    assert (burst.row("burst")["pid"], burst.pid("scheduler")) == (pid, scheduler)
    assert burst.stop() == 0
    assert check_numbers(burst.home, "burst") == BURST
    assert burst.events("burst", "log.failed") == []
    assert "Traceback" not in (burst.home.path / "logs" / "scheduler.out").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("error", ["EIO", *SELDOM])
def test_a_look_ahead_that_fails_puts_a_rotation_off_and_costs_no_byte(
    daemon: Daemon, tmp_path: Path, error: str
) -> None:
    daemon.home.settings["logs"] = {"maxMb": 0.25, "keep": 20, "gzip": False}
    daemon.home.write()
    daemon.home.add_plugin("burst", child("burst", BURST))
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("burst"))
    log = tmp_path / "calls"
    with attached(daemon.pid("scheduler"), log, f"tee:error={error}:when=1+2", calls=("tee",), threads=False):
        kill(daemon.row("burst")["pid"], signal.SIGUSR1)
        eventually(lambda: ends_with(daemon, "burst", BURST - 1), 20)

    assert len(injected(log)) >= 3
    assert daemon.stop() == 0
    assert check_numbers(daemon.home, "burst") == BURST
    assert len(raw_files(daemon.home, "burst")) > 3
    assert "Traceback" not in (daemon.home.path / "logs" / "scheduler.out").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("error", ["EIO", SELDOM[0]])
def test_single_reads_of_the_scheduler_that_fail_cost_nothing(daemon: Daemon, tmp_path: Path, error: str) -> None:
    """Of what its probes say, of /proc, of files."""
    probe = {"exec": "echo fine", "intervalSeconds": 0.1, "timeoutSeconds": 2}
    for number in range(3):
        daemon.home.add_plugin(f"probed{number}", child("ready"), alive=probe)
    daemon.start()
    before = {name: row["pid"] for name, row in daemon.rows().items()}
    eventually(
        lambda: proc.command_of(daemon.pid("scheduler")).startswith("sbctl: "), message="it has loaded all it needs"
    )
    log = tmp_path / "calls"
    with attached(daemon.pid("scheduler"), log, f"read:error={error}:when=2+3", calls=("read",), threads=False):
        eventually(lambda: len(injected(log)) >= 20 and daemon.ask("scheduler", "status"), 20)

    assert {name: row["pid"] for name, row in daemon.rows().items()} == before
    assert daemon.stop() == 0
    assert "Traceback" not in (daemon.home.path / "logs" / "scheduler.out").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("error", ["EIO", SELDOM[0]])
def test_a_disk_that_fails_for_a_while_holds_up_nobody_and_each_byte_is_counted(
    burst: Daemon, tmp_path: Path, error: str
) -> None:
    pid, scheduler, log = burst.row("burst")["pid"], burst.pid("scheduler"), tmp_path / "calls"
    with attached(scheduler, log, f"splice:error={error}", calls=("splice",), threads=False):
        kill(pid, signal.SIGUSR1)
        eventually(lambda: burst.events("burst", "log.failed"), 10)
        eventually(lambda: waits_for(pid, "sig"), 20, "the burst is over: nobody has held it up")
    kill(pid, signal.SIGUSR1)
    eventually(lambda: burst.events("burst", "log.recovered") or again(pid), 20)

    [event] = burst.events("burst", "log.recovered")
    assert len(burst.events("burst", "log.failed")) == 1
    assert burst.row("burst")["pid"] == pid
    eventually(lambda: waits_for(pid, "sig") and in_pipe(pid) == 0, 20)
    bursts = number_of_bursts(burst)
    assert burst.stop() == 0
    kept = sum(path.stat().st_size for path in raw_files(burst.home, "burst"))
    assert kept + event["data"]["lost"] == len("ready\n") + bursts * BURST * LINE


def again(pid: int) -> None:
    """The disk is tried again once a second, with what comes then."""
    kill(pid, signal.SIGUSR1)


def number_of_bursts(daemon: Daemon) -> int:
    """By the last line."""
    last = (daemon.home.path / "logs" / "burst" / "server.log").read_bytes().split(b"\n")[-2]
    return (int(last[:10]) + 1) // BURST


# a job that talks too much

LOUD = "import sys; sys.stderr.write('x' * (1 << 20)); sys.stderr.flush()"


@pytest.mark.slow
def test_a_job_that_says_a_megabyte_at_once_is_recorded_and_comes_again(scheduling: Scheduling) -> None:
    desk = scheduling
    desk.job("loud", [PYTHON, "-I", "-S", "-c", LOUD], intervalSeconds=1, missedSpreadSeconds=0)
    desk.start()

    runs = desk.first("loud", 2, timeout=5)

    for run in runs:
        assert (run["state"], run["exit_code"]) == ("succeeded", 0)
        assert desk.log(run).count("x") >= 1 << 20
