"""A wish of a person while the scheduler is just starting is not missed, whichever line it is at."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.injecting import traced
from support.waiting import eventually

from supervisor.base.channel import channel_pair
from supervisor.base.where import role_command

BIND = {"x86_64": "49", "aarch64": "200"}


def is_at(pid: int, number: str) -> bool:
    """In that call of the kernel."""
    return Path(f"/proc/{pid}/syscall").read_text().split()[0] == number


@pytest.mark.skipif(platform.machine() not in BIND, reason="the number of bind is not known for this machine")
def test_one_that_finds_the_door_shut_is_read_when_it_is_open(daemon: Daemon, tmp_path: Path) -> None:
    """It is held for a while just before anybody can get in: what it has read by then must not be old afterwards."""
    daemon.home.add_plugin("server", child("ready"))
    daemon.home.write()
    assert daemon.compile()["ok"]
    ours, its = channel_pair()
    words = role_command(
        "scheduler", str(daemon.home.path), "--channel", str(its.fileno()), "--parent", str(os.getpid())
    )
    tracing = traced(tmp_path / "strace", "bind:delay_enter=1500000:when=1", calls=(), beside=True)
    scheduler = subprocess.Popen([*tracing, *words], pass_fds=[its.fileno()])
    its.close()
    try:
        ours.settimeout(20)
        assert b"hello" in ours.recv(1000)
        ours.send(json.dumps({"did": "end"}).encode())
        eventually(lambda: is_at(scheduler.pid, BIND[platform.machine()]), 10, "it is about to open its door")

        done = daemon.home.sbctl("disable", "server")

        assert (done.code, done.out) == (0, "server is disabled\n")
        assert is_at(scheduler.pid, BIND[platform.machine()]), "it was still held"
        while b'"ready"' not in (said := ours.recv(200_000)):
            assert b'"spawn"' not in said
        assert daemon.ask("scheduler", "status")["rows"][0]["state"] == "stopped"
    finally:
        scheduler.kill()
        scheduler.wait()
        ours.close()
