"""R42 R34 R04: a user who is not root: the processes of others are hidden, his own folders are closed for a while."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.injecting import own_pids
from support.nobody import HomeOfNobody, home_of_nobody
from support.waiting import eventually

pytestmark = pytest.mark.root


@pytest.fixture
def nobodys() -> Iterator[HomeOfNobody]:
    with home_of_nobody() as home:
        home.settings["config"]["enabled"] = False
        home.write()
        yield home


@pytest.fixture
def hidden(nobodys: HomeOfNobody) -> Iterator[HomeOfNobody]:
    """In a PID namespace with a procfs of its own, that shows each user his own processes only.

    A mount namespace alone would not do: the change would be seen by the whole machine.
    """
    with own_pids() as space:
        inside = space.run(["/bin/sh", "-c", "readlink /proc/self/ns/pid /proc/self/ns/mnt; cat /proc/1/cmdline"])
        outside = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "mnt")]
        assert not set(outside) & set(inside.split("\n")), "this would hide the processes of the whole machine"
        assert "reaper" in inside, inside
        before = options_of_proc()
        done = subprocess.run(
            space.words(["mount", "-o", "remount,hidepid=2", "/proc"]), capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"processes can't be hidden here: {done.stderr.decode(errors='replace').strip()}")
        assert options_of_proc() == before
        nobodys.space = space
        yield nobodys
        nobodys.end()


def options_of_proc() -> list[str]:
    return [line for line in Path("/proc/self/mounts").read_text().splitlines() if line.split()[1] == "/proc"]


def row(home: HomeOfNobody, name: str) -> dict[str, Any]:
    found: dict[str, Any] = home.status(name)["services"][0]
    return found


def running(home: HomeOfNobody, name: str, not_this: int = 0) -> dict[str, Any] | None:
    it = row(home, name)
    return it if it["state"] == "running" and it["pid"] not in (None, not_this) else None


def test_with_hidden_processes_all_that_is_ours_is_known(hidden: HomeOfNobody) -> None:
    home = hidden
    home.add_plugin("web", child("spew", 0, 50))
    home.add_plugin("leaves", child("escape"))
    home.give()
    assert home.space is not None
    # Pid 1 is root's, and hidden: there is no such process, as far as nobody can see.
    assert subprocess.run(home.words(["test", "-e", "/proc/1/stat"]), check=False).returncode == 1
    logs = home.path / "logs"
    logs.mkdir()
    (logs / "start.pid").write_text("1\n")
    home.give()

    started = home.sbctl("start")
    assert started.code == 0, started
    before = {name: row(home, name) for name in ("web", "leaves", "scheduler")}
    assert all(each["state"] == "running" and each["memory_bytes"] for each in before.values()), before

    home.run(home.words(["kill", "-9", before["web"]["pid"]]))
    after = eventually(lambda: running(home, "web", before["web"]["pid"]), 10)
    assert after["restarts"] == 1
    home.run(home.words(["kill", "-9", before["scheduler"]["pid"]]))
    eventually(lambda: running(home, "scheduler", before["scheduler"]["pid"]), 10, "another scheduler")
    eventually(lambda: running(home, "web"), 10)
    assert row(home, "web")["pid"] == after["pid"], "it was taken over"
    assert "Traceback" not in home.sbctl("why", "web").out
    assert home.sbctl("start").code == 0, "it knows that it runs"
    assert home.sbctl("stop").code == 0
    assert home.pids() == [], "who has left its group is found, too"
    for role in ("start", "scheduler"):
        assert "Traceback" not in (logs / f"{role}.out").read_text()


def test_a_folder_of_logs_that_is_closed_for_a_while(nobodys: HomeOfNobody) -> None:
    """No file can be begun in it: what is said meanwhile is dropped at the next rotation, and counted."""
    home = nobodys
    home.settings["logs"] = {"maxMb": 0.05, "keep": 5}
    home.write()
    home.add_plugin("web", child("spew", 0, 2000))
    home.give()
    assert home.sbctl("start").code == 0
    pid = row(home, "web")["pid"]
    folder = home.path / "logs" / "web"
    eventually((folder / "server.log.1").exists, 10)
    folder.chmod(0)
    eventually(lambda: events(home, "log.failed") or events(home, "log.not_rotated") or row(home, "web")["detail"], 10)
    assert row(home, "web")["pid"] == pid
    folder.chmod(0o755)
    eventually(lambda: row(home, "web")["detail"] == "", 15)
    size = len(home.log("web"))
    eventually(lambda: len(home.log("web")) != size)
    assert row(home, "web")["pid"] == pid
    assert home.sbctl("stop").code == 0
    assert "Traceback" not in (home.path / "logs" / "scheduler.out").read_text()


def events(home: HomeOfNobody, kind: str) -> list[dict[str, Any]]:
    return [event for event in home.events() if event["kind"] == kind]
