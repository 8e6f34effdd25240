"""The life of a tree through `bin/sbctl`: start, look, stop, as a person does it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer

import pytest
from support.home import LAUNCHER, TemporaryHome
from support.processes import alive, kill
from support.waiting import eventually

from supervisor.base import proc
from supervisor.base.files import take_lock

SLEEPER = ["/bin/sleep", "1000"]
ENDS_WITH_GO = "while [ ! -e go ]; do sleep 0.05; done; exit 0"
DIES = ["/bin/sh", "-c", "echo bang; exit 3"]


def test_start_status_stop(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    started = home.sbctl("start")
    assert started.code == 0, started
    assert started.out.startswith("started: all 3 services up in ")
    pid = home.pid("start")
    assert f"(pid {pid})" in started.out

    status = home.status()
    assert (status["state"], status["pid"]) == ("running", pid)
    assert [(row["name"], row["state"]) for row in status["services"]] == [
        ("scheduler", "running"),
        ("config", "running"),
        ("web", "running"),
    ]
    assert home.sbctl("status", "--check").code == 0

    again = home.sbctl("start")
    assert (again.code, again.out) == (0, f"already running (pid {pid})\n")

    stopped = home.sbctl("stop")
    assert (stopped.code, stopped.err) == (0, "")
    assert stopped.out.endswith(f"(pid {pid})\n")
    assert home.pids() == []
    assert home.sbctl("stop").out == "already stopped\n"
    assert home.sbctl("status").code == 3


def test_what_does_not_come_up_is_named(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    home.add_plugin("mail", DIES)
    started = home.sbctl("start")
    assert started.code == 1
    assert started.out.startswith("started: 3 of 4 services up")
    assert "mail: " in started.err
    assert "exit code 3" in started.err
    assert "sbctl why mail" in started.err
    eventually(lambda: home.status("mail")["services"][0]["state"] == "failed")
    why = home.sbctl("why", "mail")
    lines = why.out.splitlines()
    assert len(lines) == 5, why.out
    assert lines[0].startswith("mail is failed")
    assert "exit code 3" in lines[1]
    assert "gave up after 5 fast crashes" in lines[2]
    assert lines[3] == "last words  bang"
    again = home.sbctl("start")
    assert again.code == 0
    assert "mail: failed" in again.err
    fresh = home.sbctl("start", "mail")
    assert fresh.code == 1
    assert "mail is not up" in fresh.err


def test_single_services(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    home.add_plugin("later", SLEEPER, autoStart=False)
    assert home.sbctl("start").code == 0
    before = home.status("web")["services"][0]["pid"]
    assert home.sbctl("restart", "web").code == 0
    after = home.status("web")["services"][0]["pid"]
    assert before != after
    assert home.sbctl("stop", "web").out == "web stopped\n"
    assert not alive(after)
    assert home.sbctl("status", "--check").code == 0  # stopped on purpose
    assert home.sbctl("start", "web", "later").code == 0
    assert {row["state"] for row in home.status("web", "later")["services"]} == {"running"}
    wrong = home.sbctl("stop", "wbe")
    assert wrong.code == 2
    assert "did you mean 'web'" in wrong.err


def test_restart_of_the_tree(home: TemporaryHome) -> None:
    assert home.sbctl("start").code == 0
    first = home.pid("start")
    assert home.sbctl("restart").code == 0
    assert home.pid("start") != first
    assert home.sbctl("stop").code == 0
    restarted = home.sbctl("restart")
    assert restarted.code == 0
    assert restarted.out.startswith("already stopped\nstarted: ")


def start_at_once(home: TemporaryHome, count: int) -> None:
    """However many are asked at one moment, one tree comes of it and nobody is told of a failure."""
    with ThreadPoolExecutor(count) as pool:
        results = list(pool.map(lambda _: home.sbctl("start"), range(count)))
    assert [result.code for result in results] == [0] * count, results
    assert sum(result.out.startswith("started") for result in results) == 1
    commands = [proc.command_of(pid) for pid in home.pids()]
    assert sum("sleep 1000" in command for command in commands) == 1
    assert sum("scheduler" in command for command in commands) == 1


def test_many_starts_at_once_make_one_tree(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    start_at_once(home, 4)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_hundred_times_two_starts_at_once(home: TemporaryHome) -> None:
    home.settings["config"] = {"enabled": False}
    home.write()
    home.add_plugin("web", SLEEPER)
    for _ in range(200):
        start_at_once(home, 2)
        assert home.sbctl("stop").code == 0


@pytest.mark.slow
def test_a_stop_in_the_middle_of_a_start(home: TemporaryHome) -> None:
    """Whichever comes first: both end, and the next stop finds nothing left."""
    home.add_plugin("web", SLEEPER)
    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            started = pool.submit(home.sbctl, "start")
            eventually(lambda: home.pid("start"))
            stopped = home.sbctl("stop")
        assert stopped.code == 0, stopped
        assert started.result().code in (0, 1), started.result()
        assert "Traceback" not in started.result().err
        assert home.sbctl("stop").code == 0
        assert home.pids() == []


def test_a_start_while_it_is_stopping_waits_for_the_end(home: TemporaryHome) -> None:
    home.add_plugin("slow", ["/bin/sh", "-c", f"trap '{ENDS_WITH_GO}' TERM; echo up; while :; do sleep 0.05; done"])
    assert home.sbctl("start").code == 0
    eventually(lambda: home.log("slow") == "up\n")
    old = home.pid("start")
    assert old is not None
    os.kill(old, signal.SIGTERM)
    eventually(lambda: home.status()["state"] == "stopping")
    single = home.sbctl("start", "slow")
    assert single.code == 1
    assert "error: sbctl is stopping" in single.err
    assert "start scheduler" not in single.err
    hasty = home.sbctl("start", "--wait", "0.1s")
    assert (hasty.code, hasty.out) == (1, "")
    assert f"still stopping (pid {old})" in hasty.err
    later = Timer(1.0, (home.path / "plugins" / "slow" / "go").touch)  # while that waits
    later.start()
    started = home.sbctl("start")
    later.join()
    assert started.code == 0, started
    assert f"sbctl is stopping (pid {old})" in started.err
    assert started.out.startswith("started: all 3 services")
    assert home.pid("start") != old
    assert home.sbctl("status", "--check").code == 0


def test_a_start_that_is_asked_to_end_while_starting_is_no_success(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(home.sbctl, "start")
        pid = eventually(lambda: home.pid("start"))
        os.kill(pid, signal.SIGTERM)
        started = going.result()
    assert (started.code, started.out) == (1, ""), started
    assert "error: start was asked to end while starting" in started.err


def test_a_start_outlives_its_terminal(home: TemporaryHome) -> None:
    """Its own session, no descriptor of the caller's, and no word to a terminal that is gone."""
    outside, inside = os.pipe()
    os.set_inheritable(inside, True)
    done = subprocess.run(
        [LAUNCHER, "start"],
        env=home.environment(),
        pass_fds=[inside],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        start_new_session=True,
        check=False,
    )
    os.close(inside)
    assert done.returncode == 0, done
    assert os.read(outside, 1) == b""  # nobody below holds the other end
    os.close(outside)
    pid = home.pid("start")
    assert pid is not None
    assert os.getsid(pid) == pid
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1)} == {"/dev/null"}
    os.kill(pid, signal.SIGHUP)
    assert home.sbctl("status").code == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_start_with_closed_descriptors(home: TemporaryHome, closed: str) -> None:
    done = home.run(["/bin/sh", "-c", f"exec '{LAUNCHER}' start {closed}"])
    assert done.code == 0, done
    assert home.sbctl("status").code == 0


