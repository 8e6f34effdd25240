"""Services that wait, finish, run outside or come several at once, as the command line tells of them."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from support.home import LAUNCHER, TemporaryHome
from support.waiting import eventually

SLEEPER = ["/bin/sleep", "1000"]
DIES = ["/bin/sh", "-c", "echo bang; exit 3"]


@pytest.fixture
def quiet(home: TemporaryHome) -> TemporaryHome:
    home.settings["config"] = {"enabled": False}
    home.write()
    return home


def states(home: TemporaryHome) -> dict[str, str]:
    return {row["name"]: row["state"] for row in home.status()["services"]}


def test_who_waits_says_for_whom(quiet: TemporaryHome) -> None:
    quiet.add_plugin("db", DIES, giveUpAfter=1)
    quiet.add_plugin("web", SLEEPER, requires=["db"])
    started = quiet.sbctl("start", "--wait", "3s")
    assert started.code == 1
    assert "web: waits for db (" in started.err
    assert "why: sbctl why db" in started.err
    eventually(lambda: states(quiet)["db"] == "failed")
    alone = quiet.sbctl("start", "web", "--wait", "500ms")
    assert alone.code == 1
    assert "web is not up: waits for db (" in alone.err
    assert "why:  sbctl why db" in alone.err
    why = quiet.sbctl("why", "web")
    assert "waits for   db (" in why.out
    assert why.out.splitlines()[-1] == "next        sbctl why db"


def test_who_comes_and_goes_along(quiet: TemporaryHome) -> None:
    quiet.add_plugin("db", SLEEPER)
    quiet.add_plugin("web", SLEEPER, requires=["db"])
    quiet.add_plugin("prepare", ["/bin/sh", "-c", "echo done"], restart="on-failure", autoStart=False)
    assert quiet.sbctl("start").code == 0
    stopped = quiet.sbctl("stop", "db")
    assert (stopped.code, stopped.out) == (0, "db stopped\n")
    assert "stopped as well, because it requires what is stopped: web" in stopped.err
    assert states(quiet) == {"scheduler": "running", "db": "stopped", "web": "waiting", "prepare": "stopped"}
    assert quiet.sbctl("stop", "web").code == 0
    started = quiet.sbctl("start", "web")
    assert started.code == 0
    assert started.out.startswith("web is up (pid ")
    assert "started as well, because it is required: db" in started.err
    once = quiet.sbctl("start", "prepare")
    assert (once.code, once.out) == (0, "prepare finished\n"), once


def test_instances_are_restarted_one_by_one(quiet: TemporaryHome, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    code = f'[ "$SB_INSTANCE" = 2 ] && [ -e {broken} ] && exit 3; exec sleep 1000'
    quiet.add_plugin("web", ["/bin/sh", "-c", code], instances=3)
    assert quiet.sbctl("start").code == 0
    good = quiet.sbctl("restart", "web")
    assert good.code == 0, good
    assert [line.partition(" (")[0] for line in good.out.splitlines()] == [f"web:{n} restarted" for n in (1, 2, 3)]
    before = {row["name"]: row["pid"] for row in quiet.status("web")["services"]}
    broken.touch()
    bad = quiet.sbctl("restart", "web*")
    assert bad.code == 1
    assert "the restart stopped at web:2, which is " in bad.err
    assert "not restarted, and running as before: web:3" in bad.err
    after = {row["name"]: row["pid"] for row in quiet.status("web")["services"]}
    assert after["web:1"] != before["web:1"]
    assert after["web:3"] == before["web:3"]


def test_one_that_runs_outside_is_left_alone(quiet: TemporaryHome) -> None:
    folder = quiet.add_plugin("web", ["/bin/sleep", "987654"], autoStart=False)
    outside = subprocess.Popen(["/bin/sleep", "987654"], cwd=folder)
    try:
        assert quiet.sbctl("start").code == 0
        started = quiet.sbctl("start", "web")
        assert (started.code, started.out) == (0, f"web runs outside sbctl, pid {outside.pid}\n"), started
    finally:
        outside.kill()
        outside.wait()
    eventually(lambda: states(quiet)["web"] == "running")


# while the scheduler is being replaced


def pids(home: TemporaryHome) -> dict[str, int]:
    return {row["name"]: row["pid"] for row in home.status()["services"]}


def test_the_scheduler_among_others_is_restarted_and_waited_for(quiet: TemporaryHome) -> None:
    quiet.add_plugin("web", SLEEPER, instances=2)
    assert quiet.sbctl("start").code == 0
    before = pids(quiet)
    done = quiet.sbctl("restart", "web", "scheduler")
    assert done.code == 0, done
    after = pids(quiet)
    assert not set(before.values()) & set(after.values())
    stopped = quiet.sbctl("stop", "scheduler", "web:1")
    assert (stopped.code, stopped.out) == (0, "web:1 stopped\nscheduler stopped\n"), stopped
    started = quiet.sbctl("start", "web:1", "scheduler")
    assert started.code == 0, started
    assert states(quiet) == {"scheduler": "running", "web:1": "running", "web:2": "running"}


@pytest.mark.slow
def test_verbs_wait_for_a_scheduler_that_is_being_replaced(quiet: TemporaryHome) -> None:
    crashes = {"giveUpAfter": 1000, "delaysSeconds": [0.4], "fastCrashSeconds": 60, "windowDeaths": 1000}
    quiet.settings["core"] = {"scheduler": crashes}
    quiet.write()
    quiet.add_plugin("web", SLEEPER)
    quiet.add_plugin("mail", SLEEPER)
    assert quiet.sbctl("start").code == 0
    for verb in (["stop", "web", "--timeout", "0"], ["start", "web"], ["restart", "mail"], ["signal", "mail", "CONT"]):
        os.kill(pids(quiet)["scheduler"], signal.SIGKILL)
        done = quiet.sbctl(*verb)
        assert done.code == 0, (verb, done)


@pytest.mark.slow
def test_a_restart_one_by_one_is_followed_over_the_end_of_the_scheduler(quiet: TemporaryHome) -> None:
    quiet.supervision["settleSeconds"] = 0.5
    quiet.write()
    quiet.add_plugin("web", SLEEPER, instances=3)
    assert quiet.sbctl("start").code == 0
    before = pids(quiet)
    following = subprocess.Popen(
        [LAUNCHER, "restart", "web"], env=quiet.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with following:
        eventually(lambda: pids(quiet)["web:2"] not in (before["web:2"], None))
        os.kill(pids(quiet)["scheduler"], signal.SIGKILL)
        out, err = following.communicate(timeout=30)
    assert (following.returncode, err) == (0, "")
    assert [line.partition(" (")[0] for line in out.splitlines()] == [f"web:{n} restarted" for n in (1, 2, 3)]
