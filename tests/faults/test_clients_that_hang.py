"""R44 R45: clients that never ask, never read, or leave without a word; followers of logs that are rotated.

Whoever asks properly is answered within a second; afterwards the daemons have no descriptor more, and sleep.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.home import LAUNCHER, TemporaryHome
from support.processes import open_files
from support.waiting import eventually

from supervisor.base.wire import frame
from supervisor.control.dial import dial

SOON_S = 1.0


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sleeps(pid: int) -> bool:
    """Over a second: that is what is measured."""
    used, began = cpu_s(pid), time.monotonic()
    eventually(lambda: time.monotonic() - began >= 1, 2)
    used = cpu_s(pid) - used
    assert used <= 0.05, f"{used} s of processor time in a second"
    return True


# the config server


@pytest.mark.slow
def test_a_hundred_slow_http_clients(home: TemporaryHome) -> None:
    home.sbctl("start")
    eventually(lambda: answer(home) == 200, 30)
    pid = home.pid("config")
    assert pid is not None
    base = open_files(pid)
    clients = subprocess.Popen(child("slow_clients", home.port, 100), stdout=subprocess.PIPE)
    try:
        assert clients.stdout is not None
        assert clients.stdout.readline() == b"ready\n"
        eventually(lambda: open_files(pid) > base + 50, 5, "they are connected")
        for _ in range(5):
            began = time.monotonic()
            assert answer(home) == 200
            assert time.monotonic() - began < SOON_S
        began = time.monotonic()
        assert home.sbctl("status").code == 0
        assert time.monotonic() - began < 2 * SOON_S
    finally:
        clients.kill()
        clients.communicate()
    eventually(lambda: open_files(pid) <= base + 1, 10, "their descriptors are closed")
    eventually(lambda: sleeps(pid), 5, "and nobody spins")
    assert home.pid("config") == pid


def answer(home: TemporaryHome) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", home.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


# the control sockets


@pytest.fixture
def running(daemon: Daemon) -> Daemon:
    daemon.home.add_plugin("web", child("ready"))
    return daemon.start()


def dialled(stack: ExitStack, daemon: Daemon, role: str, say: bytes = b"") -> Any:
    """A connection that says no more than this, and never reads."""
    sock = dial(daemon.model, role, 5)
    stack.callback(sock.close)
    sock.settimeout(5)
    sock.sendall(say)
    return sock


@pytest.mark.parametrize("role", [pytest.param("start", marks=pytest.mark.slow), "scheduler"])
def test_two_hundred_silent_clients(running: Daemon, role: str) -> None:
    pid = running.pid(role)
    base = open_files(pid)
    with ExitStack() as stack:
        for number in range(200):
            dialled(stack, running, role, b"\x00\x00" if number % 2 else b"")
        for _ in range(5):
            began = time.monotonic()
            assert running.ask(role, "status")["rows"]
            assert time.monotonic() - began < SOON_S
        assert running.home.sbctl("status").code == 0
        assert open_files(pid) < base + 70
    eventually(lambda: open_files(pid) <= base, 10, "their descriptors are closed")
    eventually(lambda: sleeps(pid), 5)


def test_who_waits_for_an_answer_is_not_hung_up_on_for_those_who_are_silent(running: Daemon) -> None:
    with ExitStack() as stack:
        asks = frame({"verb": "events", "since": "", "follow": True, "kinds": ["service.stopped"]})
        waiting = dialled(stack, running, "scheduler", asks)
        for _ in range(150):
            dialled(stack, running, "scheduler")
        running.ask("scheduler", "stop", names=["web"])
        assert b'"service.stopped"' in waiting.recv(65536)


@pytest.mark.slow
def test_two_hundred_followers_that_leave_or_never_read(running: Daemon) -> None:
    """R45: fifty at a time, since no more than 64 may be connected."""
    pid = running.pid("scheduler")
    base = open_files(pid)
    for _ in range(4):
        with ExitStack() as stack:
            for _ in range(50):
                dialled(stack, running, "scheduler", frame({"verb": "events", "since": "0.0", "follow": True}))
            running.ask("scheduler", "restart", names=["web"])
            began = time.monotonic()
            assert running.ask("scheduler", "status")["rows"]
            assert time.monotonic() - began < SOON_S
    eventually(lambda: open_files(pid) <= base, 10)
    running.ask("scheduler", "settle", names=None, timeout=10)
    eventually(lambda: sleeps(pid), 5, "no busy loop is left")
    assert "Traceback" not in (running.home.path / "logs" / "scheduler.out").read_text()


# followers of files


@pytest.mark.slow
def test_a_follower_through_twenty_rotations(daemon: Daemon, tmp_path: Path) -> None:
    home = daemon.home
    home.settings["logs"] = {"maxMb": 0.02, "keep": 60, "gzip": False}
    home.write()
    home.add_plugin("count", child("spew", 0, 2500))
    daemon.start()
    out = tmp_path / "followed"
    with out.open("wb") as file:
        words = [LAUNCHER, "logs", "-f", "-n", "0", "count"]
        follower = subprocess.Popen(words, env=home.environment(), stdout=file, stdin=subprocess.DEVNULL)
    others = [
        subprocess.Popen(words, env=home.environment(), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        for _ in range(3)
    ]
    try:
        eventually(lambda: out.stat().st_size > 0)
        for other in others:  # their reader goes, and so do they
            assert other.stdout is not None
            other.stdout.close()
        eventually((home.path / "logs" / "count" / "server.log.20").exists, 20)
        daemon.ask("scheduler", "stop", names=["count"])
        daemon.in_phase("count", "stopped")
        last = int(home.log("count").splitlines()[-1][:10])
        eventually(lambda: out.read_bytes().endswith(b"\n") and numbers(out)[-1] == last)
        seen = numbers(out)
        assert seen == list(range(seen[0], last + 1))
        eventually(lambda: all(other.poll() is not None for other in others), 5, "who has no reader ends")
        eventually(lambda: sleeps(follower.pid), 5)
    finally:
        for each in (follower, *others):
            each.send_signal(signal.SIGKILL)
            each.wait()


def numbers(out: Path) -> list[int]:
    return [int(line[:10]) for line in out.read_bytes().split(b"\n")[:-1]]
