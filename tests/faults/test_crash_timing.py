"""R32: what counts as a fast crash, and that the count outlives the scheduler that counts.

Real processes that live a little less or more than the limit; each restart is judged by a reckoner of its own, from
nothing but the times in the journal.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.killing import await_successor, kill_and_await_successor, without_budget
from support.ports import free_port
from support.processes import alive
from support.times import moment
from support.waiting import eventually

from supervisor.base.errors import Problem

LIMIT_S = 0.5
DELAYS = [0.1, 0.3, 0.6, 0.9]
GIVE_UP = 5
LIVES = (0.1, 0.35, 0.45, 0.5, 0.55, 0.65)  # s, around the limit
EARLY_S, LATE_S = 0.15, 0.7  # of a busy machine: when it hears of a start, and of all the rest


@pytest.fixture
def timed(daemon: Daemon) -> Daemon:
    daemon.home.supervision.update(fastCrashSeconds=LIMIT_S, delaysSeconds=DELAYS, giveUpAfter=GIVE_UP)
    daemon.home.write()
    return daemon


def living(seconds: float) -> list[str]:
    return ["/bin/sh", "-c", f"sleep {seconds}; exit 3"]


def exits(daemon: Daemon, name: str) -> list[dict[str, Any]]:
    return daemon.events(name, "service.exited")


def streak(daemon: Daemon, name: str) -> int:
    try:
        found: int = daemon.ask("scheduler", "why", name=name)["attempts"]["streak"]
    except Problem as problem:  # between two schedulers
        raise AssertionError(str(problem)) from None
    return found


def pauses(events: list[dict[str, Any]]) -> list[float]:
    """From each end to the start that followed it; the end was when its life was over, however late it was told of."""
    found: list[float] = []
    began = ended = None
    for event in events:
        if event["kind"] == "service.started":
            began = moment(event)
            if ended is not None:
                found.append(began - ended)
        elif event["kind"] == "service.exited" and began is not None:
            ended = began + event["data"]["uptime"]
    return found


def about(seconds: float, found: float) -> bool:
    """So long, and what a busy machine makes of it."""
    return seconds - EARLY_S <= found < seconds + LATE_S


def check_pauses(daemon: Daemon, name: str) -> None:
    """After each end the pause that its life calls for; after five fast ones in a row, none."""
    events, count = daemon.events(name), 0
    found = pauses(events)
    ends = [event for event in events if event["kind"] == "service.exited"]
    for number, end in enumerate(ends):
        count = count + 1 if end["data"]["uptime"] < LIMIT_S else 0
        if count == GIVE_UP:
            assert number == len(ends) - 1, "it was not started again"
            assert [event["kind"] for event in events].count("service.gave_up") == 1
            return
        if number < len(found):
            expected = DELAYS[count - 1] if count else 0.0
            assert about(expected, found[number]), (name, number, end["data"])
    assert "service.gave_up" not in [event["kind"] for event in events]


# around the limit


@pytest.mark.slow
def test_lives_a_little_shorter_and_longer_than_the_limit(timed: Daemon) -> None:
    names = {f"lives-{int(seconds * 100)}": seconds for seconds in LIVES}
    for name, seconds in names.items():
        timed.home.add_plugin(name, living(seconds))
    timed.start()

    eventually(lambda: all(len(exits(timed, name)) >= GIVE_UP for name in names), 20)

    for name, seconds in names.items():
        check_pauses(timed, name)
        # What is judged is the life of the process itself.
        for end in exits(timed, name):
            assert about(seconds, end["data"]["uptime"]), (name, end)
    shortest, longest = "lives-10", "lives-65"
    assert timed.in_phase(shortest, "failed")["restarts"] == GIVE_UP - 1
    assert len(exits(timed, shortest)) == GIVE_UP
    assert timed.events(longest, "service.gave_up") == []
    assert streak(timed, longest) == 0


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.1, LIMIT_S + 0.2])
def test_an_end_before_it_was_ready_is_a_fast_crash_however_long_it_took(timed: Daemon, seconds: float) -> None:
    timed.home.add_plugin("web", living(seconds), ready={"tcp": f"127.0.0.1:{free_port()}"}, giveUpAfter=2)
    timed.start(wait=False)

    timed.in_phase("web", "failed")

    assert len(exits(timed, "web")) == 2
    assert about(DELAYS[0], pauses(timed.events("web"))[0])


# over the death of whoever counts


@pytest.mark.slow
def test_the_streak_is_kept_over_kills_and_restarts_of_the_scheduler(timed: Daemon) -> None:
    without_budget(timed.home)
    timed.home.supervision["delaysSeconds"] = [0.4]
    timed.home.write()
    timed.home.add_plugin("crasher", living(0.05))
    timed.start()
    seen = []
    for number in range(1, GIVE_UP):
        eventually(lambda number=number: streak(timed, "crasher") == number)  # type: ignore[misc]
        seen.append(streak(timed, "crasher"))
        if number % 2:
            kill_and_await_successor(timed)
        else:
            old = timed.pid("scheduler")
            timed.ask("start", "restart", names=["scheduler"])
            await_successor(timed, old)

    timed.in_phase("crasher", "failed")

    assert seen == [1, 2, 3, 4]
    assert len(exits(timed, "crasher")) == GIVE_UP
    assert len(timed.events("crasher", "service.gave_up")) == 1
    assert streak(timed, "crasher") == GIVE_UP
    assert all(about(0.4, pause) for pause in pauses(timed.events("crasher")))


@pytest.mark.slow
def test_deaths_in_the_window_are_kept_over_kills_of_the_scheduler(timed: Daemon) -> None:
    without_budget(timed.home)
    timed.home.supervision.update(fastCrashSeconds=0.01, windowDeaths=4, windowDelaySeconds=0.7)
    timed.home.write()
    timed.home.add_plugin("server", living(0.3))
    timed.start()
    for number in (1, 2, 3):
        eventually(lambda number=number: len(exits(timed, "server")) >= number)  # type: ignore[misc]
        kill_and_await_successor(timed)

    [slowed] = eventually(lambda: timed.events("server", "service.slowed"))

    events = timed.events("server")
    assert [event["kind"] for event in events[: events.index(slowed)]].count("service.exited") == 4
    eventually(lambda: len(timed.events("server", "service.started")) >= 5)
    assert about(0.7, pauses(timed.events("server"))[3])


# while nobody listens


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, LIMIT_S + 0.1])
def test_the_life_of_a_process_ends_with_it_not_when_a_suspended_scheduler_hears(timed: Daemon, seconds: float) -> None:
    timed.home.add_plugin("server", child("leave", 3))
    timed.start(wait=False)
    eventually(lambda: "ready" in timed.home.log("server"))
    eventually(lambda: timed.row("server")["uptime_s"] >= seconds)
    pid, scheduler = timed.row("server")["pid"], timed.pid("scheduler")
    os.kill(scheduler, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGUSR1)
        eventually(lambda: not alive(pid))
        ended = time.time()
        pass_time(LIMIT_S + 0.3)  # to whoever hears only then, it has had a long life
    finally:
        os.kill(scheduler, signal.SIGCONT)

    end = eventually(lambda: exits(timed, "server"))[0]

    lived = ended - moment(timed.events("server", "service.started")[0])
    assert end["data"]["uptime"] == pytest.approx(lived, abs=0.25)
    eventually(lambda: len(timed.events("server", "service.started")) >= 2)
    assert streak(timed, "server") == (end["data"]["uptime"] < LIMIT_S)
    assert about(LIMIT_S + 0.3, pauses(timed.events("server"))[0]), "as soon as somebody is there to do it"


def pass_time(seconds: float) -> None:
    until = time.monotonic() + seconds
    eventually(lambda: time.monotonic() >= until, seconds + 5)


@pytest.mark.slow
def test_an_end_without_a_scheduler_counts_by_the_life_that_it_had(timed: Daemon) -> None:
    without_budget(timed.home, delay=LIMIT_S + 0.3)
    timed.home.add_plugin("server", living(0.2))
    timed.start(wait=False)
    timed.in_phase("server", "running")
    timed.kill_scheduler()

    end = eventually(lambda: exits(timed, "server"))[0]

    assert end["data"]["uptime"] < LIMIT_S
    eventually(lambda: streak(timed, "server") >= 1)


@pytest.mark.slow
def test_a_pause_that_has_passed_while_the_scheduler_was_suspended_is_over(timed: Daemon) -> None:
    timed.home.supervision["delaysSeconds"] = [0.8]
    timed.home.write()
    timed.home.add_plugin("server", living(0.05))
    timed.start(wait=False)
    timed.in_phase("server", "backoff")
    scheduler = timed.pid("scheduler")
    os.kill(scheduler, signal.SIGSTOP)
    try:
        pass_time(1.0)
    finally:
        os.kill(scheduler, signal.SIGCONT)

    eventually(lambda: len(timed.events("server", "service.started")) == 2, 0.7, "it is started at once")


@pytest.mark.slow
def test_time_in_which_a_process_itself_is_suspended_is_time_it_has_lived(timed: Daemon) -> None:
    timed.home.add_plugin("server", child("leave", 3))
    timed.start()
    eventually(lambda: "ready" in timed.home.log("server"))
    pid = timed.row("server")["pid"]
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: timed.row("server")["uptime_s"] > LIMIT_S + 0.1)
    os.kill(pid, signal.SIGUSR1)
    os.kill(pid, signal.SIGCONT)

    end = eventually(lambda: exits(timed, "server"))[0]

    assert end["data"]["uptime"] > LIMIT_S
    eventually(lambda: timed.row("server")["pid"] not in (pid, None))
    assert about(0, pauses(timed.events("server"))[0])
    assert streak(timed, "server") == 0
