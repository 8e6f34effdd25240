"""A scheduler that is to leave its servers to the next one is told so before it is asked to end, and may be behind.

Also so far that `start` has had to keep back what it says: then nothing that is said reaches it before the SIGTERM.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.killing import kill_both, kill_start, without_budget
from support.processes import kill
from support.waiting import eventually

from supervisor.base import proc
from supervisor.base.channel import MOST, channel_pair
from supervisor.base.errors import FAILED, Problem
from supervisor.base.files import take_lock
from supervisor.base.where import role_command
from supervisor.base.wire import frame
from supervisor.control.client import Client
from supervisor.daemons.common import LEAVE, LEAVES_FOR_S

PACKETS = 2 * MOST + 10  # more than a turn reads, and once more


@pytest.mark.slow
def test_one_that_is_behind_leaves_its_servers_alone(daemon: Daemon) -> None:
    without_budget(daemon.home)
    daemon.home.supervision.update(delaysSeconds=[60])
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"))
    others = [f"other{number}" for number in range(PACKETS)]
    for name in others:
        daemon.home.add_plugin(name, ["/bin/sleep", "1000"])
    daemon.start()
    rows, scheduler = daemon.rows(), daemon.pid("scheduler")

    os.kill(scheduler, signal.SIGSTOP)
    for name in others:
        kill(rows[name]["pid"])
        eventually(lambda name=name: proc.start_time(rows[name]["pid"]) is None)  # a packet each
    daemon.ask("start", "restart", names=["scheduler"])  # which wakes it, too

    eventually(lambda: daemon.pid("scheduler") != scheduler)
    daemon.settle()
    assert [event for event in daemon.home.events() if event["kind"] == "scheduler.stopping"] == []
    assert daemon.row("server")["pid"] == rows["server"]["pid"]


def test_it_needs_to_read_nothing_for_that(daemon: Daemon) -> None:
    """Asked to end without a word over the channel, and asleep until both signals are there."""
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    server, scheduler = daemon.row("server")["pid"], daemon.pid("scheduler")

    for number in (signal.SIGSTOP, signal.SIGTERM, LEAVE, signal.SIGCONT):
        os.kill(scheduler, number)

    eventually(lambda: daemon.pid("scheduler") not in (0, scheduler))
    daemon.settle()
    assert [event for event in daemon.home.events() if event["kind"] == "scheduler.stopping"] == []
    assert daemon.row("server")["pid"] == server


def test_where_start_is_killed_before_it_comes_to_that_nothing_is_left(daemon: Daemon) -> None:
    """It has been told to leave, and is not asked to end any more: what looks like that is the death of `start`."""
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    scheduler = daemon.pid("scheduler")
    os.kill(scheduler, LEAVE)
    eventually(lambda: not pending(scheduler, LEAVE))

    kill_start(daemon)

    eventually(lambda: daemon.home.pids() == [], 10, "nothing of the tree is alive")


def pending(pid: int, number: int) -> bool:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool((int(fields["SigPnd"], 16) | int(fields["ShdPnd"], 16)) >> (number - 1) & 1)


@pytest.fixture
def left(daemon: Daemon) -> Daemon:
    """Both are gone, and a server of theirs is not."""
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    kill_both(daemon)
    assert len(daemon.marked()) == 1
    return daemon


def successor(daemon: Daemon) -> int:
    """The exit code of a scheduler whose `start` was killed while it was being loaded."""
    ours, its = channel_pair()
    dead = str(daemon.started[0].pid)
    words = role_command("scheduler", str(daemon.home.path), "--channel", str(its.fileno()), "--parent", dead)
    try:
        return subprocess.run(words, pass_fds=[its.fileno()], check=False, timeout=20).returncode
    finally:
        ours.close()
        its.close()


def test_one_whose_start_was_killed_while_it_was_loaded_ends_what_was_left_to_it(left: Daemon) -> None:
    assert successor(left) == FAILED

    assert left.marked() == {}
    assert [event["data"]["key"] for event in left.home.events() if event["kind"] == "leftover.found"] == ["server.1"]


def test_where_another_start_is_there_it_leaves_all_to_that(left: Daemon) -> None:
    before = left.marked()
    lock = take_lock(left.model.lock_file)
    assert lock is not None

    assert successor(left) == FAILED

    os.close(lock)
    assert left.marked() == before


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_from_the_birth_of_the_next_one_on_nobody_is_left_alone(daemon: Daemon) -> None:
    """But for the moment between the two, after which the next `start` ends what is left."""
    daemon.home.add_plugin("server", child("ready"))
    for moment in (0, 3, 6, 10, 15, 20, 30, 40, 60, 80):
        daemon.start()
        with daemon.client("start") as client:
            client._sock.sendall(frame({"verb": "restart", "names": ["scheduler"]}))
            eventually(lambda: "scheduler.2" in daemon.marked())
            threading.Event().wait(moment / 1000)
            kill_start(daemon)

        eventually(lambda: daemon.home.pids() == [], 10, "nothing of the tree is alive")


# Silent: nobody reads what it says at its end.
GOES_WELL = 'exec 2>/dev/null; trap "echo >$SB_HOME/well; exit 0" TERM; echo ready; while :; do sleep 0.05; done'


def say_until_it_hangs(client: Client) -> None:
    for number in range(20_000):
        client.request("enable" if number % 2 else "disable", limit=0.5, names=["other"], by="a test")


def test_where_start_is_killed_while_it_can_not_leave_yet_nothing_is_left(daemon: Daemon) -> None:
    """What it has to say does not fit into the channel, so it is still there when `start` dies."""
    daemon.home.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 1})
    daemon.home.add_plugin("other", child("ready"))
    daemon.start()
    start, scheduler = daemon.pid("start"), daemon.pid("scheduler")
    os.kill(start, signal.SIGSTOP)
    with daemon.client("scheduler") as client, pytest.raises(Problem):
        say_until_it_hangs(client)

    os.kill(scheduler, LEAVE)
    os.kill(scheduler, signal.SIGTERM)
    eventually(lambda: not pending(scheduler, signal.SIGTERM))
    kill_start(daemon)

    eventually(lambda: daemon.home.pids() == [], 10, "nothing of the tree is alive")
    assert any(event["kind"] == "service.killed" for event in daemon.home.events())


def test_one_whose_start_is_killed_before_it_has_heard_of_a_server_ends_them_as_they_are_to_be_ended(
    daemon: Daemon,
) -> None:
    daemon.home.add_plugin("server", ["/bin/sh", "-c", GOES_WELL])
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("server"))
    kill_both(daemon)
    ours, its = channel_pair()
    words = [*role_command("scheduler", str(daemon.home.path), "--channel", str(its.fileno())), "--parent"]
    parent = subprocess.Popen(["/bin/sh", "-c", '"$@" $$ & wait', "sh", *words], pass_fds=[its.fileno()])
    try:
        its.close()
        assert ours.recv(65536), "it is there, and asks for what is kept"
    finally:
        parent.kill()
        parent.wait()
        ours.close()

    eventually(lambda: daemon.home.pids() == [], 10, "nothing of the tree is alive")
    assert (daemon.home.path / "well").exists()
    assert {event["data"]["key"] for event in daemon.home.events() if event["kind"] == "leftover.found"} == {"server.1"}


@pytest.mark.slow
def test_a_stranger_who_says_so_and_does_not_go_on_is_forgotten(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    scheduler = daemon.pid("scheduler")
    os.kill(scheduler, LEAVE)
    until = time.monotonic() + LEAVES_FOR_S + 0.5
    eventually(lambda: time.monotonic() > until, timeout=LEAVES_FOR_S + 5)

    os.kill(scheduler, signal.SIGTERM)

    eventually(lambda: any(event["kind"] == "scheduler.stopping" for event in daemon.home.events()))
