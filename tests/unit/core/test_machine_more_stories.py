"""Lives with more to them: what comes before a start, commands beside the service, stops in several steps."""

from __future__ import annotations

import pytest
from unit.core.fake_world import CLEAN, CRASH, TERMINATED, World

from supervisor.core.inputs import (
    Blocked,
    Cleared,
    Exited,
    Input,
    JobEnded,
    MoreTime,
    MustEnd,
    Outside,
    OutsideGone,
    PolicyChanged,
    Ready,
    Spawned,
    SpawnFailed,
    StartAsked,
    StopAsked,
)
from supervisor.core.state import Ending
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.event import ERROR
from supervisor.model.service import Phase, Policy, Restart

START, STOP, SPAWNED, READY, CLEARED = StartAsked(), StopAsked(), Spawned(), Ready(), Cleared()
DEAD, GONE = Exited(CRASH, empty=True), Exited(TERMINATED, empty=True)
BEFORE_DONE, AFTER_DONE = JobEnded("before", ok=True), JobEnded("afterEnd", ok=True)

Story = tuple[Policy, list[tuple[float, Input]], list[tuple[float, str]]]

STORIES: dict[str, Story] = {
    "it waits, and is warned of once": (
        Policy(gated=True),
        [(0, START), (0, Blocked("db (starting)")), (70, Blocked("db (failed)")), (200, CLEARED), (200, SPAWNED)],
        [
            (0, "gate"),
            (0, "waiting, timer 60"),
            (60, "waits_long"),
            (200, "spawn"),
            (200, "started, timer 10"),
        ],
    ),
    "it waits no longer than it may": (
        Policy(gated=True, wait_timeout=30),
        [(0, START), (0, Blocked("db (starting)")), (31, CLEARED)],
        [(0, "gate"), (0, "waiting, timer 30"), (30, "waits_long")],
    ),
    "an immediate restart asks the gate, but does not look outside": (
        Policy(gated=True, look_outside=True),
        [(0, START), (0, CLEARED), (0, SPAWNED), (60, DEAD)],
        [(0, "look"), (0, "spawn"), (0, "started, timer 10"), (60, "exited, gate")],
    ),
    "the same program runs already, and ours takes over": (
        Policy(look_outside=True),
        [(0, START), (0, Outside(99)), (50, OutsideGone()), (50, CLEARED), (50, SPAWNED)],
        [(0, "look"), (0, "external"), (50, "look"), (50, "spawn"), (50, "started, timer 10")],
    ),
    "before, life, after": (
        Policy(before=30, after_end=20),
        [(0, START), (3, BEFORE_DONE), (3, SPAWNED), (63, DEAD), (64, AFTER_DONE), (65, BEFORE_DONE), (65, SPAWNED)],
        [
            (0, "run before, timer 30"),
            (3, "clear, spawn"),
            (3, "started, timer 10"),
            (63, "exited, run afterEnd, timer 20"),
            (64, "clear, run before, timer 30"),
            (65, "clear, spawn"),
            (65, "started, timer 10"),
        ],
    ),
    "the command before it does not end": (
        Policy(before=30, grace=2),
        [(0, START), (33, JobEnded("before", ok=False, text="took longer than 30 s"))],
        [
            (0, "run before, timer 30"),
            (30, "end before 15, timer 2"),
            (32, "end before 9, timer 5"),
            (33, "spawn_failed, clear, timer 5, backing_off"),
        ],
    ),
    "a stop in four steps": (
        Policy(stop_command=4, stop_first=((2, 3.0),), grace=6),
        [(0, START), (0, SPAWNED), (60, STOP), (74, GONE)],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (60, "stopping, run stop, timer 4"),
            (64, "end stop 9, signal 2, timer 3"),
            (67, "signal 15, timer 6"),
            (73, "killed, signal 9, timer 5"),
            (74, "exited, clear, stopped"),
        ],
    ),
    "the command that stops it outlives it": (
        Policy(stop_command=20),
        [(0, START), (0, SPAWNED), (60, STOP), (61, GONE), (63, JobEnded("stop", ok=True))],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (60, "stopping, run stop, timer 20"),
            (61, "exited"),
            (63, "clear, stopped"),
        ],
    ),
    "it asks for more time, to start and to end": (
        Policy(wait_ready=True, start_timeout=10, grace=5),
        [
            (0, START),
            (0, SPAWNED),
            (8, MoreTime(20)),
            (27, READY),
            (50, STOP),
            (54, MoreTime(10)),
            (63, GONE),
        ],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (8, "timer 20"),
            (27, "ready, clear"),
            (50, "stopping, signal 15, timer 5"),
            (54, "timer 10"),
            (63, "exited, clear, stopped"),
        ],
    ),
    "old enough: replaced at once, and no death": (
        Policy(),
        [(0, START), (0, SPAWNED), (90, MustEnd(Ending.AGED, "90 s old")), (91, GONE), (91, SPAWNED)],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (90, "aged, signal 15, timer 10"),
            (91, "exited, clear, spawn"),
            (91, "started, timer 10"),
        ],
    ),
    "after giving up, one more try now and then": (
        Policy(give_up=1, retry_failed=600),
        [(0, START), (0, SPAWNED), (1, DEAD), (602, SPAWNED), (603, DEAD)],
        [
            (0, "spawn"),
            (0, "started, timer 10"),
            (1, "exited, clear, gave_up, timer 600"),
            (601, "spawn"),
            (602, "started, timer 10"),
            (603, "exited, clear, gave_up, timer 600"),
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


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        (Ending.UNHEALTHY, CauseKind.UNHEALTHY),
        (Ending.WATCHDOG, CauseKind.WATCHDOG),
        (Ending.OVER_LIMIT, CauseKind.OVER_LIMIT),
    ],
)
def test_our_reason_to_end_it_is_the_cause(ending: Ending, kind: CauseKind) -> None:
    """Sick early it is a fast crash; sick after a long life it is restarted at once, but counted."""
    for life, phase in ((5, Phase.BACKOFF), (50, Phase.STARTING)):
        world = World(now=0.0)
        world.at(0, START, SPAWNED)
        world.at(life, MustEnd(ending, "so and so, 3 times"), GONE)
        assert world.state.phase is phase
        assert len(world.state.deaths) == 1
        cause = world.state.cause
        assert cause is not None
        assert (cause.kind, cause.text, cause.signal) == (kind, "so and so, 3 times", "SIGTERM")


