"""R23: many that are deaf, and some that are suspended, end side by side: within one grace, however many they are."""

from __future__ import annotations

import signal
import time

import pytest
from support.children import child
from support.daemon import Daemon
from support.processes import kill
from support.scheduling import add_steps, add_task
from support.waiting import eventually

GRACE_S = 2.0
SLACK_S = 3.0  # for a machine that has other things to do; ten graces are far longer


@pytest.fixture
def deaf(daemon: Daemon) -> Daemon:
    """Ten deaf servers, a step of a run that is deaf too, and two servers that are suspended."""
    daemon.home.supervision["graceSeconds"] = GRACE_S
    daemon.home.write()
    names = [f"deaf{number}" for number in range(10)]
    for name in names:
        daemon.home.add_plugin(name, child("ignore_term"))
    for name in ("asleep", "asleep-deaf"):
        daemon.home.add_plugin(name, child("ignore_term" if "deaf" in name else "ready"))
    add_steps(daemon.home, "job", get=child("ignore_term"))
    add_task(daemon.home, "job", intervalHours=1, runAtStart=False, stopGraceSeconds=GRACE_S)
    daemon.start()
    for name in (*names, "asleep", "asleep-deaf"):
        eventually(lambda name=name: "ready" in daemon.home.log(name))  # type: ignore[misc]
    daemon.ask("scheduler", "run", name="job")
    eventually(lambda: any("ready" in path.read_text() for path in daemon.home.path.glob("logs/job/runs/*.log")))
    for name in ("asleep", "asleep-deaf"):
        kill(daemon.row(name)["pid"], signal.SIGSTOP)
    return daemon


def check_ended(daemon: Daemon, began: float, at_least: float, at_most: float) -> None:
    assert daemon.process is not None
    assert daemon.process.wait(20) == 0
    took = time.monotonic() - began
    assert at_least <= took < at_most + SLACK_S, took
    assert daemon.home.pids() == []
    killed = {event["service"] for event in daemon.home.events() if event["kind"] == "service.killed"}
    assert {f"deaf{number}" for number in range(10)} | {"asleep-deaf"} <= killed
    assert "asleep" not in killed, "it was woken, so that it could obey"
    assert "bye" in daemon.home.log("asleep")


def test_all_end_within_one_grace(deaf: Daemon) -> None:
    began = time.monotonic()
    assert deaf.process is not None

    deaf.process.send_signal(signal.SIGTERM)

    check_ended(deaf, began, GRACE_S, GRACE_S)


def test_a_stop_with_a_time_limit(deaf: Daemon) -> None:
    """It is shorter than the grace and a little: at a second before it, what is left is killed."""
    began = time.monotonic()

    done = deaf.home.sbctl("stop", "--timeout", "1.6")

    assert done.code == 0, done
    assert "had to be killed" in done.err
    check_ended(deaf, began, 0.5, 1.6)


def test_a_second_signal_means_now(deaf: Daemon) -> None:
    assert deaf.process is not None
    deaf.process.send_signal(signal.SIGTERM)
    eventually(lambda: "ignored SIGTERM" in deaf.home.log("deaf9"))
    began = time.monotonic()

    deaf.process.send_signal(signal.SIGTERM)

    assert deaf.process.wait(10) == 0
    assert time.monotonic() - began < SLACK_S
    assert deaf.home.pids() == []
