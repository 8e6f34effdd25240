"""When a server that ends is started again, how soon, and when no more."""

from __future__ import annotations

import time

import pytest
from support.children import child
from support.daemon import Daemon
from support.processes import kill
from support.times import pauses
from support.waiting import eventually

SCALED = [0.1, 0.2, 0.4, 0.8]
REAL = [5.0, 10.0, 20.0, 40.0]


def test_a_server_that_always_dies_is_tried_at_growing_distance_and_given_up(daemon: Daemon) -> None:
    daemon.home.add_plugin("crasher", child("crash_after", 0.2, 7))
    daemon.start()

    row = daemon.in_phase("crasher", "failed")

    assert pauses(daemon.events("crasher")) == pytest.approx(SCALED, abs=0.1)
    assert len(daemon.events("crasher", "service.exited")) == 5
    assert len(daemon.events("crasher", "service.gave_up")) == 1
    assert (row["desired"], row["pid"], row["cause"], row["exit"]["code"]) == ("up", None, "exit code 7", 7)
    story = daemon.ask("scheduler", "why", name="crasher")
    assert (story["attempts"]["streak"], story["attempts"]["give_up"]) == (5, 5)
    assert story["words"] == ["ready", "ending with 7"]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_products_own_delays_are_kept_to_a_tenth_of_a_second(daemon: Daemon) -> None:
    for key in ("delaysSeconds", "fastCrashSeconds", "giveUpAfter"):
        del daemon.home.supervision[key]
    daemon.home.write()
    daemon.home.add_plugin("crasher", child("crash_after", 0.2, 7))
    daemon.start()

    daemon.in_phase("crasher", "failed", timeout=90)

    assert pauses(daemon.events("crasher")) == pytest.approx(REAL, abs=0.1)
    assert len(daemon.events("crasher", "service.gave_up")) == 1


def test_starting_a_failed_server_gives_it_a_fresh_budget(daemon: Daemon) -> None:
    daemon.home.supervision["delaysSeconds"] = [0.02]
    daemon.home.write()
    daemon.home.add_plugin("crasher", child("crash_after", 0, 7))
    daemon.start()
    daemon.in_phase("crasher", "failed")

    assert daemon.ask("scheduler", "start", names=["crasher"])["accepted"] == ["crasher"]

    eventually(lambda: len(daemon.events("crasher", "service.gave_up")) == 2)
    assert len(daemon.events("crasher", "service.exited")) == 10


def test_a_server_that_lived_long_enough_is_back_at_once(daemon: Daemon) -> None:
    daemon.home.supervision["fastCrashSeconds"] = 0.05
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"))
    daemon.start()
    old = daemon.row("server")["pid"]
    # The longest of several: one lucky restart proves nothing.
    for _ in range(5):
        eventually(lambda: daemon.row("server")["uptime_s"] >= 0.1)
        began = time.monotonic()
        kill(old)
        old = eventually(lambda old=old: another_pid(daemon, "server", old), 5)
        assert time.monotonic() - began < 0.2

    assert max(pauses(daemon.events("server"))) < 0.1
    assert daemon.row("server")["restarts"] == 5


def another_pid(daemon: Daemon, name: str, old: int) -> int | None:
    pid: int | None = daemon.row(name)["pid"]
    return pid if pid != old else None


def test_too_many_deaths_in_the_window_slow_the_restarts_with_one_notice(daemon: Daemon) -> None:
    daemon.home.supervision.update(fastCrashSeconds=0.01, windowDeaths=3, windowDelaySeconds=0.5)
    daemon.home.write()
    daemon.home.add_plugin("server", child("crash_after", 0.05, 0))
    daemon.start()

    eventually(lambda: len(daemon.events("server", "service.started")) >= 6)

    slowed = pauses(daemon.events("server"))
    assert max(slowed[:2]) < 0.2
    assert slowed[2:5] == pytest.approx([0.5] * 3, abs=0.15)
    assert len(daemon.events("server", "service.slowed")) == 1
    assert daemon.row("server")["state"] != "failed"


def test_the_restart_policy_and_two_exit_codes_keep_a_server_down(daemon: Daemon) -> None:
    daemon.home.supervision["delaysSeconds"] = [0.02]
    daemon.home.write()
    ends = {
        "finished": ("on-failure", 0, "stopped", 1),
        "failing": ("on-failure", 3, "failed", 5),
        "once": ("never", 3, "failed", 1),
        "once-well": ("never", 0, "stopped", 1),
        "down": ("always", 125, "stopped", 1),
        "settings": ("always", 78, "failed", 5),
    }
    for name, (restart, code, _, _) in ends.items():
        daemon.home.add_plugin(name, child("crash_after", 0, code), restart=restart)
    daemon.home.add_plugin("expected", child("crash_after", 0, 3), restart="on-failure", exitCodes=[0, 3])
    ends["expected"] = ("on-failure", 3, "stopped", 1)
    daemon.start()

    for name, (_, code, phase, lives) in ends.items():
        row = daemon.in_phase(name, phase)
        assert row["exit"]["code"] == code
        assert len(daemon.events(name, "service.exited")) == lives, name
    assert "settings are wrong" in daemon.row("settings")["cause"]
    assert "stay down" in daemon.row("down")["cause"]
