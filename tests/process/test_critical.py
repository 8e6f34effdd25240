"""`critical: true`: when such a service ends for good, everything ends with it, and the exit code says how."""

from __future__ import annotations

import random
import subprocess
import threading
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.home import TemporaryHome
from support.processes import kill
from support.waiting import eventually

from supervisor.base.where import role_command

KIND = "service.critical"


def add(daemon: Daemon, script: str, name: str = "main", **keys: Any) -> None:
    server = {"critical": True, "fastCrashSeconds": 0.01, "giveUpAfter": 1, **keys}
    daemon.home.add_plugin(name, ["/bin/sh", "-c", script], **server)


def end_of(daemon: Daemon, timeout: float = 15.0) -> int:
    assert daemon.process is not None
    code = daemon.process.wait(timeout)
    assert daemon.home.pids() == []
    return code


def told(daemon: Daemon) -> list[dict[str, Any]]:
    return [event for event in daemon.home.events() if event["kind"] == KIND]


def forget_in_the_journal(home: TemporaryHome, kind: str) -> None:
    """As a scheduler leaves it that ended before it could write that; this one may have, too."""
    path = home.path / "logs" / "scheduler.log"
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if kind.encode() not in line]
    assert len(kept) >= len(lines) - 1, "told once at most"
    path.write_bytes(b"".join(kept))


@pytest.mark.parametrize(
    ("script", "keys", "code"),
    [
        ("exit 3", {"fastCrashSeconds": 5}, 3),
        ("kill -9 $$", {"fastCrashSeconds": 5}, 137),
        ("exit 0", {"fastCrashSeconds": 5}, 1),  # given up
        ("exit 0", {"restart": "never"}, 0),
        ("exit 4", {"restart": "on-failure", "exitCodes": [0, 4]}, 4),
        ("exit 5", {"restart": "never"}, 5),
        ("exit 6", {"noRestartCodes": [6]}, 6),
        ("exit 125", {}, 125),
    ],
)
def test_its_exit_code_is_that_of_the_whole(daemon: Daemon, script: str, keys: dict[str, Any], code: int) -> None:
    add(daemon, f"sleep 0.3; {script}", **keys)
    daemon.home.add_plugin("other", child("ready"))
    daemon.start(wait=False)

    assert end_of(daemon) == code
    (event,) = told(daemon)
    assert (event["service"], event["level"], event["data"]) == ("main", "error", {"code": code})
    assert f"exit code {code}" in event["text"]
    assert "bye" in daemon.home.log("other"), "it was not asked to end"


def test_an_unhealthy_one_is_a_failure_whatever_our_signal_was(daemon: Daemon) -> None:
    alive = {"exec": "false", "intervalSeconds": 0.05, "failures": 1, "graceSeconds": 0}
    add(daemon, "exec sleep 60", alive=alive, fastCrashSeconds=60)
    daemon.start(wait=False)

    assert end_of(daemon) == 1


def test_what_does_not_exist_is_127(daemon: Daemon) -> None:
    daemon.home.add_plugin("main", ["/no/such/program"], critical=True, giveUpAfter=1)
    daemon.start(wait=False)

    assert end_of(daemon) == 127


def test_the_first_of_several_decides(daemon: Daemon) -> None:
    """The second would end with 9, and does so because it is asked to end."""
    add(daemon, "sleep 0.5; exit 3", "first", restart="never")
    add(daemon, "trap 'exit 9' TERM; while :; do sleep 0.05; done", "second", restart="never")
    daemon.start(wait=False)

    assert end_of(daemon) == 3
    assert [event["service"] for event in told(daemon)] == ["first"]


def test_a_person_who_stops_it_or_everything_wants_no_failure(daemon: Daemon) -> None:
    add(daemon, "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done", restart="never")
    daemon.start()
    eventually(lambda: "up" in daemon.home.log("main"))
    daemon.ask("scheduler", "stop", names=["main"])
    daemon.in_phase("main", "stopped")
    daemon.ask("scheduler", "start", names=["main"])
    eventually(lambda: daemon.home.log("main").count("up") == 2)  # it says so once it can be asked to end
    daemon.ask("scheduler", "restart", names=["main"])
    eventually(lambda: daemon.home.log("main").count("up") == 3)

    assert daemon.stop() == 0
    assert told(daemon) == []


def test_a_restart_is_no_end(daemon: Daemon) -> None:
    add(daemon, "sleep 0.2; exit 3", windowDeaths=1000)
    daemon.home.supervision["windowDelaySeconds"] = 0.1
    daemon.home.write()
    daemon.start(wait=False)
    eventually(lambda: len(daemon.events("main", "service.started")) > 3)

    assert daemon.stop() == 0