def test_a_descriptor_above_the_limit_of_the_caller_is_no_obstacle(home: TemporaryHome) -> None:
    """It may be open all the same; a list of things to close on the way to `start` would be refused for it."""
    home.add_plugin("web", SLEEPER)
    lowered = 'exec 200</dev/null; ulimit -S -n 100; exec "$@"'

    started = home.run(["/bin/bash", "-c", lowered, "bash", LAUNCHER, "start"])

    assert started.code == 0, started
    assert "200" not in os.listdir(f"/proc/{home.pid('start')}/fd")


def test_foreground_is_the_callers_pid(home: TemporaryHome) -> None:
    going = subprocess.Popen(
        [LAUNCHER, "start", "--foreground"],
        env=home.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        eventually(lambda: home.sbctl("status").code == 0)
        assert home.pid("start") == going.pid
        going.send_signal(signal.SIGINT)
        out, _ = going.communicate(timeout=20)
    finally:
        going.kill()
    assert going.returncode == 0
    assert b"everything has stopped" in out
    assert home.pids() == []


def test_after_a_kill_status_says_so_and_stop_cleans_up(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    assert home.sbctl("start").code == 0
    pid = home.pid("start")
    assert pid is not None
    kill(pid)
    eventually(lambda: home.pids() == [])
    assert home.sbctl("status").code == 1
    assert home.sbctl("status", "--json").json()["state"] == "stopped"
    assert home.sbctl("stop").code == 0
    assert home.sbctl("status").code == 3
    assert not list((home.path / "logs").glob("*.pid"))


def test_garbage_in_pid_files_harms_nobody(home: TemporaryHome) -> None:
    bystander = subprocess.Popen(SLEEPER)
    logs = home.path / "logs"
    logs.mkdir()
    try:
        for name, text in (("start", f"{bystander.pid}\n"), ("scheduler", "-1"), ("config", "\0" * 99)):
            (logs / f"{name}.pid").write_text(text)
        assert home.sbctl("status").code == 1
        assert home.sbctl("stop").out == "already stopped\n"
        assert bystander.poll() is None
        assert home.sbctl("start").code == 0
        assert home.sbctl("stop").code == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.slow
def test_a_suspended_start(home: TemporaryHome) -> None:
    assert home.sbctl("start").code == 0
    pid = home.pid("start")
    assert pid is not None
    kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    status = home.sbctl("status")
    assert time.monotonic() - began < 5
    assert status.code == 4
    stop = home.sbctl("stop", timeout=10)
    assert stop.code == 1
    assert f"kill -CONT {pid}" in stop.err
    assert home.sbctl("start").code == 124
    kill(pid, signal.SIGCONT)
    assert home.sbctl("stop").code == 0


def test_a_suspended_scheduler(home: TemporaryHome) -> None:
    home.add_plugin("web", SLEEPER)
    assert home.sbctl("start").code == 0
    pid = home.pid("scheduler")
    assert pid is not None
    kill(pid, signal.SIGSTOP)
    status = home.sbctl("status")
    assert status.code == 0
    assert "web" in status.out
    assert "scheduler does not answer" in status.out
    kill(pid, signal.SIGCONT)
    assert home.sbctl("stop").code == 0


def test_a_stop_with_a_time_limit(home: TemporaryHome) -> None:
    home.supervision["graceSeconds"] = 30
    home.write()
    home.add_plugin("deaf", ["/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"])
    assert home.sbctl("start").code == 0
    eventually(lambda: home.log("deaf") == "deaf\n")
    began = time.monotonic()
    assert home.sbctl("stop", "--timeout", "2").code == 0
    assert time.monotonic() - began < 4
    assert home.pids() == []


def test_a_stop_while_it_begins(home: TemporaryHome) -> None:
    """The lock is held and nobody listens yet: waited for, then ended by a signal."""
    logs = home.path / "logs" / "run"
    logs.mkdir(parents=True)
    script = f"""
import signal, sys
from supervisor.base.files import take_lock
lock = take_lock({str(logs / "start.lock")!r})
print("locked", flush=True)
signal.pause()
"""
    beginning = subprocess.Popen(
        ["python3", "-c", script, str(home.path)],
        stdout=subprocess.PIPE,
        env={**home.environment(), "PYTHONPATH": str(LAUNCHER.parents[1]), "PATH": f"{os.environ['PATH']}"},
    )
    assert beginning.stdout is not None
    assert beginning.stdout.readline() == b"locked\n"
    assert "starting or ending" in home.sbctl("status").out
    assert home.sbctl("stop").code == 0
    assert beginning.wait(timeout=10) == -signal.SIGTERM
    beginning.stdout.close()
    lock = take_lock(str(logs / "start.lock"))
    assert lock is not None
    os.close(lock)


def test_a_home_with_spaces_and_a_long_path(make_home: object, tmp_path: Path) -> None:
    home = make_home("a home with spaces/" + "deep/" * 25 + "x")  # type: ignore[operator]
    home.add_plugin("web", SLEEPER)
    assert len(str(home.path)) > 120
    assert home.sbctl("start").code == 0
    assert home.sbctl("status", "--check").code == 0
    assert home.sbctl("logs", "web").code == 0
    assert home.sbctl("stop").code == 0


def test_a_home_that_can_not_be_written(home: TemporaryHome) -> None:
    (home.path / "logs").write_text("in the way\n")
    started = home.sbctl("start")
    assert started.code == 4
    assert "can't make" in started.err
    assert "Traceback" not in started.err


def test_services_of_a_stopped_scheduler_are_stopped_not_forgotten(home: TemporaryHome) -> None:
    home.add_plugin("num", SLEEPER)
    assert home.sbctl("start").code == 0
    assert home.sbctl("stop", "scheduler").code == 0

    assert [(row["name"], row["state"], row["detail"]) for row in home.status("num")["services"]] == [
        ("num", "stopped", "")
    ]
    assert home.status()["state"] == "running"
    assert "num        " in home.sbctl("status").out
    asked = home.sbctl("start", "num")
    assert asked.code == 7
    assert "num is stopped, because the scheduler is" in asked.err
    assert "next: sbctl start scheduler" in asked.err
    why = home.sbctl("why", "num").out.splitlines()
    assert (why[0], why[-1]) == ("num is stopped; the scheduler is stopped", "next        sbctl start scheduler")

    assert home.sbctl("start", "scheduler").code == 0
    eventually(lambda: home.status("num")["services"][0]["state"] == "running")
    assert home.sbctl("stop").code == 0
    why = home.sbctl("why", "num").out.splitlines()
    assert (why[0], why[-1]) == ("num is stopped; sbctl is not running", "next        sbctl start")


def test_a_stop_names_whom_it_had_to_kill(home: TemporaryHome) -> None:
    home.supervision["graceSeconds"] = 0.3
    home.write()
    home.add_plugin("web", SLEEPER)
    home.add_plugin("deaf", ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
    assert home.sbctl("start").code == 0
    assert home.sbctl("stop", "web").err == ""
    stopped = home.sbctl("stop", "deaf")
    assert (stopped.code, stopped.err) == (0, "1 had to be killed: deaf\n")
    assert home.sbctl("start", "deaf").code == 0
    stopped = home.sbctl("stop")
    assert (stopped.code, stopped.err) == (0, "1 had to be killed: deaf\n")


def test_a_stop_names_whom_it_killed_at_its_limit(home: TemporaryHome) -> None:
    home.supervision["graceSeconds"] = 30
    home.write()
    home.add_plugin("deaf", ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"])
    assert home.sbctl("start").code == 0
    eventually(lambda: "ready" in home.log("deaf"))
    stopped = home.sbctl("stop", "--timeout", "1s", "--json")
    assert (stopped.code, stopped.json()["killed"]) == (0, ["deaf"]), stopped
    assert stopped.err == "1 had to be killed: deaf\n"
