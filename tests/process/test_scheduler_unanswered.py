"""A scheduler that is ended, or loses its `start`, before anything was handed over to it: it has nothing, and goes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable

import pytest
from support.children import child
from support.daemon import Daemon
from support.waiting import eventually

from supervisor.base.channel import channel_pair
from supervisor.base.where import role_command


@pytest.mark.parametrize("how", ["asked", "start is gone"])
def test_it_ends_at_once(daemon: Daemon, how: str) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.home.write()
    assert daemon.compile()["ok"]
    ours, its = channel_pair()
    fd = its.fileno()
    words = role_command("scheduler", str(daemon.home.path), "--channel", str(fd), "--parent", str(os.getpid()))
    scheduler = subprocess.Popen(words, pass_fds=[fd])
    its.close()
    try:
        ours.settimeout(10)
        assert b"hello" in ours.recv(1000)  # and there is no answer
        end: dict[str, Callable[[], object]] = {
            "asked": lambda: scheduler.send_signal(signal.SIGTERM),
            "start is gone": ours.close,
        }
        end[how]()

        eventually(lambda: scheduler.poll() is not None, 5, "the scheduler ends")
        assert scheduler.returncode == 0
    finally:
        scheduler.kill()
        scheduler.wait()
        ours.close()
