"""Every way to end one server or the whole, and that nothing stays behind."""

from __future__ import annotations

import os
import shlex
import signal
import time

import pytest
from support.children import child
from support.daemon import Daemon
from support.processes import alive, kill
from support.waiting import eventually


def said_helper(daemon: Daemon, name: str) -> int:
    """The pid that the last line `helper PID` of a server names."""
    words = [line.split() for line in daemon.home.log(name).splitlines() if line.startswith("helper ")]
    return int(words[-1][1]) if words else 0


def seconds_to_end(daemon: Daemon, timeout: float = 20) -> float:
    assert daemon.process is not None
    began = time.monotonic()
    assert daemon.process.wait(timeout) == 0
    return time.monotonic() - began


def check_nothing_left(daemon: Daemon) -> None:
    assert daemon.home.pids() == []
    logs = daemon.home.path / "logs"
    assert list(logs.glob("*.pid")) + list(logs.glob("*/*.pid")) + list((logs / "run").glob("*.sock")) == []


def test_a_deaf_server_is_killed_after_its_grace(daemon: Daemon) -> None:
    daemon.home.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 0.5})
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf"))
    pid = daemon.row("deaf")["pid"]
    began = time.monotonic()

    daemon.ask("scheduler", "stop", names=["deaf"])

    daemon.in_phase("deaf", "stopped")
    assert 0.5 <= time.monotonic() - began < 1.5
    assert not alive(pid)
    assert len(daemon.events("deaf", "service.killed")) == 1
    assert "ignored SIGTERM" in daemon.home.log("deaf")


def test_each_process_below_a_shell_hears_a_stop_once(daemon: Daemon) -> None:
    """Its shell ends first, so it loses its parent while it still tidies up; a second signal would mean "at once"."""
    inner = shlex.join(child("print_signals", "stay"))
    daemon.home.add_plugin("wrapped", ["sh", "-c", f"{inner}; true"], stop={"graceSeconds": 1})
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("wrapped"))

    daemon.ask("scheduler", "stop", names=["wrapped"])

    daemon.in_phase("wrapped", "stopped")
    assert daemon.home.log("wrapped").count("SIGTERM") == 1


def test_a_suspended_server_can_obey(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"), stop={"graceSeconds": 20})
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("server"))
    os.kill(daemon.row("server")["pid"], signal.SIGSTOP)

    daemon.ask("scheduler", "stop", names=["server"])

    daemon.in_phase("server", "stopped")
    assert daemon.events("server", "service.killed") == []


def test_a_stop_with_a_time_limit_kills_when_that_is_over(daemon: Daemon) -> None:
    daemon.home.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 60})
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf"))
    began = time.monotonic()

    daemon.ask("scheduler", "stop", names=["deaf"], timeout=0.3)

    daemon.in_phase("deaf", "stopped")
    assert 0.3 <= time.monotonic() - began < 1.5


def test_ten_deaf_servers_end_side_by_side(daemon: Daemon) -> None:
    names = [f"deaf{number}" for number in range(10)]
    for name in names:
        daemon.home.add_plugin(name, child("ignore_term"))
    daemon.start()
    for name in names:
        eventually(lambda name=name: "ready" in daemon.home.log(name))
    assert daemon.process is not None

    daemon.process.send_signal(signal.SIGTERM)

    assert 2 <= seconds_to_end(daemon) < 2 + 2
    check_nothing_left(daemon)


@pytest.mark.parametrize("how", [(), ("deaf",)])
def test_what_a_server_leaves_in_its_group_is_ended_before_it_is_started_again(
    daemon: Daemon, how: tuple[str, ...]
) -> None:
    daemon.home.supervision.update(fastCrashSeconds=0.01, graceSeconds=0.4)
    daemon.home.write()
    daemon.home.add_plugin("server", child("grandchild", 0.3, *how))
    daemon.start()
    eventually(lambda: said_helper(daemon, "server"))
    helper = said_helper(daemon, "server")

    eventually(lambda: len(daemon.events("server", "service.started")) == 2)

    assert not alive(helper)
    assert len(daemon.events("server", "service.killed")) == len(how)
    assert daemon.events("server", "service.exited")[0]["data"]["cause"]["code"] == 3


def test_a_helper_that_left_its_group_is_ended_with_its_server(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("escape"))
    daemon.start()
    helper = eventually(lambda: said_helper(daemon, "server"))
    began = time.monotonic()

    daemon.ask("scheduler", "stop", names=["server"])

    daemon.in_phase("server", "stopped")
    assert not alive(helper)
    assert time.monotonic() - began < 1, "it was killed after the grace, not asked"