def test_one_that_is_not_critical_ends_nothing_and_one_that_becomes_it_does(daemon: Daemon) -> None:
    """So it is said again by a scheduler that finds it failed: the one before may have been killed before it could."""
    add(daemon, "exit 3", critical=False, fastCrashSeconds=5)
    daemon.start()
    daemon.in_phase("main", "failed")
    add(daemon, "exit 3", fastCrashSeconds=5)
    assert daemon.compile()["ok"]

    daemon.kill_scheduler()

    assert end_of(daemon) == 3
    assert [event["service"] for event in told(daemon)] == ["main"]


def test_a_reload_that_makes_one_critical_that_has_failed(daemon: Daemon) -> None:
    add(daemon, "exit 3", critical=False, fastCrashSeconds=5)
    daemon.start()
    daemon.in_phase("main", "failed")
    add(daemon, "exit 3", fastCrashSeconds=5)

    assert daemon.reload() == {"main": "live"}

    assert end_of(daemon) == 3


def test_a_scheduler_killed_at_that_moment_costs_no_exit_code_quick(daemon: Daemon) -> None:
    kill_at_the_end(daemon, rounds=3, seed=random.randrange(10**6))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_scheduler_killed_at_that_moment_costs_no_exit_code(daemon: Daemon) -> None:
    kill_at_the_end(daemon, rounds=60, seed=random.randrange(10**6))


def kill_at_the_end(daemon: Daemon, *, rounds: int, seed: int) -> None:
    """0 to 6 ms after the service has been killed: before its exit is known, is noted, is told, is acted on."""
    print(f"seed {seed}")
    chance = random.Random(seed)
    add(daemon, "exec sleep 60", restart="never")
    for _ in range(rounds):
        daemon.start()
        scheduler, main = daemon.pid("scheduler"), daemon.row("main")["pid"]
        killer = threading.Timer(chance.uniform(0, 0.006), kill, [scheduler])
        killer.start()
        kill(main)

        assert end_of(daemon) == 137
        killer.join()


def test_a_scheduler_that_is_critical(daemon: Daemon) -> None:
    daemon.home.settings["core"] = {"scheduler": {"critical": True, "fastCrashSeconds": 60, "giveUpAfter": 2}}
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    daemon.kill_scheduler()
    eventually(lambda: daemon.row("scheduler")["restarts"] == 1)
    daemon.kill_scheduler()

    assert end_of(daemon) == 137
    assert "bye" in daemon.home.log("server"), "no scheduler was there to end it, and start did not ask it"
    assert "scheduler: critical, and it has failed" in (daemon.home.path / "logs" / "start.log").read_text()


def test_a_scheduler_that_runs_alone_ends_with_that_code(daemon: Daemon) -> None:
    add(daemon, "sleep 0.3; exit 3", restart="never")
    daemon.home.add_plugin("other", child("ready"))
    assert daemon.compile()["ok"]
    command = [*role_command("scheduler", str(daemon.home.path)), "--alone"]
    done = subprocess.run(command, env=daemon.home.environment(), capture_output=True, timeout=15, check=False)

    assert done.returncode == 3
    assert [event["level"] for event in told(daemon)] == ["error"]
    assert "bye" in daemon.home.log("other")


@pytest.mark.slow
def test_why_says_what_depends_on_it_and_what_came_of_that(daemon: Daemon) -> None:
    add(daemon, "sleep 1.5; exit 3", restart="never")
    daemon.start()

    assert "when it ends for good, everything stops" in daemon.home.sbctl("why", "main").out
    assert end_of(daemon) == 3
    status = daemon.home.sbctl("status")
    text = "main: critical, and it has failed (exited, restart never: exit code 3): stopping everything, exit code 3"
    assert (status.code, status.out) == (3, f"sbctl is stopped, home {daemon.home}\n  {text}\n")
    assert daemon.home.sbctl("status", "--json").json()["remarks"] == [text]
    known = "critical    it has failed (exited, restart never: exit code 3): stopping everything, exit code 3"
    said = daemon.home.sbctl("why", "main").out
    assert (said.count(known), said.count("stopping everything")) == (1, 1), "told once, whoever has written it down"
    forget_in_the_journal(daemon.home, "service.critical")
    assert known in daemon.home.sbctl("why", "main").out, "a scheduler that ended too soon to write it"
    daemon.home.add_plugin("main", child("ready"))
    daemon.start()
    assert daemon.stop() == 0
    assert daemon.home.sbctl("status").out == f"sbctl is stopped, home {daemon.home}\n"
