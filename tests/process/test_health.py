"""What only a daemon can tell of itself: the verb `health`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from support.children import child
from support.daemon import Daemon
from support.home import TemporaryHome
from support.waiting import eventually

from supervisor import __version__


def test_what_keeps_a_tree_together_is_told_by_the_daemons(daemon: Daemon) -> None:
    daemon.start()
    start, scheduler = daemon.ask("start", "health"), daemon.ask("scheduler", "health")
    assert (start["subreaper"], start["parent_signals"]) == (True, {"scheduler": signal.SIGTERM})
    assert (scheduler["subreaper"], scheduler["parent_signal"]) == (False, signal.SIGTERM)
    assert start["cgroup"]["folder"] or start["cgroup"]["why"]
    assert 3 < scheduler["open_files"] < scheduler["open_files_limit"]
    assert set(start["counters"].values()) == set(scheduler["counters"].values()) == {0}
    eventually(lambda: daemon.ask("scheduler", "health")["tick"]["at"])


def test_a_config_server_tells_start_what_it_gets_when_that_dies(home: TemporaryHome) -> None:
    daemon = Daemon(home)
    try:
        daemon.start()
        expected = {"scheduler": signal.SIGTERM, "config": signal.SIGTERM}
        eventually(lambda: daemon.ask("start", "health")["parent_signals"] == expected)
        assert daemon.ask("start", "health")["versions"] == dict.fromkeys(expected, __version__)
    finally:
        daemon.end()


def test_output_that_no_file_took_is_counted_for_good(daemon: Daemon) -> None:
    folder = Path(daemon.home.path, "logs", "server")
    os.makedirs(folder / "server.log")  # a folder has the name of the log
    daemon.home.add_plugin("server", child("spew", 0, 500))
    daemon.start()
    lost = eventually(lambda: daemon.ask("scheduler", "health")["counters"]["output_lost_bytes"])
    os.rmdir(folder / "server.log")
    eventually(lambda: daemon.home.log("server"))
    assert daemon.ask("scheduler", "health")["counters"]["output_lost_bytes"] >= lost
