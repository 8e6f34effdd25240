"""R01: the scheduler is killed in the very moment in which it has answered: what it has said it does is done."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from support.children import child
from support.daemon import Daemon
from support.killing import await_successor, without_budget
from support.scheduling import NOTES_ITS_SLOT, Scheduling
from support.waiting import eventually

ROUNDS = 12
COUNTS = ["/bin/sh", "-c", "trap 'echo usr1' USR1; echo up; while :; do sleep 0.02; done"]


def ask_and_kill(daemon: Daemon, verb: str, **args: object) -> Any:
    """With nothing between answer and signal but the time that a client needs to read it."""
    old = daemon.pid("scheduler")
    held = os.pidfd_open(old)
    try:
        with daemon.client("scheduler") as client:
            answer = client.request(verb, **args)
            signal.pidfd_send_signal(held, signal.SIGKILL)
    finally:
        os.close(held)
    await_successor(daemon, old)
    return answer


def test_a_signal_it_has_sent_arrives(daemon: Daemon) -> None:
    without_budget(daemon.home)
    daemon.home.add_plugin("web", COUNTS)
    daemon.start()
    eventually(lambda: daemon.home.log("web") == "up\n")
    for number in range(1, ROUNDS + 1):
        ask_and_kill(daemon, "signal", names=["web"], signal="USR1")
        eventually(lambda number=number: daemon.home.log("web").count("usr1") == number)


def test_what_it_has_taken_on_to_start_or_stop_comes_so(daemon: Daemon) -> None:
    without_budget(daemon.home)
    daemon.home.add_plugin("web", child("ready"))
    daemon.home.add_plugin("mail", child("ready"), autoStart=False)
    daemon.start()
    for _ in range(ROUNDS // 2):
        ask_and_kill(daemon, "stop", names=["web"])
        daemon.in_phase("web", "stopped")
        ask_and_kill(daemon, "start", names=["web", "mail"])
        daemon.in_phase("web", "running")
        daemon.in_phase("mail", "running")
        before = daemon.row("web")["pid"]
        ask_and_kill(daemon, "restart", names=["web"])
        eventually(lambda before=before: daemon.row("web")["pid"] not in (before, None))
        ask_and_kill(daemon, "stop", names=["mail"])
        daemon.in_phase("mail", "stopped")


def test_the_limit_that_a_stop_was_given_outlives_it(daemon: Daemon) -> None:
    without_budget(daemon.home)
    daemon.home.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 600})
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf"))
    began = time.monotonic()
    ask_and_kill(daemon, "stop", names=["deaf"], timeout=1.5)
    daemon.in_phase("deaf", "stopped")
    assert 1.5 <= time.monotonic() - began < 4


def test_a_run_it_has_begun_or_cancelled_is_so(scheduling: Scheduling) -> None:
    daemon = scheduling.daemon
    without_budget(daemon.home)
    scheduling.plugin("job", get=f"{NOTES_ITS_SLOT}; exec sleep 1000")
    daemon.start()
    for number in range(1, ROUNDS // 2 + 1):
        run = ask_and_kill(daemon, "run", name="job")["run"]
        eventually(lambda number=number: len(scheduling.started()) == number)
        assert scheduling.started()[-1].endswith(run)
        ask_and_kill(daemon, "cancel", run=run)
        assert scheduling.ended(run)["state"] == "cancelled"


def test_what_it_makes_up_for_after_a_pause_runs_once(scheduling: Scheduling) -> None:
    daemon = scheduling.daemon
    without_budget(daemon.home)
    scheduling.job("job", NOTES_ITS_SLOT, intervalSeconds=1, missed="skip", missedSpreadSeconds=0)
    daemon.start()
    for number in range(1, ROUNDS // 2 + 1):
        which = ["job"] if number % 2 else []
        before = held(scheduling)
        scheduling.ask("pause", names=which)
        eventually(lambda before=before: held(scheduling) >= before + 2)
        ask_and_kill(daemon, "resume", names=which, what="once")
        eventually(lambda number=number: made_up(scheduling) == number)
    state = daemon.home.path / "logs" / "state.json"
    eventually(lambda: "promised" not in state.read_text())  # which is written after the row
    assert made_up(scheduling) == ROUNDS // 2


def held(scheduling: Scheduling) -> int:
    return sum(row["count"] or 1 for row in scheduling.slots("job") if row["reason"] == "paused")


def made_up(scheduling: Scheduling) -> int:
    return sum(row["trigger"] == "catch_up" and row["nominal"] is None for row in scheduling.runs("job"))
