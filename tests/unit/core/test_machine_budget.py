"""How often a service is tried again, how slowly, and when no more."""

from __future__ import annotations

import itertools

import pytest
from unit.core.fake_world import (
    CLEAN,
    CRASH,
    NO_MEMORY,
    TERMINATED,
    World,
)

from supervisor.core.actions import SLOWED, Announce
from supervisor.core.inputs import (
    Exited,
    PolicyChanged,
    RestartAsked,
    Spawned,
    SpawnFailed,
    StartAsked,
)
from supervisor.model.service import Phase, Policy

START, AGAIN, SPAWNED = StartAsked(), RestartAsked(), Spawned()
DEAD, GONE = Exited(CRASH, empty=True), Exited(TERMINATED, empty=True)


def test_child_that_dies_after_0_2_s_is_tried_five_times() -> None:
    world = World(now=0.0)
    world.feed(START)
    world.live_and_die(0.2, until=1e9)
    delays = [5, 10, 20, 40]
    ends = [at for at, done in world.log if "exited" in done]
    assert len(ends) == 5
    assert world.spawned_at == pytest.approx([0.0, *(end + delay for end, delay in zip(ends, delays, strict=False))])
    assert world.spawned_at == pytest.approx([0.0, 5.2, 15.4, 35.6, 75.8])
    assert world.state.phase is Phase.FAILED
    assert world.log[-1][1] == "exited, clear, gave_up"
    assert sum("gave_up" in done for _, done in world.log) == 1
    assert (world.state.streak, world.state.restarts, len(world.state.deaths)) == (5, 4, 5)


def test_a_person_gives_a_fresh_budget() -> None:
    for inp, restarts in ((START, 0), (AGAIN, 0), (PolicyChanged(), 5)):
        world = World(now=0.0)
        world.feed(START)
        world.live_and_die(0.2, until=1e9)
        world.feed(inp)
        assert (world.state.phase, world.state.streak, world.state.deaths) == (Phase.STARTING, 0, ())
        assert world.state.restarts == restarts
        world.live_and_die(0.2, until=1e9)
        assert sum("gave_up" in done for _, done in world.log) == 2


def test_clean_exits_are_crashes_too_when_it_should_always_run() -> None:
    world = World(now=0.0)
    world.feed(START)
    world.live_and_die(0.2, until=1e9, cause=CLEAN)
    assert world.state.phase is Phase.FAILED


def test_the_streak_ends_with_a_long_life() -> None:
    world = World(now=0.0)
    world.feed(START)
    world.live_and_die(0.2, until=36)
    assert (world.now, world.state.streak) == (pytest.approx(75.8), 4)
    world.at(76, SPAWNED)
    world.move_to(85.9)
    assert world.state.streak == 4
    world.move_to(86)
    assert (world.state.phase, world.state.streak) == (Phase.RUNNING, 0)
    assert world.at(90, DEAD) == "exited, spawn"
    assert world.at(90.5, SPAWNED, DEAD) == "exited, clear, timer 5, backing_off"


def slow_notices(world: World) -> list[Announce]:
    notices: list[Announce] = []
    world.on_announce = lambda announce: notices.append(announce) if announce.kind == SLOWED else None
    return notices


def test_server_that_dies_each_31_s_is_slowed_and_never_given_up() -> None:
    world = World(now=0.0)
    notices = slow_notices(world)
    world.feed(START)
    world.live_and_die(31, until=48 * 3600)
    starts = world.spawned_at
    assert starts[:30] == [31.0 * n for n in range(30)], "at once, until the thirtieth death"
    assert [late - early for early, late in itertools.pairwise(starts[29:35])] == [331.0] * 5
    assert len(notices) == 1
    assert notices[0].data == {"deaths": 30, "window": 3600.0, "delay": 300.0}
    assert not any("gave_up" in done for _, done in world.log)
    per_hour = [sum(hour <= at / 3600 < hour + 1 for at in starts) for hour in range(48)]
    assert max(per_hour) <= 39
    assert min(per_hour) >= 12


def test_a_new_notice_after_the_window_has_drained() -> None:
    world = World(Policy(window=100, window_deaths=4, window_delay=30), now=0.0)
    notices = slow_notices(world)
    world.feed(START)
    world.live_and_die(11, until=50)
    assert (len(notices), world.state.slowed) == (1, True)
    world.live_and_die(99, until=400)
    assert (len(notices), world.state.slowed) == (1, False)
    world.live_and_die(11, until=world.now + 60)
    assert len(notices) == 2


def test_a_fast_crash_of_a_slowed_server_waits_for_the_longer_delay() -> None:
    world = World(Policy(window_deaths=3, window_delay=7, delays=(5, 10), give_up=9), now=0.0)
    world.feed(START)
    world.live_and_die(1, until=39)
    assert [done for _, done in world.log if "backing" in done] == [
        "exited, clear, timer 5, backing_off",
        "exited, clear, timer 10, backing_off",
        "exited, clear, slowed, timer 10, backing_off",
        "exited, clear, timer 10, backing_off",
    ]
    world.state.streak = 0
    world.live_and_die(1, until=world.now + 1)
    assert world.log[-1][1] == "exited, clear, timer 7, backing_off"


def test_a_window_keeps_the_state_small() -> None:
    world = World(Policy(fast_crash=0, window_deaths=5, window_delay=0), now=0.0)
    world.feed(START)
    world.live_and_die(0.5, until=500)
    assert len(world.state.deaths) == 5


def test_the_system_costs_no_budget() -> None:
    world = World(now=0.0)
    world.feed(START)
    for _ in range(12):
        world.at(world.state.timer_at or 0.0, SpawnFailed(NO_MEMORY))
    assert [done for _, done in world.log if "failed" in done] == [
        f"spawn_failed, timer {delay}" for delay in (1, 2, 4, 8, 16, *[30] * 7)
    ]
    assert (world.state.streak, world.state.deaths, world.state.restarts) == (0, (), 0)
    world.at(world.now + 30, SPAWNED)
    assert world.state.system_failures == 0
    world.at(world.now + 11, DEAD)
    assert (world.state.restarts, world.at(world.now, SpawnFailed(NO_MEMORY))) == (1, "spawn_failed, timer 1")


def test_asked_ends_are_no_deaths() -> None:
    world = World(now=0.0)
    world.at(0, START, SPAWNED)
    for when in range(1, 50):
        world.at(when, AGAIN)
        world.at(when + 0.5, GONE, SPAWNED)
    assert (world.state.streak, world.state.deaths, world.state.restarts) == (0, (), 49)
