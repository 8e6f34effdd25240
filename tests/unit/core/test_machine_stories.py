"""Lives of services: when what happens, and what the machine does about it."""

from __future__ import annotations

import itertools

import pytest
from unit.core.fake_world import (
    CLEAN,
    CRASH,
    NO_MEMORY,
    NOT_FOUND,
    TERMINATED,
    World,
)

from supervisor.core.actions import SLOWED, Announce
from supervisor.core.inputs import (
    Emptied,
    Exited,
    Input,
    PolicyChanged,
    Ready,
    RestartAsked,
    Spawned,
    SpawnFailed,
    StartAsked,
    StopAsked,
)
from supervisor.model.cause import CauseKind
from supervisor.model.event import ERROR, INFO, WARNING
from supervisor.model.service import Phase, Policy, Restart

START, STOP, AGAIN, SPAWNED, READY = StartAsked(), StopAsked(), RestartAsked(), Spawned(), Ready()
DEAD, MAIN_DEAD, GONE = Exited(CRASH, empty=True), Exited(CRASH, empty=False), Exited(TERMINATED, empty=True)

Story = tuple[Policy, list[tuple[float, Input]], list[tuple[float, str]]]

STORIES: dict[str, Story] = {
    "a stop that is obeyed": (
        Policy(stop_signal=2, grace=30),
        [(0, START), (0.1, SPAWNED), (60, STOP), (61, GONE)],
        [
            (0, "spawn"),
            (0.1, "started, timer 10"),
            (60, "stopping, signal 2, timer 30"),
            (61, "exited, clear, stopped"),
        ],
    ),
    "a stop that is not obeyed": (
        Policy(grace=3),
        [(0, START), (0, SPAWNED), (60, STOP), (75, GONE)],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (60, "stopping, signal 15, timer 3"),
            (63, "killed, signal 9, timer 5"),
            (68, "signal 9, timer 5"),
            (73, "signal 9, timer 5"),
            (75, "exited, clear, stopped"),
        ],
    ),
    "a stop is over when the group is empty": (
        Policy(grace=3),
        [(0, START), (0, SPAWNED), (60, STOP), (61, Exited(TERMINATED, empty=False)), (62, Emptied())],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (60, "stopping, signal 15, timer 3"),
            (61, "exited"),
            (62, "clear, stopped"),
        ],
    ),
    "stopped and wanted again before it has gone": (
        Policy(),
        [(0, START), (0, SPAWNED), (60, STOP), (61, START), (62, GONE), (62, SPAWNED)],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (60, "stopping, signal 15, timer 10"),
            (62, "exited, clear, spawn"),
            (62, "started, timer 10"),
        ],
    ),
    "restart asked, then a stop": (
        Policy(),
        [(0, START), (0, SPAWNED), (5, AGAIN), (6, STOP), (7, GONE)],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (5, "stopping, signal 15, timer 10"),
            (7, "exited, clear, stopped"),
        ],
    ),
    "the rest of the group outlives its main process: the delay still counts from the exit": (
        Policy(grace=2),
        [(0, START), (0, SPAWNED), (1, MAIN_DEAD), (4, Emptied()), (6, SPAWNED)],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (1, "exited, stopping, signal 15, timer 2"),
            (3, "killed, signal 9, timer 5"),
            (4, "clear, timer 2, backing_off"),
            (6, "spawn"),
            (6, "started, timer 10"),
        ],
    ),
    "a group that takes longer to end than the delay": (
        Policy(grace=20),
        [(0, START), (0, SPAWNED), (1, MAIN_DEAD), (16, Emptied())],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (1, "exited, stopping, signal 15, timer 20"),
            (16, "clear, timer 0, backing_off"),
        ],
    ),
    "ready in time, then healthy": (
        Policy(wait_ready=True),
        [(0, START), (0, SPAWNED), (3, READY), (20, DEAD)],
        [
            (0, "spawn"),
            (0, "started, timer 60"),
            (3, "ready, timer 7"),
            (20, "exited, spawn"),
        ],
    ),
    "ready later than a fast crash would be": (
        Policy(wait_ready=True),
        [(0, START), (0, SPAWNED), (12, READY), (12.5, DEAD)],
        [(0, "spawn"), (0, "started, timer 60"), (12, "ready, clear"), (12.5, "exited, spawn")],
    ),
    "a long life that was never ready is a fast crash": (
        Policy(wait_ready=True),
        [(0, START), (0, SPAWNED), (30, DEAD)],
        [(0, "spawn"), (0, "started, timer 60"), (30, "exited, clear, timer 5, backing_off")],
    ),
    "not ready in time": (
        Policy(wait_ready=True, start_timeout=20),
        [(0, START), (0, SPAWNED), (21, GONE)],
        [
            (0, "spawn"),
            (0, "started, timer 20"),
            (20, "not_ready, signal 15, timer 10"),
            (21, "exited, clear, timer 5, backing_off"),
        ],
    ),
    "not ready in time, and stopped by a person meanwhile": (
        Policy(wait_ready=True, start_timeout=20),
        [(0, START), (0, SPAWNED), (20.5, STOP), (21, GONE)],
        [
            (0, "spawn"),
            (0, "started, timer 20"),
            (20, "not_ready, signal 15, timer 10"),
            (21, "exited, clear, stopped"),
        ],
    ),
    "settings change while it waits": (
        Policy(),
        [(0, START), (0, SPAWNED), (1, DEAD), (2, PolicyChanged())],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (1, "exited, clear, timer 5, backing_off"),
            (2, "clear, spawn"),
        ],
    ),
    "a command that is not there": (
        Policy(give_up=2),
        [(0, START), (0, SpawnFailed(NOT_FOUND)), (5, SpawnFailed(NOT_FOUND))],
        [
            (0, "spawn"),
            (0, "spawn_failed, timer 5, backing_off"),
            (5, "spawn"),
            (5, "spawn_failed, gave_up"),
        ],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    policy, happenings, expected = STORIES[name]
    world = World(policy, now=0.0)
    for when, inp in happenings:
        world.at(when, inp)
    assert world.log == expected


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
    for inp in (START, AGAIN, PolicyChanged()):
        world = World(now=0.0)
        world.feed(START)
        world.live_and_die(0.2, until=1e9)
        world.feed(inp)
        assert (world.state.phase, world.state.streak, world.state.deaths) == (Phase.STARTING, 0, ())
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


def test_a_cause_of_not_being_ready_keeps_the_words() -> None:
    world = World(Policy(wait_ready=True, start_timeout=1.5), now=0.0)
    world.at(0, START, SPAWNED)
    world.at(2, GONE)
    cause = world.state.cause
    assert cause is not None
    assert (cause.kind, cause.text, cause.signal) == (CauseKind.NOT_READY, "not ready within 1.5 s", "SIGTERM")
    assert world.state.streak == 1


@pytest.mark.parametrize(
    ("policy", "inputs", "level"),
    [
        (Policy(), [DEAD], WARNING),
        (Policy(), [STOP, GONE], INFO),
        (Policy(), [Exited(CLEAN, empty=True)], INFO),
        (Policy(restart=Restart.NEVER), [DEAD], ERROR),
    ],
)
def test_level_of_an_exit(policy: Policy, inputs: list[Input], level: str) -> None:
    world = World(policy)
    heard: list[Announce] = []
    world.on_announce = heard.append
    world.feed(START, SPAWNED, *inputs)
    assert [announce.level for announce in heard if announce.kind == "service.exited"] == [level]


def test_a_wish_for_the_end_of_a_crashed_group_outweighs_the_crash() -> None:
    for wishes in ([STOP, START], [AGAIN]):
        world = World(now=0.0)
        world.at(0, START, SPAWNED)
        world.at(1, MAIN_DEAD, *wishes)
        assert world.at(2, Emptied()) == "clear, spawn"
        assert world.state.streak == 0
