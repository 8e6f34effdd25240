"""R36: a hundred children end at once, while SIGCHLD comes a thousand times a second, or each write takes its time.

Calls are broken off (EINTR) then, as a matter of course. Each end is told once, with its own code, and no daemon is the
worse for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.daemon import Daemon
from support.injecting import attached
from support.processes import kill
from support.waiting import eventually

COUNTS = [30, pytest.param(100, marks=pytest.mark.slow)]
DAEMONS = ("start", "scheduler")
SLOW = "write:delay_enter=5000"
# Each waits until the FIFO has been opened and closed by the test: all of them go on in the same moment.
WAITS = 'echo ready; read line <"$SB_HOME/gate"; echo going; exit {code}'


class Crowd:
    """So many servers, which all end when the gate is opened, each with a code of its own."""

    def __init__(self, daemon: Daemon, count: int) -> None:
        self.daemon = daemon
        self.names = [f"leaver{number}" for number in range(count)]
        self.codes = {name: 1 + number for number, name in enumerate(self.names)}
        self.gate = daemon.home.path / "gate"

    def start(self) -> None:
        os.mkfifo(self.gate)
        # What has ended and is not told of for two rounds is taken for lost; a busy machine is to prove nothing here.
        self.daemon.home.supervision["reconcileSeconds"] = 30
        self.daemon.home.write()
        for name, code in self.codes.items():
            self.daemon.home.add_plugin(name, ["/bin/sh", "-c", WAITS.format(code=code)], restart="never")
        self.daemon.start()
        eventually(lambda: all("ready" in self.daemon.home.log(name) for name in self.names), 20)

    def open_the_gate(self) -> None:
        os.close(os.open(self.gate, os.O_WRONLY))

    def exits(self) -> list[dict[str, Any]]:
        found = [event for event in self.daemon.home.events() if event["kind"] == "service.exited"]
        return [event for event in found if event["service"] in self.codes]

    def all_told(self) -> bool:
        return {event["service"] for event in self.exits()} == set(self.names)

    def check(self) -> None:
        told = [(event["service"], event["data"]["cause"]["code"]) for event in self.exits()]
        assert sorted(told) == sorted(self.codes.items())
        rows = self.daemon.rows()
        for name, code in self.codes.items():
            row = rows[name]
            assert (row["state"], row["exit"]["code"], row["pid"]) == ("failed", code, None), row
            assert self.daemon.home.log(name) == "ready\ngoing\n"


@pytest.fixture(params=COUNTS)
def crowd(daemon: Daemon, request: pytest.FixtureRequest) -> Crowd:
    crowd = Crowd(daemon, request.param)
    crowd.start()
    return crowd


def test_in_a_storm_of_signals(crowd: Crowd) -> None:
    """Which break off calls (EINTR) as no injection could."""
    with storm(crowd.daemon.pid("start")), storm(crowd.daemon.pid("scheduler")):
        play(crowd)


def test_while_each_write_takes_its_time(crowd: Crowd, tmp_path: Path) -> None:
    """Of a line of the journal, of a record, of a number to the own wake-up pipe."""
    with contextlib.ExitStack() as stack:
        for role in DAEMONS:
            log = tmp_path / role
            stack.enter_context(attached(crowd.daemon.pid(role), log, SLOW, calls=("write",), threads=False))
        play(crowd)
    assert all("DELAYED" in (tmp_path / role).read_text() for role in DAEMONS)


def play(crowd: Crowd) -> None:
    daemon = crowd.daemon
    pids = {role: daemon.pid(role) for role in DAEMONS}
    crowd.open_the_gate()
    eventually(crowd.all_told, 40, "all ends are told")

    crowd.check()
    assert {role: daemon.pid(role) for role in DAEMONS} == pids
    assert daemon.stop() == 0
    for role in DAEMONS:
        assert "Traceback" not in (daemon.home.path / "logs" / f"{role}.out").read_text()


def test_also_those_that_end_while_there_is_no_scheduler(crowd: Daemon) -> None:
    """Half of them before it is killed, or after; nobody can tell which."""
    start, scheduler = crowd.daemon.pid("start"), crowd.daemon.pid("scheduler")
    with storm(start):
        crowd.open_the_gate()
        kill(scheduler)
        eventually(crowd.all_told, 40, "all ends are told")

    crowd.check()
    assert crowd.daemon.pid("start") == start
    assert crowd.daemon.stop() == 0


@contextlib.contextmanager
def storm(pid: int) -> Iterator[None]:
    """A thousand SIGCHLD a second."""
    over = threading.Event()

    def send() -> None:
        while not over.wait(0.001):
            if not kill(pid, signal.SIGCHLD):
                return

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
