"""R22 R37: grandchildren that get out of sight end with their server, or are named; orders meet what has just died.

Whoever carries the marks of its server, or sits in its group, is ended. One that has shed everything is left alone and
named, for its pid alone proves nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from support.children import child
from support.daemon import Daemon
from support.processes import alive, kill
from support.waiting import eventually

from supervisor.base.errors import Problem

WAYS = ("session", "fork", "closed", "group", "deaf")


@pytest.fixture
def helpers(daemon: Daemon) -> Iterator[dict[str, int]]:
    """One escaped in each way, by way."""
    daemon.home.add_plugin("web", child("scatter", *WAYS, "bare"), stop={"graceSeconds": 0.5})
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("web"))
    lines = [line.split() for line in daemon.home.log("web").splitlines()]
    found = {line[1]: int(line[2]) for line in lines if line[0] == "helper"}
    assert set(found) == {*WAYS, "bare"}
    yield found
    for pid in found.values():
        kill(pid)


def living(helpers: dict[str, int]) -> set[str]:
    return {way for way, pid in helpers.items() if alive(pid)}


def check_named(daemon: Daemon, pid: int) -> None:
    """At the end `start` says whom it has left."""
    assert daemon.stop() == 0
    assert alive(pid)
    assert f'"pid":{pid}' in (daemon.home.path / "logs" / "start.log").read_text()


def test_they_end_with_their_server(daemon: Daemon, helpers: dict[str, int]) -> None:
    daemon.ask("scheduler", "stop", names=["web"])
    daemon.in_phase("web", "stopped")

    assert living(helpers) == {"bare"}
    check_named(daemon, helpers["bare"])


def test_they_end_when_their_server_was_killed(daemon: Daemon, helpers: dict[str, int]) -> None:
    """Before the next one is started: two of them would share a port, a lock, a file."""
    pid = daemon.row("web")["pid"]
    kill(pid)

    eventually(lambda: daemon.row("web")["pid"] not in (None, pid))

    assert living(helpers) == {"bare"}
    daemon.ask("scheduler", "stop", names=["web"])
    daemon.in_phase("web", "stopped")
    check_named(daemon, helpers["bare"])


def test_they_end_when_start_was_killed(daemon: Daemon, helpers: dict[str, int]) -> None:
    assert daemon.process is not None
    daemon.process.kill()
    daemon.process.wait()

    eventually(lambda: living(helpers) == {"bare"}, 5)
    eventually(lambda: not alive(daemon.home.pid("scheduler") or 0))


def test_they_end_at_the_next_start_when_both_were_killed(daemon: Daemon, helpers: dict[str, int]) -> None:
    """Suspended ones too, which could not obey."""
    assert daemon.process is not None
    both = (daemon.process.pid, daemon.pid("scheduler"))
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in both:
            kill(pid, number)
    daemon.process.wait()
    kill(helpers["fork"], signal.SIGSTOP)

    daemon.start()

    assert living(helpers) == {"bare"}
    assert daemon.row("web")["state"] == "running"


# orders for what has just died


def test_orders_meet_a_crash_loop(daemon: Daemon) -> None:
    storm(daemon, 60)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_five_hundred_orders_meet_a_crash_loop(daemon: Daemon) -> None:
    storm(daemon, 500)


def storm(daemon: Daemon, rounds: int) -> None:
    """Each order is taken or refused in words; afterwards the service is as the last one wanted it."""
    daemon.home.supervision.update(fastCrashSeconds=0.001, windowDeaths=1_000_000, delaysSeconds=[0.01])
    daemon.home.write()
    for number in range(4):
        daemon.home.add_plugin(f"web{number}", ["/bin/sh", "-c", f"sleep 0.0{number + 1}; exit {number}"])
    daemon.start(wait=False)
    eventually(lambda: len(daemon.rows()) == 5)
    orders = [
        {"verb": "stop"},
        {"verb": "start"},
        {"verb": "restart"},
        {"verb": "signal", "signal": "TERM"},
        {"verb": "signal", "signal": "KILL", "group": True},
        {"verb": "stop", "timeout": 0.01},
        {"verb": "restart"},
    ]
    problems: list[Problem] = []

    def give(name: str) -> None:
        with daemon.client("scheduler") as client:
            for turn in range(rounds):
                order = dict(orders[(turn + int(name[-1])) % len(orders)])
                try:
                    client.request(order.pop("verb"), names=[name], **order)
                except Problem as problem:
                    problems.append(problem)

    threads = [threading.Thread(target=give, args=[f"web{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {problem.what for problem in problems} <= {f"web{number} does not run" for number in range(4)}, problems
    names = [f"web{number}" for number in range(4)]
    daemon.ask("scheduler", "stop", names=names)
    for name in names:
        daemon.in_phase(name, "stopped")
    assert not [key for key in daemon.marked() if key.startswith("web")]
    daemon.ask("scheduler", "start", names=names)
    for name in names:
        eventually(lambda name=name: daemon.row(name)["desired"] == "up")  # type: ignore[misc]
    assert daemon.stop() == 0
    assert daemon.home.pids() == []
    out = daemon.home.path / "logs" / "scheduler.out"
    assert not out.exists() or "Traceback" not in out.read_text()
    assert os.path.exists(daemon.home.path / "logs" / "scheduler.log")
