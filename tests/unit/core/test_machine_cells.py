"""Each cell of the table: what it does, not only that it runs."""

from __future__ import annotations

import pytest
from unit.core.fake_world import (
    CLEAN,
    CRASH,
    NO_MEMORY,
    NOT_FOUND,
    STAY_DOWN,
    TERMINATED,
    World,
    brief,
)

from supervisor.core.inputs import (
    INPUTS,
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
    Timer,
)
from supervisor.core.machine import TABLE, Refused, step
from supervisor.model.service import Phase, Policy, Restart

START, STOP, NOW, AGAIN = StartAsked(), StopAsked(), StopAsked(now=True), RestartAsked()
SPAWNED, READY, EMPTIED, CHANGED = Spawned(), Ready(), Emptied(), PolicyChanged()
DEAD, MAIN_DEAD = Exited(CRASH, empty=True), Exited(CRASH, empty=False)
GONE, MAIN_GONE = Exited(TERMINATED, empty=True), Exited(TERMINATED, empty=False)
DUE, STALE = Timer(-1), Timer(99)  # DUE stands for the timer that is set

# How each situation comes about, at second 100; what happens then comes at second 103.
SITUATIONS: dict[str, tuple[Input, ...]] = {
    "stopped": (),
    "starting": (START,),
    "unready": (START, SPAWNED),  # with a policy that waits for readiness
    "early": (START, READY),  # ready before the spawner has answered
    "running": (START, SPAWNED),
    "stopping": (START, SPAWNED, STOP),
    "killing": (START, SPAWNED, NOW),
    "restarting": (START, SPAWNED, AGAIN),
    "unwanted": (START, STOP),  # the spawn is in flight
    "replaced": (START, AGAIN),  # the spawn is in flight
    "leaving": (START, SPAWNED, MAIN_DEAD),  # the rest of the group is being ended
    "late": (START, SPAWNED, DUE),  # not ready in time
    "backoff": (START, SPAWNED, DEAD),
    "failed": (START, SPAWNED, *[DEAD, DUE, SPAWNED] * 4, DEAD),
}
WAITS = ("unready", "early", "late")
REFUSED = "refused"

# situation, input, phase after it, what is done
CELLS: list[tuple[str, Input, str, str]] = [
    ("stopped", START, "starting", "spawn"),
    ("stopped", STOP, "stopped", ""),
    ("stopped", AGAIN, "starting", "spawn"),
    ("stopped", SPAWNED, "stopped", REFUSED),
    ("stopped", SpawnFailed(NOT_FOUND), "stopped", REFUSED),
    ("stopped", READY, "stopped", ""),
    ("stopped", DEAD, "stopped", REFUSED),
    ("stopped", EMPTIED, "stopped", ""),
    ("stopped", STALE, "stopped", ""),
    ("stopped", Timer(0), "stopped", ""),
    ("stopped", CHANGED, "stopped", ""),
    ("starting", START, "starting", ""),
    ("starting", STOP, "stopping", "stopping, timer 10"),
    ("starting", NOW, "stopping", "stopping, timer 5"),
    ("starting", AGAIN, "stopping", "stopping, timer 10"),
    ("starting", SPAWNED, "running", "started, timer 10"),
    ("starting", SpawnFailed(NOT_FOUND), "backoff", "spawn_failed, timer 5, backing_off"),
    ("starting", SpawnFailed(NO_MEMORY), "backoff", "spawn_failed, timer 1"),
    ("starting", READY, "starting", "ready"),
    ("starting", DEAD, "backoff", "exited, timer 5, backing_off"),
    ("starting", MAIN_DEAD, "stopping", "exited, stopping, signal 15, timer 10"),
    ("starting", Exited(STAY_DOWN, empty=True), "stopped", "exited, stopped"),
    ("starting", EMPTIED, "starting", ""),
    ("starting", STALE, "starting", ""),
    ("starting", CHANGED, "starting", ""),
    ("unready", STOP, "stopping", "stopping, signal 15, timer 10"),
    ("unready", NOW, "stopping", "stopping, signal 9, timer 5"),
    ("unready", AGAIN, "stopping", "stopping, signal 15, timer 10"),
    ("unready", SPAWNED, "starting", REFUSED),
    ("unready", SpawnFailed(NOT_FOUND), "starting", REFUSED),
    ("unready", READY, "running", "ready, timer 7"),
    ("unready", DUE, "stopping", "not_ready, signal 15, timer 10"),
    ("unready", DEAD, "backoff", "exited, timer 5, backing_off"),
    ("early", READY, "starting", ""),
    ("early", SPAWNED, "running", "started, timer 10"),
    ("running", START, "running", ""),
    ("running", STOP, "stopping", "stopping, signal 15, timer 10"),
    ("running", NOW, "stopping", "stopping, signal 9, timer 5"),
    ("running", AGAIN, "stopping", "stopping, signal 15, timer 10"),
    ("running", SPAWNED, "running", REFUSED),
    ("running", SpawnFailed(NOT_FOUND), "running", REFUSED),
    ("running", READY, "running", "ready"),
    ("running", DEAD, "backoff", "exited, timer 5, backing_off"),
    ("running", Exited(CLEAN, empty=True), "backoff", "exited, timer 5, backing_off"),
    ("running", Exited(STAY_DOWN, empty=True), "stopped", "exited, stopped"),
    ("running", MAIN_DEAD, "stopping", "exited, stopping, signal 15, timer 10"),
    ("running", EMPTIED, "running", ""),
    ("running", DUE, "running", ""),
    ("running", STALE, "running", ""),
    ("running", CHANGED, "running", ""),
    ("stopping", START, "stopping", ""),
    ("stopping", STOP, "stopping", ""),
    ("stopping", NOW, "stopping", "killed, signal 9, timer 5"),
    ("stopping", AGAIN, "stopping", ""),
    ("stopping", SPAWNED, "stopping", REFUSED),
    ("stopping", SpawnFailed(NOT_FOUND), "stopping", REFUSED),
    ("stopping", READY, "stopping", ""),
    ("stopping", GONE, "stopped", "exited, stopped"),
    ("stopping", MAIN_GONE, "stopping", "exited"),
    ("stopping", EMPTIED, "stopping", ""),
    ("stopping", DUE, "stopping", "killed, signal 9, timer 5"),
    ("stopping", STALE, "stopping", ""),
    ("stopping", CHANGED, "stopping", ""),
    ("killing", NOW, "stopping", ""),
    ("killing", DUE, "stopping", "signal 9, timer 5"),
    ("restarting", GONE, "starting", "exited, spawn"),
    ("unwanted", SPAWNED, "stopping", "started, signal 15, timer 10"),
    ("unwanted", NOW, "stopping", "killed, timer 5"),
    ("unwanted", SpawnFailed(NOT_FOUND), "stopped", "spawn_failed, stopped"),
    ("unwanted", GONE, "stopped", "exited, stopped"),
    ("unwanted", DUE, "stopping", "timer 10"),
    ("replaced", SpawnFailed(NO_MEMORY), "starting", "spawn_failed, spawn"),
    ("replaced", GONE, "starting", "exited, spawn"),
    ("leaving", EMPTIED, "backoff", "timer 2, backing_off"),
    ("leaving", DEAD, "backoff", "timer 2, backing_off"),  # told once more after a hand-over
    ("leaving", MAIN_DEAD, "stopping", ""),
    ("leaving", STOP, "stopping", ""),
    ("leaving", DUE, "stopping", "killed, signal 9, timer 5"),
    ("late", GONE, "backoff", "exited, timer 5, backing_off"),
    ("late", MAIN_GONE, "stopping", "exited"),
    ("backoff", START, "starting", "spawn"),
    ("backoff", STOP, "stopped", "stopped"),
    ("backoff", AGAIN, "starting", "spawn"),
    ("backoff", SPAWNED, "backoff", REFUSED),
    ("backoff", SpawnFailed(NOT_FOUND), "backoff", REFUSED),
    ("backoff", READY, "backoff", ""),
    ("backoff", DEAD, "backoff", REFUSED),
    ("backoff", EMPTIED, "backoff", ""),
    ("backoff", DUE, "starting", "spawn"),
    ("backoff", STALE, "backoff", ""),
    ("backoff", CHANGED, "starting", "spawn"),
    ("failed", START, "starting", "spawn"),
    ("failed", STOP, "stopped", "stopped"),
    ("failed", AGAIN, "starting", "spawn"),
    ("failed", SPAWNED, "failed", REFUSED),
    ("failed", SpawnFailed(NOT_FOUND), "failed", REFUSED),
    ("failed", READY, "failed", ""),
    ("failed", DEAD, "failed", REFUSED),
    ("failed", EMPTIED, "failed", ""),
    ("failed", STALE, "failed", ""),
    ("failed", CHANGED, "starting", "spawn"),
]


