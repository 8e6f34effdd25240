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
    Blocked,
    Cleared,
    Emptied,
    Exited,
    Input,
    JobEnded,
    MoreTime,
    MustEnd,
    Outside,
    OutsideGone,
    PolicyChanged,
    Ready,
    RestartAsked,
    Spawned,
    SpawnFailed,
    StartAsked,
    StopAsked,
    Timer,
)
from supervisor.core.machine import TABLE, Ending, Refused, step
from supervisor.model.service import Phase, Policy, Restart

START, STOP, NOW, AGAIN = StartAsked(), StopAsked(), StopAsked(now=True), RestartAsked()
SPAWNED, READY, EMPTIED, CHANGED = Spawned(), Ready(), Emptied(), PolicyChanged()
DEAD, MAIN_DEAD = Exited(CRASH, empty=True), Exited(CRASH, empty=False)
GONE, MAIN_GONE = Exited(TERMINATED, empty=True), Exited(TERMINATED, empty=False)
DUE, STALE = Timer(-1), Timer(99)  # DUE stands for the timer that is set

CLEARED, BLOCKED, OUTSIDE, OUT_GONE, MORE = (
    Cleared(),
    Blocked("db (starting)"),
    Outside(4711),
    OutsideGone(),
    MoreTime(30),
)
UNWELL, HOLD = MustEnd(Ending.UNHEALTHY, "http answered 500"), MustEnd(Ending.DEPENDENCY, "db is stopped")
DONE, STOP_DONE, AFTER_DONE = (JobEnded(job, ok=True) for job in ("before", "stop", "afterEnd"))
NOT_DONE = JobEnded("before", ok=False, text="exit code 1")

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

