"""A SIGTERM at any moment of the start: `start` ends, and what it had begun ends with it."""

from __future__ import annotations

import signal
import threading

import pytest
from support.children import child
from support.daemon import Daemon

QUICK = range(0, 360, 40)
ALL = range(0, 1001, 10)


def test_quick(daemon: Daemon) -> None:
    play(daemon, QUICK)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_ten_milliseconds(daemon: Daemon) -> None:
    play(daemon, ALL)


def play(daemon: Daemon, moments: range) -> None:
    for number in range(5):
        daemon.home.add_plugin(f"server{number}", child("ready"))
    daemon.home.add_plugin("crasher", child("crash_after", 0, 1))
    assert daemon.compile()["ok"]
    for moment in moments:
        process = daemon.launch()
        asked = threading.Timer(moment / 1000, process.send_signal, [signal.SIGTERM])
        asked.start()
        code = process.wait(10)
        asked.join()
        # Before the first line of ours has run, the signal itself ends it; then there is nothing to tidy up.
        assert code == 0 or (code == -signal.SIGTERM and moment < 200), f"{code} at {moment} ms"
        assert daemon.home.pids() == [], f"at {moment} ms"
        assert list((daemon.home.path / "logs").rglob("*.pid")) == [], f"at {moment} ms"
    assert "Traceback" not in daemon.output()
