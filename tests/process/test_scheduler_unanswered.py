"""A scheduler below a `start` that is played here: it does not answer, or is of an earlier version."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from support.children import child
from support.daemon import Daemon
from support.waiting import eventually

from supervisor.base.channel import MAX_PACKET, MOST, channel_pair
from supervisor.base.where import role_command
from supervisor.base.wire import encode


class Below(NamedTuple):
    """The scheduler, and our end of its channel."""

    process: subprocess.Popen[bytes]
    ours: socket.socket


@pytest.fixture
def scheduler(daemon: Daemon) -> Iterator[Below]:
    """It has asked for what is kept for it."""
    daemon.home.add_plugin("server", child("ready"))
    daemon.home.write()
    assert daemon.compile()["ok"]
    ours, its = channel_pair()
    fd = its.fileno()
    words = role_command("scheduler", str(daemon.home.path), "--channel", str(fd), "--parent", str(os.getpid()))
    process = subprocess.Popen(words, pass_fds=[fd])
    its.close()
    try:
        ours.settimeout(10)
        assert b"hello" in ours.recv(MAX_PACKET)
        yield Below(process, ours)
    finally:
        process.kill()
        process.wait()
        ours.close()


@pytest.mark.parametrize("how", ["asked", "start is gone"])
def test_before_anything_was_handed_over_it_ends_at_once(scheduler: Below, how: str) -> None:
    end: dict[str, Callable[[], object]] = {
        "asked": lambda: scheduler.process.send_signal(signal.SIGTERM),
        "start is gone": scheduler.ours.close,
    }
    end[how]()

    eventually(lambda: scheduler.process.poll() is not None, 5, "the scheduler ends")
    assert scheduler.process.returncode == 0


@pytest.mark.parametrize("unread", [0, MOST + 10])
def test_one_of_an_earlier_version_says_over_the_channel_that_it_is_to_leave(
    daemon: Daemon, scheduler: Below, unread: int
) -> None:
    """To which an upgrade that did not succeed has gone back, say. `unread`: more than is read in one turn."""
    for message in ({"did": "notes", "notes": {}}, {"did": "end"}):
        scheduler.ours.send(encode(message))
    while b'"verb":"spawn"' not in scheduler.ours.recv(MAX_PACKET):
        continue

    scheduler.process.send_signal(signal.SIGSTOP)
    for _ in range(unread):
        scheduler.ours.send(encode({"did": "notes", "notes": {}}))
    scheduler.ours.send(encode({"did": "leave"}))
    scheduler.process.send_signal(signal.SIGTERM)
    scheduler.process.send_signal(signal.SIGCONT)

    eventually(lambda: scheduler.process.poll() is not None, 5, "the scheduler ends")
    assert [event for event in daemon.home.events() if event["kind"] == "scheduler.stopping"] == []
