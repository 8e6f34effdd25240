"""R10 R11: disks that are full, or out of inodes, for a while, and writes that are cut short: said once, nobody dies.

When there is room again, everything is written again by itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.children import child
from support.daemon import Daemon
from support.injecting import fill, limited_file_size, small_disk, use_up_inodes
from support.processes import alive, kill
from support.waiting import eventually

from supervisor.base.errors import Problem


def pids(daemon: Daemon) -> dict[str, int]:
    return {name: row["pid"] for name, row in daemon.rows().items()}


@pytest.fixture
def disk_of_web(daemon: Daemon) -> Iterator[Path]:
    """64 KiB for the output of one server alone."""
    with small_disk(daemon.home.path / "logs" / "web", "64k") as folder:
        yield folder
        daemon.end()


@pytest.mark.root
def test_a_disk_that_is_full_for_a_while(daemon: Daemon, disk_of_web: Path) -> None:
    keep_full(daemon, disk_of_web, lost=200_000)


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_disk_that_is_full_for_a_minute(daemon: Daemon, disk_of_web: Path) -> None:
    keep_full(daemon, disk_of_web, lost=60 * 200_000)


def keep_full(daemon: Daemon, folder: Path, *, lost: int) -> None:
    """Until so many bytes could not be written."""
    daemon.home.add_plugin("web", child("spew", 0, 2000))
    daemon.home.add_plugin("other", child("spew", 0, 100))
    daemon.start()
    before = pids(daemon)
    eventually(lambda: daemon.events("web", "log.failed"), message="64 KiB are full after a third of a second")
    rest = fill(folder)
    other = len(daemon.home.log("other"))
    daemon.ask("scheduler", "ping")
    written = written_bytes(before["web"])
    eventually(lambda: written_bytes(before["web"]) > written + lost, 120, "the server is not held up")

    os.truncate(folder / "server.log", 0)
    rest.unlink()

    eventually(lambda: daemon.events("web", "log.recovered"))
    assert len(daemon.events("web", "log.failed")) <= 2  # the small disk is full again after a third of a second
    assert "bytes" in daemon.events("web", "log.recovered")[0]["text"]
    assert len(daemon.home.log("other")) > other, "the output of others was not held up"
    assert pids(daemon) == before
    assert daemon.stop() == 0


def written_bytes(pid: int) -> int:
    """What a process has handed to the system so far."""
    fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(fields["wchar"])


@pytest.fixture
def logs(daemon: Daemon) -> Iterator[Path]:
    """Room enough, but for 80 files and folders below logs/."""
    with small_disk(daemon.home.path / "logs", "8m", inodes=80) as folder:
        yield folder
        daemon.end()


@pytest.mark.slow
@pytest.mark.root
def test_inodes_that_are_used_up_for_a_while(daemon: Daemon, logs: Path) -> None:
    """Not one file can be made: no temporary one, no log of a new day, no socket of a new scheduler."""
    daemon.home.add_plugin("web", child("ready"))
    daemon.home.add_plugin("spare", child("ready"))
    daemon.start()
    before = pids(daemon)
    state = (logs / "state.json").read_bytes() if (logs / "state.json").exists() else b""
    taken = use_up_inodes(logs)
    assert taken

    with pytest.raises(Problem, match="can't write") as caught:
        daemon.ask("scheduler", "disable", names=["spare"], by="test")
    assert "No space left" in caught.value.text()
    daemon.ask("scheduler", "restart", names=["web"])
    eventually(lambda: daemon.row("web")["pid"] not in (None, before["web"]))
    web = daemon.row("web")["pid"]
    kill(before["scheduler"])

    def has_no_socket() -> bool:
        taken.extend(use_up_inodes(logs))  # what the killed one held open has become free
        return "control.failed" in [event["kind"] for event in daemon.home.events()]

    eventually(has_no_socket)
    assert alive(web)
    assert alive(before["spare"])

    for path in taken:
        path.unlink()

    eventually(lambda: daemon.ask("start", "status")["rows"][0]["ready"] is not False)
    assert eventually(lambda: pids(daemon).get("web")) == web
    assert pids(daemon)["spare"] == before["spare"]
    now = (logs / "state.json").read_bytes() if (logs / "state.json").exists() else b""
    assert now == state
    daemon.ask("scheduler", "disable", names=["spare"], by="test")
    assert not json.loads((logs / "state.json").read_bytes())["services"]["spare"]["enabled"]
    assert daemon.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize("room", [1, 100])
def test_a_write_that_is_cut_short_leaves_no_half_line(daemon: Daemon, room: int) -> None:
    """The journal may grow by so many bytes: the kernel takes that much of an event, and no more."""
    daemon.home.add_plugin("web", child("ready"))
    daemon.start()
    before = pids(daemon)
    journal = daemon.home.path / "logs" / "scheduler.log"
    eventually(lambda: "scheduler.began" in journal.read_text())

    with limited_file_size(before["scheduler"], journal.stat().st_size + room):
        daemon.ask("scheduler", "restart", names=["web"])
        eventually(lambda: daemon.row("web")["pid"] not in (None, before["web"]))
        for line in journal.read_bytes().splitlines():
            json.loads(line)
    daemon.ask("scheduler", "restart", names=["web"])

    eventually(lambda: "journal.dropped" in journal.read_text(), message="it says how many are missing")
    for line in journal.read_bytes().splitlines():
        json.loads(line)
    assert pids(daemon)["scheduler"] == before["scheduler"]
    assert daemon.stop() == 0
