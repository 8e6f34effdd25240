"""A scheduler that is to leave its servers to the next one is told so before it is asked to end, and may be behind.

Also so far that `start` has had to keep back what it says: then nothing that is said reaches it before the SIGTERM.
"""

from __future__ import annotations

import os
import signal
import time

import pytest
from support.children import child
from support.daemon import Daemon
from support.killing import without_budget
from support.processes import kill
from support.waiting import eventually

from supervisor.base import proc
from supervisor.base.channel import MOST
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
