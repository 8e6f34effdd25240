"""What is shown of servers while their scheduler is away, or is there and hangs: as it has last known them."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.home import TemporaryHome
from support.ports import free_port
from support.processes import kill
from support.waiting import eventually

SLEEPS = ["/bin/sh", "-c", "exec sleep 60"]
DEAF = {"stop": {"graceSeconds": 30}}


def without_scheduler_for_long(home: TemporaryHome) -> None:
    """Once it has been killed."""
    home.settings["core"] = {"scheduler": {"delaysSeconds": [30], "fastCrashSeconds": 60}}
    home.write()


def rows(daemon: Daemon) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in daemon.ask("start", "entries")["rows"]}


def stop_soon(daemon: Daemon, name: str, *deaf: str) -> None:
    """Asked for, and under way."""
    for one in deaf:
        eventually(lambda one=one: "ready" in daemon.home.log(one))  # type: ignore[misc]
    daemon.ask("scheduler", "stop", names=[name])
    for one in deaf:
        daemon.in_phase(one, "stopping")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_nobody_is_shown_as_up_who_is_not(daemon: Daemon, number: int) -> None:
    without_scheduler_for_long(daemon.home)
    daemon.home.add_plugin("early", SLEEPS, ready={"tcp": f"127.0.0.1:{free_port()}"})
    daemon.home.add_plugin("late", child("ignore_term"), **DEAF)
    daemon.home.add_plugin("well", SLEEPS)
    daemon.start(wait=False)
    daemon.in_phase("well", "running")
    stop_soon(daemon, "late", "late")
    before = {name: daemon.in_phase(name, phase) for name, phase in (("early", "starting"), ("late", "stopping"))}

    os.kill(daemon.pid("scheduler"), number)

    shown = rows(daemon)
    for name, row in before.items():
        assert {key: shown[name][key] for key in ("state", "desired", "pid", "ready")} == {
            key: row[key] for key in ("state", "desired", "pid", "ready")
        }
        assert shown[name]["detail"] == "unsupervised"
        assert shown[name]["uptime_s"] >= row["uptime_s"]
    assert (shown["early"]["state"], shown["early"]["ready"]) == ("starting", False)
    assert (shown["late"]["state"], shown["late"]["desired"]) == ("stopping", "down")
    assert (shown["well"]["state"], shown["well"]["desired"]) == ("running", "up")
    codes = {name: daemon.home.sbctl("status", name, "--check").code for name in ("early", "well")}
    assert codes == {"early": 150, "well": 0}


def test_who_is_to_stop_after_others_is_shown_as_wanted_down(daemon: Daemon) -> None:
    without_scheduler_for_long(daemon.home)
    daemon.home.add_plugin("db", SLEEPS)
    daemon.home.add_plugin("web", child("ignore_term"), requires=["db"], **DEAF)
    daemon.start()
    stop_soon(daemon, "db", "web")

    daemon.kill_scheduler()

    shown = rows(daemon)
    assert {name: (row["state"], row["desired"]) for name, row in shown.items()} == {
        "db": ("running", "down"),
        "web": ("stopping", "up"),
    }


def test_who_ends_in_the_middle_of_its_stop_is_not_shown_as_tried_again(daemon: Daemon) -> None:
    without_scheduler_for_long(daemon.home)
    daemon.home.add_plugin("late", child("ignore_term"), **DEAF)
    daemon.start()
    pid = daemon.row("late")["pid"]
    stop_soon(daemon, "late", "late")
    daemon.kill_scheduler()
    eventually(lambda: not daemon.ask("start", "entries")["connected"])

    kill(pid)

    row = eventually(lambda: (row := rows(daemon)["late"])["pid"] is None and row)
    assert (row["state"], row["desired"]) == ("stopping", "down")
    assert "SIGKILL" in row["detail"]