def test_waiting_costs_no_budget() -> None:
    world = World(Policy(gated=True), now=0.0)
    world.at(0, START, CLEARED, SPAWNED)
    for turn in range(1, 20):
        world.at(turn * 3, MustEnd(Ending.DEPENDENCY, "db is stopped"), GONE, Blocked("db (stopped)"), CLEARED, SPAWNED)
    assert (world.state.phase, world.state.streak, world.state.deaths) == (Phase.RUNNING, 0, ())
    assert world.state.restarts == 0


def test_waited_too_long_names_on_whom() -> None:
    world = World(Policy(gated=True, wait_timeout=5), now=0.0)
    world.at(0, START, Blocked("db (starting)"))
    world.at(6, Blocked("db (starting)"))
    assert world.state.phase is Phase.FAILED
    cause = world.state.cause
    assert cause is not None
    assert (cause.kind, cause.text) == (CauseKind.DEPENDENCY_DOWN, "waited 5 s: db (starting)")


def test_some_failures_are_final() -> None:
    world = World(Policy(no_restart_codes=(1, 3)), now=0.0)
    levels: list[str] = []
    world.on_announce = lambda announce: levels.append(announce.level)
    world.at(0, START, SPAWNED, DEAD)
    assert (world.state.phase, world.state.reason) == (Phase.FAILED, "exit code 1 is not tried again")
    assert levels[-1] == ERROR, "nothing will mend it"


def test_a_failure_that_is_tried_again_is_no_error_yet() -> None:
    world = World(Policy(no_restart_codes=(3,)), now=0.0)
    levels: list[str] = []
    world.on_announce = lambda announce: levels.append(announce.level)
    world.at(0, START, SPAWNED, DEAD)
    assert ERROR not in levels


