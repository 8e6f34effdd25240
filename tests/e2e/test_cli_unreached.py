"""A tree that runs but lost its files: nobody takes it for a stopped one."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from support.children import child
from support.home import TemporaryHome
from support.processes import alive
from support.waiting import eventually

from supervisor.cli import unreached
from supervisor.model.home import Home


@pytest.fixture
def pid(home: TemporaryHome) -> int:
    home.add_plugin("web", ["/bin/sleep", "1000"])
    assert home.sbctl("start").code == 0
    pid = home.pid("start")
    assert pid is not None
    return pid


def test_without_its_logs_it_is_found_and_ended(home: TemporaryHome, pid: int) -> None:
    shutil.rmtree(home.path / "logs", ignore_errors=True)  # the daemons write into it meanwhile
    status = home.sbctl("status")
    assert (status.code, status.out) == (4, "")
    assert f"sbctl is running (pid {pid}), but its logs/run is gone" in status.err
    told = home.sbctl("status", "--json")
    assert (told.code, told.json()["state"]) == (4, "unknown")
    assert str(pid) in told.json()["error"]["what"]
    started = home.sbctl("start")
    assert (started.code, started.out) == (1, "")
    assert "next: sbctl stop ends it" in started.err
    stopped = home.sbctl("stop")
    assert stopped.code == 0, stopped
    assert stopped.out.endswith(f"(pid {pid})\n")
    assert stopped.out.startswith("stopped")
    assert home.pids() == []
    assert home.sbctl("stop").out == "already stopped\n"
    assert home.sbctl("start").code == 0


def test_logs_that_were_moved_away(home: TemporaryHome, pid: int) -> None:
    os.rename(home.path / "logs", home.path / "old")
    assert f"(pid {pid})" in home.sbctl("start").err
    assert home.sbctl("stop").out.endswith(f"(pid {pid})\n")
    assert home.pids() == []


def test_without_its_socket(home: TemporaryHome, pid: int) -> None:
    os.rename(home.path / "logs" / "run" / "start.sock", home.path / "logs" / "run" / "elsewhere")
    stopped = home.sbctl("stop")
    assert (stopped.code, stopped.out.endswith(f"(pid {pid})\n")) == (0, True), stopped
    assert home.pids() == []


def test_of_one_without_a_socket_the_age_tells(home: TemporaryHome, pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    os.unlink(home.path / "logs" / "run" / "start.sock")
    monkeypatch.setattr(unreached, "BEGUN_AFTER_S", 3600)
    holder = unreached.who_runs(home_of(home.path))
    assert (holder and holder.kind, holder and holder.pid) == (unreached.BUSY, pid)
    monkeypatch.setattr(unreached, "BEGUN_AFTER_S", 0)
    holder = unreached.who_runs(home_of(home.path))
    assert (holder and holder.kind, holder and holder.pid) == (unreached.LOST, pid)


def test_another_home_is_not_this_one(home: TemporaryHome, pid: int) -> None:
    shutil.rmtree(home.path / "logs", ignore_errors=True)  # the daemons write into it meanwhile
    assert unreached.who_runs(home_of(home.path.parent)) is None
    assert unreached.who_runs(home_of(Path(f"{home.path}x"))) is None


def home_of(path: Path) -> Home:
    return Home(str(path))


def test_a_stop_waits_for_what_a_killed_start_left(home: TemporaryHome) -> None:
    home.supervision["graceSeconds"] = 2
    home.write()
    home.add_plugin("deaf", ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
    assert home.sbctl("start").code == 0
    pid = home.pid("start")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid))
    status = home.sbctl("status")
    assert status.code == 1
    assert status.out.startswith("sbctl was killed; its services are still ending: deaf (pid ")
    assert home.sbctl("status", "--json").json()["state"] == "stopping"
    short = home.sbctl("stop", "--timeout", "0.2s")
    assert (short.code, short.out) == (1, "")
    assert "start was killed, and not everything has ended: deaf (pid " in short.err
    stopped = home.sbctl("stop")
    assert (stopped.code, home.pids()) == (0, []), stopped
    assert stopped.out.startswith("start had been killed; what it left has ended after ")
    assert "start was killed; its services are still ending: deaf" in stopped.err
    assert "1 had to be killed: deaf" in stopped.err
    assert home.sbctl("stop").out == "already stopped\n"


def test_of_a_killed_tree_whose_scheduler_was_killed_too_nobody_ends_the_rest(home: TemporaryHome) -> None:
    home.add_plugin("web", child("ready"))
    assert home.sbctl("start").code == 0
    both = [home.pid("start"), home.pid("scheduler")]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in both:
            assert pid is not None
            os.kill(pid, number)
    eventually(lambda: not any(alive(pid) for pid in both if pid))

    status = home.sbctl("status")
    assert status.code == 1
    assert status.out.startswith("sbctl was killed, and nobody is there any more who ends its services: ")
    assert "next: sbctl start, which ends them before it begins; or sbctl doctor --fix" in status.out
    stopped = home.sbctl("stop")
    assert stopped.code == 1
    assert "sbctl doctor --fix, which ends what is left" in stopped.err
    assert home.sbctl("doctor", "--fix").code in (0, 1)
    assert home.pids() == []
