"""R01: the scheduler is killed, frozen, replaced: its servers do not notice, and nothing about them is forgotten."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.killing import kill_and_await_successor, without_budget
from support.numbers import check_numbers
from support.processes import alive, kill
from support.waiting import eventually

ANSWERS_A_SIGNAL = ["/bin/sh", "-c", "trap 'exit 42' USR1; echo ready; while :; do sleep 0.02; done"]


def pids(daemon: Daemon, *names: str) -> list[int]:
    rows = daemon.rows()
    return [rows[name]["pid"] for name in names]


def test_twenty_kills_cost_no_process_and_no_line_of_any_writer(daemon: Daemon) -> None:
    without_budget(daemon.home)
    daemon.home.settings["logs"] = {"maxMb": 4, "keep": 3}
    daemon.home.write()
    writers = {"slow": (0, 20), "fast": (0, 10_000), "full": (0, 0)}
    for name, words in writers.items():
        daemon.home.add_plugin(name, child("spew", *words))
    daemon.start()
    before = pids(daemon, *writers)

    for _ in range(20):
        kill_and_await_successor(daemon)

    assert pids(daemon, *writers) == before
    assert daemon.row("scheduler")["restarts"] == 20
    eventually(lambda: len(daemon.home.log("slow").splitlines()) > 25)
    assert daemon.stop() == 0
    check_numbers(daemon.home, "slow", at_least=20)
    check_numbers(daemon.home, "fast", from_zero=False, at_least=1000)
    check_numbers(daemon.home, "full", from_zero=False, at_least=10_000)
    assert "Traceback" not in (daemon.home.path / "logs" / "scheduler.out").read_text()


def test_counters_and_wishes_outlive_it(daemon: Daemon) -> None:
    without_budget(daemon.home)
    daemon.home.supervision.update(delaysSeconds=[0.02, 60])
    daemon.home.write()
    daemon.home.add_plugin("waiting", child("crash_after", 0, 1))
    daemon.home.add_plugin("failed", child("crash_after", 0, 1), giveUpAfter=1)
    daemon.home.add_plugin("stopped", child("ready"))
    daemon.home.add_plugin("restarted", child("ready"), fastCrashSeconds=0.01)
    daemon.home.add_plugin("asleep", child("ready"), autoStart=False)
    daemon.start()
    daemon.ask("scheduler", "stop", names=["stopped"])
    eventually(lambda: daemon.row("restarted")["uptime_s"] > 0.05)
    kill(daemon.row("restarted")["pid"])
    eventually(lambda: daemon.row("restarted")["restarts"] == 1 and daemon.row("waiting")["restarts"] == 1)
    daemon.in_phase("restarted", "running")
    daemon.in_phase("waiting", "backoff")
    daemon.in_phase("stopped", "stopped")
    before = daemon.rows()

    for _ in range(3):
        kill_and_await_successor(daemon)

    after = daemon.rows()
    for name in ("waiting", "failed", "stopped", "restarted", "asleep"):
        for field in ("state", "desired", "pid", "restarts", "exit", "cause"):
            assert after[name][field] == before[name][field], (name, field)
    assert daemon.ask("scheduler", "why", name="waiting")["attempts"]["streak"] == 2
    assert after["waiting"]["next_retry_at"][:18] == before["waiting"]["next_retry_at"][:18]
    assert len(daemon.events("failed", "service.gave_up")) == 1


def test_a_retry_that_was_due_while_it_was_away_comes_when_it_is_back(daemon: Daemon) -> None:
    without_budget(daemon.home, delay=0.5)
    daemon.home.supervision.update(delaysSeconds=[0.3], giveUpAfter=3)
    daemon.home.write()
    daemon.home.add_plugin("crasher", child("crash_after", 0, 1))
    daemon.start()
    daemon.in_phase("crasher", "backoff")

    kill_and_await_successor(daemon)

    daemon.in_phase("crasher", "failed")
    assert len(daemon.events("crasher", "service.exited")) == 3


def test_what_ended_while_it_was_away_is_known_with_its_code_and_words(daemon: Daemon) -> None:
    without_budget(daemon.home, delay=0.5)
    daemon.home.supervision["fastCrashSeconds"] = 0.01
    daemon.home.write()
    daemon.home.add_plugin("server", ANSWERS_A_SIGNAL)
    daemon.home.add_plugin("other", child("ready"))
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("server"))
    server, other = pids(daemon, "server", "other")
    kill(daemon.pid("scheduler"))

    kill(server, signal.SIGUSR1)
    eventually(lambda: not alive(server))

    rows = {row["name"]: row for row in daemon.ask("start", "entries")["rows"]}
    assert (rows["other"]["state"], rows["other"]["pid"]) == ("running", other)
    exited = eventually(lambda: daemon.events("server", "service.exited"))
    cause = exited[0]["data"]["cause"]
    assert (len(exited), cause["code"], cause["words"]) == (1, 42, ["ready"])
    daemon.in_phase("server", "running")
    assert daemon.row("other")["pid"] == other
    assert daemon.row("server")["restarts"] == 1


def test_lines_that_are_written_while_it_is_away_are_in_the_raw_file_at_once(daemon: Daemon) -> None:
    without_budget(daemon.home, delay=1.0)
    daemon.home.add_plugin("writer", child("spew", 0, 100))
    daemon.start()
    eventually(lambda: "00000000" in daemon.home.log("writer"))
    kill(daemon.pid("scheduler"))
    size = len(daemon.home.log("writer"))

    eventually(lambda: len(daemon.home.log("writer")) > size + 2000, 0.9)

    assert daemon.stop() == 0
    check_numbers(daemon.home, "writer", at_least=20)


def test_a_kill_while_a_server_is_being_stopped_does_not_save_it(daemon: Daemon) -> None:
    without_budget(daemon.home)
    daemon.home.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 1})
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf"))
    daemon.ask("scheduler", "stop", names=["deaf"])
    eventually(lambda: "ignored" in daemon.home.log("deaf"))

    kill_and_await_successor(daemon)

    row = daemon.in_phase("deaf", "stopped", 5)
    assert row["desired"] == "down"
    assert len(daemon.events("deaf", "service.killed")) == 1


@pytest.mark.parametrize("times", [4, pytest.param(30, marks=pytest.mark.slow)])
def test_a_restart_of_the_scheduler_hands_its_servers_over(daemon: Daemon, times: int) -> None:
    """Again and again: what is a matter of two messages and a signal may go well once."""
    daemon.home.add_plugin("server", child("ready"))
    daemon.home.add_plugin("writer", child("spew", 0, 1000))
    daemon.start()
    before = pids(daemon, "server", "writer")

    for _ in range(times):
        old = daemon.pid("scheduler")
        daemon.ask("start", "restart", names=["scheduler"])
        eventually(lambda old=old: daemon.home.pid("scheduler") not in (old, None))
        assert pids(daemon, "server", "writer") == before

    adopted = [2] * times
    eventually(
        lambda: [e["data"]["count"] for e in daemon.home.events() if e["kind"] == "scheduler.adopted"] == adopted
    )
    assert daemon.stop() == 0
    check_numbers(daemon.home, "writer")


def test_a_frozen_scheduler_can_be_restarted(daemon: Daemon) -> None:
    daemon.home.settings["core"] = {"scheduler": {"graceSeconds": 0.2}}
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"), stop={"graceSeconds": 0.2})
    daemon.start()
    before, old = pids(daemon, "server"), daemon.pid("scheduler")
    os.kill(old, signal.SIGSTOP)

    daemon.ask("start", "restart", names=["scheduler"])

    eventually(lambda: daemon.home.pid("scheduler") not in (old, None))
    assert pids(daemon, "server") == before


def test_a_stop_of_the_scheduler_stops_its_servers_and_a_start_starts_them(daemon: Daemon) -> None:
    names = ["a", "b", "c"]
    for name in names:
        daemon.home.add_plugin(name, child("ready"))
    daemon.home.add_plugin("by-hand", child("ready"), autoStart=False)
    daemon.start()
    daemon.ask("scheduler", "start", names=["by-hand"])
    daemon.in_phase("by-hand", "running")
    for _ in range(3):
        before = pids(daemon, *names)

        daemon.ask("start", "stop", names=["scheduler"])
        eventually(lambda: daemon.ask("start", "status")["rows"][0]["state"] == "stopped")
        assert [pid for pid in before if alive(pid)] == []
        assert daemon.home.pid("scheduler") is None

        daemon.ask("start", "start", names=["scheduler"])
        daemon.settle()
        states = {name: row["state"] for name, row in daemon.rows().items()}
        assert states == dict.fromkeys(("scheduler", *names), "running") | {"by-hand": "stopped"}


def test_a_scheduler_that_gave_up_leaves_its_servers_alone_until_it_is_started(daemon: Daemon) -> None:
    daemon.home.settings["core"] = {"scheduler": {"giveUpAfter": 1, "fastCrashSeconds": 60}}
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"))
    daemon.home.add_plugin("writer", child("spew", 0, 200))
    daemon.start()
    before = pids(daemon, "server", "writer")
    kill(daemon.pid("scheduler"))
    eventually(lambda: daemon.ask("start", "status")["rows"][0]["state"] == "failed")
    assert all(alive(pid) for pid in before)

    daemon.ask("start", "start", names=["scheduler"])

    daemon.settle()
    assert pids(daemon, "server", "writer") == before
    assert daemon.stop() == 0
    check_numbers(daemon.home, "writer", at_least=10)


def test_while_the_scheduler_is_frozen_loud_servers_wait_and_quiet_ones_run(daemon: Daemon) -> None:
    daemon.home.settings["logs"] = {"maxMb": 4, "keep": 2}
    daemon.home.write()
    daemon.home.add_plugin("loud", child("spew", 0, 0))
    daemon.home.add_plugin("quiet", child("print_signals"))
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("quiet"))
    loud, quiet = pids(daemon, "loud", "quiet")
    scheduler = daemon.pid("scheduler")
    os.kill(scheduler, signal.SIGSTOP)
    eventually(lambda: is_blocked_in_a_write(loud), 5, "the loud one waits for its reader")

    kill(quiet, signal.SIGUSR1)
    assert daemon.ask("start", "ping")["ok"]
    os.kill(scheduler, signal.SIGCONT)

    eventually(lambda: "got SIGUSR1" in daemon.home.log("quiet"))
    assert pids(daemon, "loud", "quiet") == [loud, quiet]
    assert daemon.stop() == 0
    check_numbers(daemon.home, "loud", from_zero=False)


def is_blocked_in_a_write(pid: int) -> bool:
    with open(f"/proc/{pid}/wchan", encoding="ascii") as file:
        return "pipe" in file.read()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_hundred_kills_at_random_moments_of_taking_over(daemon: Daemon) -> None:
    """Also while the successor is still adopting: it is killed as soon as its PID file is there, or before."""
    without_budget(daemon.home, delay=0.001)
    names = [f"server{number}" for number in range(20)]
    for name in names:
        daemon.home.add_plugin(name, child("spew", 0, 50))
    daemon.start()
    before = pids(daemon, *names)

    killed: set[str] = set()
    for _ in range(100):
        key, pid = eventually(lambda: next_scheduler(daemon, killed))
        killed.add(key)
        kill(pid)

    daemon.settle()
    assert pids(daemon, *names) == before
    assert daemon.row("scheduler")["restarts"] == 100
    assert daemon.stop() == 0
    for name in names:
        check_numbers(daemon.home, name, at_least=10)


def next_scheduler(daemon: Daemon, killed: set[str]) -> tuple[str, int] | None:
    found = [(key, pid) for key, [pid] in daemon.marked().items() if key.startswith("scheduler.") and key not in killed]
    return found[0] if found else None


def test_a_scheduler_stopped_just_after_its_restart_leaves_no_server_behind(daemon: Daemon) -> None:
    """The signal comes before it has taken over: what it did not stop, `start` stops."""
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    server = daemon.row("server")["pid"]
    with daemon.client("start") as client:
        client.request("restart", names=["scheduler"])
        client.request("stop", names=["scheduler"])

    eventually(lambda: not alive(server))
    eventually(lambda: [row["state"] for row in daemon.ask("start", "entries")["rows"]] == ["stopped"])
    daemon.ask("start", "start", names=["scheduler"])
    daemon.settle()
    assert daemon.row("server")["state"] == "running"


def test_settings_that_came_while_it_was_away_are_applied_by_the_next(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.home.add_plugin("same", child("ready"))
    daemon.start()
    old = {name: row["pid"] for name, row in daemon.rows().items()}
    daemon.home.add_plugin("server", child("ready", 0.01))
    assert daemon.compile()["ok"]

    daemon.kill_scheduler()

    eventually(lambda: daemon.row("server")["pid"] not in (None, old["server"]))
    daemon.in_phase("server", "running")
    assert daemon.row("same")["pid"] == old["same"]
    assert not alive(old["server"])


def test_a_server_that_ended_while_it_is_away_is_not_shown_as_running(daemon: Daemon) -> None:
    daemon.home.settings["core"] = {"scheduler": {"delaysSeconds": [30], "fastCrashSeconds": 60}}
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    server = daemon.row("server")["pid"]
    daemon.kill_scheduler()

    def rows() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = daemon.ask("start", "entries")["rows"]
        return found

    eventually(lambda: rows()[0]["detail"] == "unsupervised")

    kill(server)

    row = eventually(lambda: next((row for row in rows() if row["state"] != "running"), None))
    assert row["pid"] is None
    assert "SIGKILL" in row["cause"]
    assert "waits for the scheduler" in row["detail"]
