"""R07: a server writes as fast as it can, and the scheduler is killed again and again in the midst of it.

Most of the time it is within one call then, with bytes in the second pipe (see engine/source.py).
"""

from __future__ import annotations

import os
import signal

from support.children import child
from support.daemon import Daemon
from support.killing import await_successor, without_budget
from support.numbers import check_numbers, raw_files
from support.waiting import eventually

LINES, LENGTH = 250_000, 1000
KILLS = 8


def test_every_line_is_there_once_and_in_order(daemon: Daemon) -> None:
    daemon.home.settings["logs"] = {"maxMb": 16, "keep": 100, "gzip": False}
    without_budget(daemon.home)
    daemon.home.add_plugin("loud", child("spew", LINES, 0, LENGTH, "stay"))
    daemon.start()
    for number in range(1, KILLS + 1):
        eventually(lambda number=number: in_files(daemon) > number * LINES * LENGTH // (KILLS + 2), 30)
        old = daemon.pid("scheduler")
        os.kill(old, signal.SIGKILL)
        await_successor(daemon, old)
    eventually(lambda: in_files(daemon) >= LINES * LENGTH, 60)

    assert check_numbers(daemon.home, "loud") == LINES
    assert daemon.row("loud")["restarts"] == 0


def test_start_has_the_second_pipe_of_the_server_that_lives(daemon: Daemon) -> None:
    daemon.home.settings["logs"] = {"maxMb": 16, "keep": 100, "gzip": False}
    without_budget(daemon.home)
    daemon.home.add_plugin("loud", child("spew", 0, 0, LENGTH))
    daemon.start()
    start = daemon.pid("start")
    eventually(lambda: pipes_of(start) == 2)

    old = daemon.pid("scheduler")
    os.kill(old, signal.SIGKILL)
    await_successor(daemon, old)
    eventually(lambda: pipes_of(start) == 2)

    for _ in range(3):
        before = daemon.row("loud")["pid"]
        daemon.ask("scheduler", "restart", names=["loud"])
        eventually(lambda before=before: daemon.row("loud")["pid"] not in (before, None))
        eventually(lambda: pipes_of(start) == 2)


def in_files(daemon: Daemon) -> int:
    """0: the files got other names between the list and the look at each; who asks will ask again."""
    try:
        return sum(path.stat().st_size for path in raw_files(daemon.home, "loud"))
    except FileNotFoundError:
        return 0


def pipes_of(pid: int) -> int:
    """Of which it has one end: the pipe for looks ahead is its own affair."""
    links: list[str] = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except OSError:
            continue
    return sum(link.startswith("pipe:") and links.count(link) == 1 for link in links)