def test_a_helper_that_can_not_be_attributed_is_named_and_left_alone(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("escape", "bare"))
    daemon.start()
    helper = eventually(lambda: said_helper(daemon, "server"))

    assert daemon.stop() == 0

    assert alive(helper)
    assert f'"pid":{helper}' in (daemon.home.path / "logs" / "start.log").read_text()


def test_a_shutdown_with_a_time_limit_keeps_it(daemon: Daemon) -> None:
    daemon.home.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 60})
    daemon.home.add_plugin("helper", child("grandchild", 0, "deaf"), stop={"graceSeconds": 60})
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf") and "ready" in daemon.home.log("helper"))

    daemon.ask("start", "shutdown", timeout=2)

    assert seconds_to_end(daemon) < 2.2
    check_nothing_left(daemon)


def test_a_second_term_means_now(daemon: Daemon) -> None:
    daemon.home.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 60})
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf"))
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGTERM)
    eventually(lambda: "ignored SIGTERM" in daemon.home.log("deaf"))

    daemon.process.send_signal(signal.SIGTERM)

    assert seconds_to_end(daemon) < 2
    check_nothing_left(daemon)


@pytest.mark.parametrize("signals", [(signal.SIGTERM, signal.SIGHUP), (signal.SIGHUP, signal.SIGTERM)])
def test_a_hang_up_beside_a_term_changes_nothing(daemon: Daemon, signals: tuple[signal.Signals, ...]) -> None:
    daemon.home.add_plugin("server", child("print_signals"))
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("server"))
    assert daemon.process is not None
    for number in signals:
        daemon.process.send_signal(number)

    assert seconds_to_end(daemon) < 2
    assert "got SIGTERM" in daemon.home.log("server")
    check_nothing_left(daemon)


def test_a_hang_up_alone_is_ignored(daemon: Daemon) -> None:
    daemon.start()
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)

    eventually(lambda: "signal.ignored" in (daemon.home.path / "logs" / "start.log").read_text())
    assert daemon.row("scheduler")["state"] == "running"


def test_stopping_while_the_scheduler_is_frozen_ends_everything_within_both_graces(daemon: Daemon) -> None:
    daemon.home.supervision["graceSeconds"] = 0.5
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"))
    daemon.home.add_plugin("deaf", child("ignore_term"))
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf"))
    os.kill(daemon.pid("scheduler"), signal.SIGSTOP)
    assert daemon.process is not None

    daemon.process.send_signal(signal.SIGTERM)

    # The scheduler's own grace is the servers' and 2 s; then theirs, from `start`.
    assert seconds_to_end(daemon) < 2.5 + 0.5 + 1
    check_nothing_left(daemon)


def test_stopping_while_the_scheduler_has_failed_ends_its_servers(daemon: Daemon) -> None:
    daemon.home.settings["core"] = {"scheduler": {"giveUpAfter": 1, "fastCrashSeconds": 60}}
    daemon.home.supervision["graceSeconds"] = 0.5
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"))
    daemon.home.add_plugin("deaf", child("ignore_term"))
    daemon.start()
    eventually(lambda: "ready" in daemon.home.log("deaf"))
    pid = daemon.row("server")["pid"]
    daemon.kill_scheduler()
    eventually(lambda: daemon.ask("start", "status")["rows"][0]["state"] == "failed")
    assert alive(pid)
    assert daemon.process is not None

    daemon.process.send_signal(signal.SIGTERM)

    assert seconds_to_end(daemon) < 2
    assert "bye" in daemon.home.log("server")
    check_nothing_left(daemon)


def test_stopping_just_as_the_scheduler_is_killed_ends_everything(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    scheduler = daemon.pid("scheduler")
    assert daemon.process is not None

    kill(scheduler)
    daemon.process.send_signal(signal.SIGTERM)

    assert seconds_to_end(daemon) < 3
    check_nothing_left(daemon)


def test_even_a_short_limit_leaves_time_to_end_by_itself(daemon: Daemon) -> None:
    daemon.home.add_plugin("polite", child("ready"))
    daemon.start()

    daemon.ask("start", "shutdown", timeout=1)

    eventually(lambda: daemon.process is not None and daemon.process.poll() is not None)
    (end,) = daemon.events("polite", "service.exited")
    assert "SIGKILL" not in end["text"]
    assert daemon.events("polite", "service.killed") == []
