"""A scheduler that is to leave its servers to the next one is told so before it is asked to end, and may be behind."""

from __future__ import annotations

import os
import signal

import pytest
from support.children import child
from support.daemon import Daemon
from support.killing import without_budget
from support.processes import kill
from support.waiting import eventually

from supervisor.base import proc
from supervisor.base.channel import MOST

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
