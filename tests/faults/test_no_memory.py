"""R02: the kernel kills for want of memory: a plugin, the scheduler, `start` itself.

Real kills by the kernel, in a memory cgroup of the test's own; where the machine lets nobody make one, these are
skipped with the reason. A daemon is put in there together with a glutton, and is the one whom the kernel prefers.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from support.cgroup import joining, limited_memory
from support.children import child
from support.daemon import Daemon
from support.killing import await_successor, without_budget
from support.numbers import check_numbers
from support.processes import kill
from support.waiting import eventually

GRACE_S = 0.5
# It may take a while until it has taken all: each of its deaths is a fast one.
HOG: dict[str, Any] = {"fastCrashSeconds": 60, "delaysSeconds": [0.05], "giveUpAfter": 3}
MOST_WANTED = "1000"  # by the kernel, when it looks for whom to kill

pytestmark = pytest.mark.root


@pytest.fixture
def servers(daemon: Daemon) -> Daemon:
    home = daemon.home
    home.supervision["graceSeconds"] = GRACE_S
    home.write()
    home.add_plugin("quiet", child("ready"))
    home.add_plugin("deaf", child("ignore_term"))
    home.add_plugin("writer", child("spew", 0, 500))
    return daemon


@contextlib.contextmanager
def little_memory(daemon: Daemon, megabytes: int) -> Iterator[str]:
    """A group for what belongs to this daemon, which is ended in any case."""
    with limited_memory(megabytes) as folder:
        try:
            yield folder
        finally:
            daemon.end()


@contextlib.contextmanager
def starved(pid: int) -> Iterator[None]:
    """There is no memory for this process any more; it must be dead at the end."""
    with limited_memory(48) as folder:
        write(f"{folder}/cgroup.procs", str(pid))
        write(f"/proc/{pid}/oom_score_adj", MOST_WANTED)
        words = [*joining(folder), *child("hog", 200)]
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as glutton:
            try:
                yield
            finally:
                glutton.kill()
                kill(pid)


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def test_a_plugin_is_started_again_by_its_policy_and_the_event_names_it(servers: Daemon) -> None:
    daemon = servers
    daemon.home.add_plugin("hog", child("hog", 400), **HOG)
    with little_memory(daemon, 160) as folder:
        assert daemon.compile()["ok"]
        daemon.launch(through=joining(folder))
        row = check_others_live_on(daemon)

        causes = [event["data"]["cause"] for event in daemon.events("hog", "service.exited")]
        assert [(cause["kind"], cause["signal"]) for cause in causes] == [("out-of-memory", "SIGKILL")] * 3
        assert row["cause"] == "out of memory: killed by SIGKILL"


@pytest.mark.slow
def test_a_plugin_in_a_group_that_we_know_nothing_of(servers: Daemon) -> None:
    """Only the kernel knows then why; what is told is the signal."""
    daemon = servers
    with little_memory(daemon, 48) as folder:
        daemon.home.add_plugin("hog", [*joining(folder), *child("hog", 200)], **HOG)
        daemon.start(wait=False)
        row = check_others_live_on(daemon)

        assert "SIGKILL" in row["cause"]
        assert len(daemon.events("hog", "service.exited")) == 3


def check_others_live_on(daemon: Daemon) -> dict[str, Any]:
    """The row of the hog, once it has been given up."""
    names = ("scheduler", "quiet", "deaf", "writer")
    for name in names:
        daemon.in_phase(name, "running")
    pids = {name: daemon.row(name)["pid"] for name in names}
    row = daemon.in_phase("hog", "failed", 30)
    assert {name: daemon.row(name)["pid"] for name in names} == pids
    return row


def test_the_scheduler_comes_back_and_nobody_has_noticed(servers: Daemon) -> None:
    daemon = servers
    without_budget(daemon.home)
    daemon.start()
    pids = {name: daemon.row(name)["pid"] for name in ("quiet", "deaf", "writer")}
    old = daemon.pid("scheduler")

    with starved(old):
        await_successor(daemon, old)

    assert {name: daemon.row(name)["pid"] for name in pids} == pids
    row = daemon.row("scheduler")
    assert (row["restarts"], row["exit"]["signal"]) == (1, "SIGKILL")
    assert daemon.stop() == 0
    check_numbers(daemon.home, "writer", at_least=10)


@pytest.mark.slow
def test_without_start_everything_ends_within_the_grace(servers: Daemon) -> None:
    daemon = servers
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf"))
    assert daemon.process is not None

    with starved(daemon.pid("start")):
        assert daemon.process.wait(20) == -9

    eventually(lambda: daemon.home.pids() == [], GRACE_S + 2)
    daemon.start()
    assert {row["state"] for row in daemon.rows().values()} == {"running"}
    assert daemon.stop() == 0