# The same, for services with more to them.
SITUATIONS |= {
    "asked": (START,),
    "waiting": (START, BLOCKED),
    "external": (START, OUTSIDE),
    "before": (START,),
    "before late": (START, DUE),
    "before left": (START, STOP),
    "stop command": (START, SPAWNED, STOP),
    "stop command, gone": (START, SPAWNED, STOP, GONE),
    "after": (START, SPAWNED, DEAD),
    "after a stop": (START, SPAWNED, STOP, GONE),
    "first signal": (START, SPAWNED, STOP),
    "unwell": (START, SPAWNED, UNWELL),
    "held": (START, CLEARED, SPAWNED, HOLD),
    "held at once": (START, CLEARED, HOLD),
}
POLICIES = {
    "asked": Policy(gated=True, look_outside=True),
    "waiting": Policy(gated=True, wait_timeout=50),
    "external": Policy(look_outside=True),
    "held": Policy(gated=True),
    "held at once": Policy(gated=True),
    **dict.fromkeys(("before", "before late", "before left"), Policy(before=20)),
    **dict.fromkeys(("stop command", "stop command, gone"), Policy(stop_command=7)),
    **dict.fromkeys(("after", "after a stop"), Policy(after_end=20)),
    "first signal": Policy(stop_first=((2, 3.0),), grace=6),
}
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
    ("stopped", CLEARED, "stopped", ""),
    ("stopped", BLOCKED, "stopped", ""),
    ("stopped", OUTSIDE, "stopped", ""),
    ("stopped", OUT_GONE, "stopped", ""),
    ("stopped", DONE, "stopped", ""),
    ("stopped", UNWELL, "stopped", ""),
    ("stopped", MORE, "stopped", ""),
    ("asked", BLOCKED, "waiting", "waiting, timer 60"),
    ("asked", CLEARED, "starting", "spawn"),
    ("asked", OUTSIDE, "external", "external"),
    ("asked", STOP, "stopped", "stopped"),
    ("waiting", START, "waiting", ""),
    ("waiting", STOP, "stopped", "stopped"),
    ("waiting", AGAIN, "waiting", "gate"),
    ("waiting", CHANGED, "waiting", "gate"),
    ("waiting", CLEARED, "starting", "spawn"),
    ("waiting", BLOCKED, "waiting", ""),
    ("waiting", OUTSIDE, "external", "external"),
    ("waiting", OUT_GONE, "waiting", ""),
    ("waiting", SPAWNED, "waiting", REFUSED),
    ("waiting", SpawnFailed(NOT_FOUND), "waiting", REFUSED),
    ("waiting", DEAD, "waiting", REFUSED),
    ("waiting", READY, "waiting", ""),
    ("waiting", DONE, "waiting", ""),
    ("waiting", HOLD, "waiting", ""),
    ("waiting", MORE, "waiting", ""),
    ("waiting", EMPTIED, "waiting", ""),
    ("waiting", DUE, "failed", "waits_long"),
    ("external", START, "external", ""),
    ("external", STOP, "stopped", "stopped"),
    ("external", AGAIN, "waiting", "look"),
    ("external", CHANGED, "waiting", "look"),
    ("external", OUT_GONE, "waiting", "look"),
    ("external", CLEARED, "external", ""),
    ("external", BLOCKED, "external", ""),
    ("external", OUTSIDE, "external", ""),
    ("external", SPAWNED, "external", REFUSED),
    ("external", SpawnFailed(NOT_FOUND), "external", REFUSED),
    ("external", DEAD, "external", REFUSED),
    ("external", READY, "external", ""),
    ("external", DONE, "external", ""),
    ("external", HOLD, "external", ""),
    ("external", MORE, "external", ""),
    ("external", EMPTIED, "external", ""),
    ("external", STALE, "external", ""),
    ("before", DONE, "starting", "spawn"),
    ("before", STOP_DONE, "starting", ""),
    ("before", NOT_DONE, "backoff", "spawn_failed, timer 5, backing_off"),
    ("before", SPAWNED, "starting", REFUSED),
    ("before", DEAD, "starting", REFUSED),
    ("before", READY, "starting", ""),
    ("before", STOP, "stopping", "stopping, end before 15, timer 5"),
    ("before", NOW, "stopping", "stopping, end before 9, timer 5"),
    ("before", HOLD, "stopping", "held, end before 15, timer 5"),
    ("before", UNWELL, "starting", ""),
    ("before", DUE, "starting", "end before 15, timer 5"),
    ("before late", DUE, "starting", "end before 9, timer 5"),
    ("before late", NOT_DONE, "backoff", "spawn_failed, timer 5, backing_off"),
    ("before left", NOT_DONE, "stopped", "stopped"),
    ("before left", DONE, "stopped", "stopped"),
    ("before left", DUE, "stopping", "end before 9, timer 5"),
    ("starting", CLEARED, "starting", ""),
    ("starting", BLOCKED, "starting", ""),
    ("starting", OUTSIDE, "starting", ""),
    ("starting", OUT_GONE, "starting", ""),
    ("unready", MORE, "starting", ""),  # it has more than that
    ("unready", MoreTime(90), "starting", "timer 90"),
    ("unready", UNWELL, "stopping", "unhealthy, signal 15, timer 10"),
    ("running", CLEARED, "running", ""),
    ("running", BLOCKED, "running", ""),
    ("running", OUTSIDE, "running", ""),
    ("running", OUT_GONE, "running", ""),
    ("running", DONE, "running", ""),
    ("running", MORE, "running", ""),
    ("running", UNWELL, "stopping", "unhealthy, signal 15, timer 10"),
    ("running", HOLD, "stopping", "held, signal 15, timer 10"),
    ("unwell", GONE, "backoff", "exited, timer 5, backing_off"),
    ("unwell", STOP, "stopping", ""),
    ("held", GONE, "waiting", "exited, gate"),
    ("held at once", SpawnFailed(NO_MEMORY), "waiting", "spawn_failed, gate"),
    ("stopping", CLEARED, "stopping", ""),
    ("stopping", BLOCKED, "stopping", ""),
    ("stopping", OUTSIDE, "stopping", ""),
    ("stopping", OUT_GONE, "stopping", ""),
    ("stopping", STOP_DONE, "stopping", ""),
    ("stopping", UNWELL, "stopping", ""),
    ("stopping", MORE, "stopping", "timer 30"),
    ("killing", MORE, "stopping", ""),
    ("stop command", STOP_DONE, "stopping", "signal 15, timer 10"),
    ("stop command", DUE, "stopping", "end stop 9, signal 15, timer 10"),
    ("stop command", NOW, "stopping", "killed, end stop 9, signal 9, timer 5"),
    ("stop command", GONE, "stopping", "exited"),  # it may still have to tidy up
    ("stop command, gone", STOP_DONE, "stopped", "stopped"),
    ("stop command, gone", DUE, "stopped", "end stop 9, stopped"),
    ("stop command, gone", NOW, "stopped", "killed, end stop 9, stopped"),
    ("first signal", DUE, "stopping", "signal 15, timer 6"),
    ("first signal", GONE, "stopped", "exited, stopped"),
    ("after", AFTER_DONE, "backoff", "timer 2, backing_off"),
    ("after", JobEnded("afterEnd", ok=False, text="exit code 1"), "backoff", "command_failed, timer 2, backing_off"),
    ("after", DUE, "stopping", "end afterEnd 15, timer 5"),
    ("after", DEAD, "stopping", REFUSED),
    ("after", EMPTIED, "stopping", ""),
    ("after a stop", AFTER_DONE, "stopped", "stopped"),
    ("backoff", CLEARED, "backoff", ""),
    ("backoff", BLOCKED, "backoff", ""),
    ("backoff", OUTSIDE, "backoff", ""),
    ("backoff", OUT_GONE, "backoff", ""),
    ("backoff", DONE, "backoff", ""),
    ("backoff", HOLD, "backoff", ""),
    ("backoff", MORE, "backoff", ""),
    ("failed", CLEARED, "failed", ""),
    ("failed", BLOCKED, "failed", ""),
    ("failed", OUTSIDE, "failed", ""),
    ("failed", OUT_GONE, "failed", ""),
    ("failed", DONE, "failed", ""),
    ("failed", HOLD, "failed", ""),
    ("failed", MORE, "failed", ""),
]


def situation(name: str) -> World:
    world = World(POLICIES.get(name) or Policy(wait_ready=name in WAITS))
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
