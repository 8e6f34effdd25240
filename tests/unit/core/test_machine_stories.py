"""Lives of services: when what happens, and what the machine does about it."""

from __future__ import annotations

import pytest
from unit.core.fake_world import (
    CLEAN,
    CRASH,
    NOT_FOUND,
    TERMINATED,
    World,
)

from supervisor.core.actions import Announce
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
from supervisor.model.service import Policy, Restart

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
        (Policy(restart=Restart.NEVER), [STOP, GONE], INFO),
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
        world.at(0, START, SPAWNED, DEAD)
        world.at(6, SPAWNED)
        world.at(7, MAIN_DEAD, *wishes)
        assert world.state.streak == 1
        assert world.at(8, Emptied()) == "clear, spawn"
        assert (world.state.streak, world.state.deaths) == (0, ())