def situation(name: str) -> World:
    world = World(Policy(wait_ready=name in WAITS))
    for inp in SITUATIONS[name]:
        world.feed(due(world, inp))
    return world


def due(world: World, inp: Input) -> Input:
    return Timer(world.state.token) if inp is DUE else inp


@pytest.mark.parametrize(("name", "inp", "phase", "expected"), CELLS, ids=lambda value: str(value) or "-")
def test_cell(name: str, inp: Input, phase: str, expected: str) -> None:
    world = situation(name)
    world.now = 103.0
    before = world.state.as_dict()
    if expected is REFUSED:
        with pytest.raises(Refused, match=f"a service that is {before['phase']} can't take {type(inp).__name__}"):
            step(world.state, inp, world.policy, world.now)
        assert world.state.as_dict() == before
        return
    old = world.state
    done = brief(world.feed(due(world, inp))).removeprefix("clear, ").replace("clear, ", "")
    assert (world.state.phase, done) == (phase, expected)
    assert old.as_dict() == before, "the state handed in was changed"


def test_all_cells_are_visited() -> None:
    visited = {(situation(name).state.phase, type(inp)) for name, inp, _, _ in CELLS}
    assert visited == {(phase, kind) for phase in Phase for kind in INPUTS}
    assert {(phase, kind) for phase in TABLE for kind in TABLE[phase]} == visited


@pytest.mark.parametrize(
    ("restart", "cause", "phase", "reason"),
    [
        (Restart.ALWAYS, CLEAN, "backoff", "crashed"),
        (Restart.ALWAYS, STAY_DOWN, "stopped", "asked to stay down"),
        (Restart.ON_FAILURE, CLEAN, "stopped", "finished"),
        (Restart.ON_FAILURE, CRASH, "backoff", "crashed"),
        (Restart.NEVER, CLEAN, "stopped", "finished"),
        (Restart.NEVER, CRASH, "failed", "exited, restart never"),
        (Restart.NEVER, STAY_DOWN, "stopped", "asked to stay down"),
    ],
)
def test_end_by_itself(restart: Restart, cause: object, phase: str, reason: str) -> None:
    world = World(Policy(restart=restart))
    world.at(100, START, SPAWNED)
    world.at(101, Exited(cause, empty=True))  # type: ignore[arg-type]
    assert (world.state.phase, world.state.reason) == (phase, reason)
    assert (world.state.want == "down") == (phase == "stopped")
    assert world.state.cause is cause