@pytest.mark.parametrize(
    ("kind", "code", "phase"),
    [
        (CauseKind.SETTINGS_ERROR, 78, Phase.FAILED),
        (CauseKind.PORT_IN_USE, 1, Phase.FAILED),
        (CauseKind.EXIT_CODE, 2, Phase.BACKOFF),
        (CauseKind.NOT_FOUND, 1, Phase.BACKOFF),  # not its own word
    ],
)
def test_final_codes_are_final_whatever_its_words_explain(kind: CauseKind, code: int, phase: Phase) -> None:
    world = World(Policy(no_restart_codes=(1, 78)), now=0.0)
    world.at(0, START, SPAWNED, Exited(Cause(kind, "so it said", code=code), empty=True))
    assert world.state.phase is phase


def test_what_is_not_installed_does_not_come_by_trying() -> None:
    """Not for the command before it either, which runs as the same user. It is an error: nothing will mend it."""
    missing = Cause(CauseKind.NOT_INSTALLED, "setpriv is not installed", remedy="apt-get install util-linux")
    levels: list[str] = []
    for policy, inputs in (
        (Policy(), [SpawnFailed(missing)]),
        (Policy(before=30), [JobEnded("before", ok=False, text=missing.text, cause=missing)]),
    ):
        world = World(policy, now=0.0)
        world.on_announce = lambda announce: levels.append(announce.level)
        world.at(0, START, *inputs)
        cause = world.state.cause
        assert cause is not None
        assert (world.state.phase, world.state.reason) == (Phase.FAILED, "not tried again")
        assert (cause.kind, cause.remedy) == (missing.kind, missing.remedy)
        assert Cause.from_dict(cause.as_dict()).remedy == missing.remedy
    assert levels == [ERROR, ERROR]


def test_finished_until_it_is_started_again() -> None:
    world = World(Policy(restart=Restart.ON_FAILURE), now=0.0)
    world.at(0, START, SPAWNED, Exited(CLEAN, empty=True))
    assert (world.state.phase, world.state.finished) == (Phase.STOPPED, True)
    world.at(1, STOP)
    assert world.state.finished
    world.at(2, START)
    assert not world.state.finished
    world.at(3, SPAWNED, DEAD)
    assert not world.state.finished


def test_the_reason_why_a_command_before_it_failed_is_the_cause() -> None:
    world = World(Policy(before=5), now=0.0)
    world.at(0, START, JobEnded("before", ok=False, text="exit code 3: no database"))
    cause = world.state.cause
    assert cause is not None
    assert (cause.kind, cause.text) == (
        CauseKind.BEFORE_FAILED,
        "the command before it failed: exit code 3: no database",
    )
    assert (world.state.phase, world.state.streak) == (Phase.BACKOFF, 1)


def test_readiness_that_is_not_waited_for_any_more() -> None:
    world = World(Policy(wait_ready=True), now=0.0)
    world.at(0, START, SPAWNED)
    assert world.at(1, PolicyChanged()) == ""
    world.policy = Policy()
    assert world.at(2, PolicyChanged()) == "timer 8"
    assert world.state.phase is Phase.RUNNING


def test_what_runs_is_ready_when_that_is_asked_for_later() -> None:
    world = World(now=0.0)
    world.at(0, START, SPAWNED)
    assert not world.state.ready
    world.policy = Policy(wait_ready=True)
    world.at(1, PolicyChanged())
    assert (world.state.phase, world.state.ready) == (Phase.RUNNING, True)


def test_jitter_only_makes_a_delay_longer_and_differs() -> None:
    delays = set()
    for n in range(50):
        world = World(Policy(delays=(10,), jitter=0.25), now=1000.0 + n * 0.001)
        world.feed(START, SPAWNED, Exited(Cause(CauseKind.EXIT_CODE, "exit code 1", code=1), empty=True))
        assert world.timer is not None
        delays.add(round(world.timer[1] - world.now, 3))
    assert min(delays) >= 10
    assert max(delays) <= 12.5
    assert len(delays) > 25
