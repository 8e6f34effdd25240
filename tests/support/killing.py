"""SIGKILL for the daemons themselves, and what a test needs to survive that as often as it wants."""

from __future__ import annotations

import os
import signal
from typing import Any

from .daemon import Daemon
from .home import TemporaryHome
from .processes import alive, kill
from .waiting import eventually


def without_budget(home: TemporaryHome, delay: float = 0.01) -> None:
    """The scheduler may be killed as often as a test wants, and is back after that delay."""
    endless: dict[str, Any] = {"giveUpAfter": 1000, "fastCrashSeconds": 60, "windowDeaths": 1000}
    home.settings["core"] = {"scheduler": {**endless, "delaysSeconds": [delay]}}
    home.write()


def kill_and_await_successor(daemon: Daemon) -> None:
    old = daemon.pid("scheduler")
    kill(old)
    await_successor(daemon, old)


def await_successor(daemon: Daemon, old: int) -> None:
    eventually(lambda: daemon.home.pid("scheduler") not in (old, None), 10, "there is a new scheduler")
    daemon.rows()


def kill_start(daemon: Daemon) -> None:
    assert daemon.process is not None
    daemon.process.kill()
    daemon.process.wait()


def kill_both(daemon: Daemon, first: str = "start") -> None:
    """Neither has a chance to tidy up: the second is frozen before the first is killed."""
    assert daemon.process is not None
    scheduler, start = daemon.pid("scheduler"), daemon.process.pid
    one, other = (start, scheduler) if first == "start" else (scheduler, start)
    os.kill(other, signal.SIGSTOP)
    kill(one)
    kill(other)
    daemon.process.wait()
    eventually(lambda: not alive(scheduler))
