"""What many loud services leave of the pipes that their user may have, and what `start` keeps of one that ended."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.killing import without_budget
from support.waiting import eventually

import supervisor
from supervisor.engine.places import MOST
from supervisor.engine.raw_file import PIPE_SIZE, WIDE

ROOT = Path(supervisor.__file__).parents[1]
LOUD = """
import fcntl, os, resource, sys
sys.path.insert(0, sys.argv[1])
from supervisor.engine.source import Source
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 2048))
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
class Start:
    def keep(self, key, name, fd, then):
        os.dup(fd)
        then(True)
sources = []
for number in range(200):
    read_fd, write_fd = os.pipe()
    sources.append(Source(read_fd))
    sources[-1].get_second(Start(), f"loud{number}.1", "out_second")
print(fcntl.fcntl(os.pipe()[0], fcntl.F_GETPIPE_SZ), sum(source.width > 65536 for source in sources))
"""
UNUSED_ID = "64321"  # nobody else's pipes are counted with it


@pytest.mark.root
def test_a_new_pipe_of_that_user_is_as_wide_as_before() -> None:
    """His other programs and a service that is restarted have pipes of a full size."""
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LOUD, str(ROOT), UNUSED_ID],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert found.stdout.split() == [str(PIPE_SIZE), str(MOST)]


def test_start_keeps_no_wide_pipe_of_one_that_was_stopped(daemon: Daemon) -> None:
    daemon.home.settings["logs"] = {"maxMb": 16, "keep": 2, "gzip": False}
    without_budget(daemon.home)
    daemon.home.add_plugin("loud", child("spew", 0, 0, 1000))
    daemon.start()
    start = daemon.pid("start")
    eventually(lambda: sizes(start) == [WIDE, WIDE])

    daemon.ask("scheduler", "stop", names=["loud"])

    eventually(lambda: sizes(start) == [PIPE_SIZE])


def sizes(pid: int) -> list[int]:
    """Of the pipes of which it has one end: the one for looks ahead is its own affair."""
    links: dict[str, str] = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            links[name] = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
    ends = list(links.values())
    pipes = [name for name, link in links.items() if link.startswith("pipe:") and ends.count(link) == 1]
    return [size_of(f"/proc/{pid}/fd/{name}") for name in pipes]


def size_of(path: str) -> int:
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ)
    finally:
        os.close(fd)
