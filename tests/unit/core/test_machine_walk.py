"""Random lives: whatever comes in whatever order, the checks of `World` hold. A failure prints its seed."""

from __future__ import annotations

import random

from unit.core.fake_world import (
    ALIVE,
    ASKED_FOR,
    CLEAN,
    CRASH,
    NO_MEMORY,
    NONE,
    NOT_FOUND,
    REST,
    STAY_DOWN,
    TERMINATED,
    World,
)

from supervisor.core.diagram import arrows
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
from supervisor.core.machine import Ending, State
from supervisor.model.service import Phase, Policy, Restart

HISTORIES = 2000
INPUTS_EACH = 400

POLICIES = [
    Policy(),
    Policy(wait_ready=True),
    Policy(wait_ready=True, start_timeout=4, grace=0),
    Policy(restart=Restart.ON_FAILURE, give_up=2, delays=(1,)),
    Policy(restart=Restart.NEVER, wait_ready=True),
    Policy(window=200, window_deaths=4, window_delay=60),
    Policy(window_deaths=1, give_up=1),
    Policy(fast_crash=0),
    Policy(gated=True, wait_timeout=30, before=8),
    Policy(gated=True, look_outside=True, wait_ready=True, restart=Restart.ON_FAILURE, no_restart_codes=(1,)),
    Policy(after_end=10, give_up=1, retry_failed=40, jitter=0.5),
    Policy(stop_command=5, grace=3),
    Policy(stop_command=5, grace=3, gated=True, give_up=1, retry_failed=40),
    Policy(before=5, after_end=5, stop_command=5, stop_first=((2, 3.0), (3, 0.0)), grace=4, wait_ready=True),
    Policy(stop_command=20, grace=6, fast_crash=3, restart=Restart.NEVER),
]

HUMAN: list[Input] = [
    StartAsked(), StartAsked(), StopAsked(), StopAsked(now=True), RestartAsked(), PolicyChanged(),
]  # fmt: skip

# What may come at any time, late or for nothing.
ANY_TIME: list[Input] = [
    Cleared(), Cleared(), Blocked("db (starting)"), Blocked("db (failed)"), Outside(4711), OutsideGone(), MoreTime(7),
    MustEnd(Ending.UNHEALTHY, "http answered 500"), MustEnd(Ending.WATCHDOG, "no sign of life"),
    MustEnd(Ending.OVER_LIMIT, "612 MiB"), MustEnd(Ending.AGED, "3 days old"), MustEnd(Ending.DEPENDENCY, "db is down"),
]  # fmt: skip

# What each situation of the process lets happen; a stale timer may always come.
POSSIBLE: dict[str, list[Input]] = {
    NONE: [Ready(), Emptied()],
    ASKED_FOR: [
        *[Spawned()] * 4,
        SpawnFailed(NO_MEMORY),
        SpawnFailed(NOT_FOUND),
        Ready(),
        Exited(CRASH, empty=True),
        Exited(CRASH, empty=False),
        Exited(CLEAN, empty=True),
        Exited(STAY_DOWN, empty=True),
    ],
    ALIVE: [
        Ready(),
        Ready(),
        Emptied(),
        Exited(CRASH, empty=True),
        Exited(CRASH, empty=False),
        Exited(CLEAN, empty=True),
        Exited(CLEAN, empty=False),
        Exited(STAY_DOWN, empty=True),
        Exited(STAY_DOWN, empty=False),
        Exited(TERMINATED, empty=True),
    ],
    REST: [Emptied(), Emptied(), Ready(), Exited(CRASH, empty=True), Exited(CRASH, empty=False)],
}


def test_random_histories() -> None:
    seen: set[tuple[Phase, type, Phase]] = set()
    for seed in range(HISTORIES):
        chance = random.Random(seed)
        world = World(chance.choice(POLICIES))
        try:
            for _ in range(INPUTS_EACH):
                walk(world, chance)
            check_note(world.state)
            check_can_be_stopped(world)
        except Exception as error:
            raise AssertionError(f"seed {seed}, {world.policy.as_dict()}, {world.state.as_dict()}") from error
        seen |= world.seen
    assert {(phase, kind) for phase, kind, _ in seen} >= {
        (phase, kind) for phase in Phase for kind in INPUTS if kind not in (Spawned, SpawnFailed, Exited)
    }
    moves = {(old.value, new.value, kind.__name__) for old, kind, new in seen if old is not new}
    assert moves == {(old, new, name) for old, new, names in arrows() for name in names}, "the diagram is wrong"


def walk(world: World, chance: random.Random) -> None:
    """One thing happens, a little later than the one before; timers that are due come first."""
    later = world.now + chance.random() * 20
    timer = world.timer
    if timer and timer[1] <= later:
        world.now = timer[1]
        world.feed(Timer(timer[0]))
        return
    world.now = later
    what = chance.random()
    if what < 0.15:
        wish = chance.choice(HUMAN)
        if isinstance(wish, PolicyChanged):  # in the middle of whatever is going on
            world.policy = chance.choice(POLICIES)
        world.feed(wish)
    elif what < 0.2:
        world.feed(Timer(chance.randrange(world.state.token or 2)))  # stale
    elif what < 0.4:
        world.feed(chance.choice(ANY_TIME))
    elif world.jobs and what < 0.7:
        world.feed(JobEnded(chance.choice(sorted(world.jobs)), ok=chance.random() < 0.7, text="exit code 1"))
    elif what < 0.42:
        world.feed(JobEnded(chance.choice(["before", "stop", "afterEnd"]), ok=True) if not world.jobs else Ready())
    else:
        world.feed(chance.choice(POSSIBLE[world.process]))


def check_note(state: State) -> None:
    note = state.as_dict()
    assert State.from_dict(note).as_dict() == note


def check_can_be_stopped(world: World) -> None:
    """A process and commands that obey nothing but SIGKILL end, and stay down."""
    world.feed(StopAsked())
    if world.process is ASKED_FOR:
        world.feed(Spawned())
    for _ in range(50):
        if world.state.phase is Phase.STOPPED:
            return
        assert world.timer
        world.now = world.timer[1]
        world.feed(Timer(world.timer[0]))
        if world.state.kills and world.state.job:
            world.feed(JobEnded(world.state.job, ok=False, text="killed"))
        elif world.state.kills and world.process is not NONE:
            world.feed(Exited(TERMINATED, empty=True))
    raise AssertionError("it can't be stopped")


def test_without_a_person_the_starts_in_any_window_are_bounded() -> None:
    for seed in range(300):
        chance = random.Random(seed)
        policy = Policy(window=600, window_deaths=chance.randint(1, 10), window_delay=chance.randint(10, 100))
        world = World(policy)
        world.feed(StartAsked())
        while world.state.phase is not Phase.FAILED and len(world.spawned_at) < 100:
            world.live_and_die(chance.uniform(0, 30), until=world.now + 1, cause=chance.choice([CRASH, CLEAN]))
        most = policy.window_deaths + policy.window / policy.window_delay + 2
        for start in world.spawned_at:
            inside = sum(start <= other < start + policy.window for other in world.spawned_at)
            assert inside <= most, f"seed {seed}"
