"""Two or more `start` on one home at the same moment: one tree, and the others say who has it."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from support.children import child
from support.daemon import Daemon
from support.processes import alive
from support.waiting import eventually

RIVALS = 4


def test_quick(daemon: Daemon) -> None:
    play(daemon, 12)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_hundred_rounds(daemon: Daemon) -> None:
    play(daemon, 200)


def play(daemon: Daemon, rounds: int) -> None:
    daemon.home.add_plugin("server", child("ready"))
    assert daemon.compile()["ok"]
    for number in range(rounds):
        told = race(daemon)
        words = sorted(text.split()[0] for text in told.values())
        assert words == ["busy"] * (RIVALS - 1) + ["locked"], told
        winner = next(process for process, text in told.items() if text.startswith("locked"))
        if number % 5 == 0:
            daemon.settle()
            check_one_tree(daemon, winner)
        winner.send_signal(signal.SIGTERM)
        assert winner.wait(10) == 0


def race(daemon: Daemon) -> dict[subprocess.Popen[bytes], str]:
    """What each of them says, by process: the winner until it is up, the others until their end."""
    pipes = []
    for _ in range(RIVALS):
        read_end, write_end = os.pipe()
        process = daemon.launch("--ready-fd", str(write_end), pass_fds=(write_end,))
        os.close(write_end)
        pipes.append((process, read_end))
    told = {}
    for process, read_end in pipes:
        with os.fdopen(read_end, "rb") as pipe:
            told[process] = pipe.read().decode()
        if told[process].startswith("busy"):
            assert process.wait(5) == 1
    return told


def check_one_tree(daemon: Daemon, winner: subprocess.Popen[bytes]) -> None:
    keys = daemon.marked()
    assert {key: len(pids) for key, pids in keys.items()} == {"scheduler.1": 1, "server.1": 1}
    assert daemon.home.pid("start") == winner.pid
    assert alive(winner.pid)


def test_a_second_start_changes_nothing_and_names_the_first(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    first, pid = daemon.process, daemon.row("server")["pid"]
    assert first is not None
    read_end, write_end = os.pipe()

    second = daemon.launch("--ready-fd", str(write_end), pass_fds=(write_end,))

    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        assert pipe.read() == b"busy %d\n" % first.pid
    assert second.wait(5) == 1
    assert daemon.row("server")["pid"] == pid
    assert daemon.home.pid("start") == first.pid
    assert (daemon.home.path / "logs" / "run" / "start.sock").is_socket()


def test_a_start_right_after_a_kill_waits_for_nobody_but_what_is_left(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    assert daemon.process is not None
    for _ in range(3):
        daemon.process.kill()
        daemon.process.wait()
        daemon.launch()
        daemon.settle()
        eventually(lambda: [len(pids) for pids in daemon.marked().values()] == [1, 1])
    assert {row["state"] for row in daemon.rows().values()} == {"running"}
