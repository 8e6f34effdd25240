"""What surrounds the machine, without a process and without a clock: time moves when a test says so.

After each step everything is checked that must hold whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable

from supervisor.core import actions
from supervisor.core.actions import (
    Action,
    Announce,
    AskGate,
    ClearTimer,
    EndJob,
    RunJob,
    SetTimer,
    Signal,
    Spawn,
)
from supervisor.core.inputs import (
    Emptied,
    Exited,
    Input,
    JobEnded,
    RestartAsked,
    Spawned,
    SpawnFailed,
    StartAsked,
    Timer,
)
from supervisor.core.machine import State, step
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.service import Phase, Policy, Want

# The process
NONE, ASKED_FOR, ALIVE, REST = "none", "asked for", "alive", "rest of the group"

CRASH = Cause(CauseKind.EXIT_CODE, "exit code 1", code=1)
CLEAN = Cause(CauseKind.CLEAN, "exit code 0", code=0)
STAY_DOWN = Cause(CauseKind.STAY_DOWN, "asked to stay down (exit code 125)", code=125)
TERMINATED = Cause(CauseKind.STOPPED, "stopped: SIGTERM", signal="SIGTERM")
NOT_FOUND = Cause(CauseKind.NOT_FOUND, "cannot start: serve: not found", code=127)
NO_MEMORY = Cause(CauseKind.SYSTEM, "no memory")


def brief(done: list[Action]) -> str:
    """The actions on one line: `exited, timer 5, backing_off`."""
    return ", ".join(_word(action) for action in done)


def _word(action: Action) -> str:
    match action:
        case SetTimer():
            return f"timer {action.delay:g}"
        case Signal():
            return f"signal {action.number}"
        case Announce():
            return action.kind.removeprefix("service.")
        case RunJob():
            return f"run {action.job}"
        case EndJob():
            return f"end {action.job} {action.number}"
        case AskGate():
            return "look" if action.look else "gate"
    return "spawn" if isinstance(action, Spawn) else "clear"


class World:
    """One service, its process and its timer."""

    def __init__(self, policy: Policy | None = None, now: float = 100.0) -> None:
        self.policy = policy or Policy()
        self.state = State()
        self.now = now
        self.process = NONE
        self.jobs: set[str] = set()  # the commands beside it that run
        self.asked = False  # the gate was asked since the last answer that opened it
        self.timer: tuple[int, float] | None = None
        self.spawned_at: list[float] = []
        self.log: list[tuple[float, str]] = []
        self.seen: set[tuple[Phase, type, Phase]] = set()
        self.on_announce: Callable[[Announce], None] = lambda announce: None

    def feed(self, *inputs: Input) -> list[Action]:
        """Hand in one after the other; returns what the last of them led to."""
        done: list[Action] = []
        for inp in inputs:
            before = self.state
            self._happen(inp)
            self.state, done = step(before, inp, self.policy, self.now)
            for action in done:
                self._do(action)
            self.seen.add((before.phase, type(inp), self.state.phase))
            self.check(before, inp, done)
        return done

    def _happen(self, inp: Input) -> None:
        if isinstance(inp, Spawned):
            self.process = ALIVE
        elif isinstance(inp, Exited):
            self.process = NONE if inp.empty else REST
        elif isinstance(inp, SpawnFailed) or (isinstance(inp, Emptied) and self.process is REST):
            self.process = NONE
        elif isinstance(inp, JobEnded):
            self.jobs.discard(inp.job)
        elif isinstance(inp, Timer) and self.timer and inp.token == self.timer[0]:
            self.timer = None

    def _do(self, action: Action) -> None:
        if isinstance(action, SetTimer):
            assert action.delay >= 0
            self.timer = (action.token, self.now + action.delay)
        elif isinstance(action, ClearTimer):
            assert self.timer is not None, "there is no timer to clear"
            self.timer = None
        elif isinstance(action, Spawn):
            assert self.process is NONE, "two processes"
            self.process = ASKED_FOR
            self.spawned_at.append(self.now)
        elif isinstance(action, AskGate):
            assert self.process is NONE
            self.asked = True
        elif isinstance(action, RunJob):
            assert action.job not in self.jobs, "the same command twice"
            self.jobs.add(action.job)
        elif isinstance(action, EndJob):
            assert action.job in self.jobs, "no such command runs"
            if action.number == 9 and self.state.job != action.job:
                self.jobs.discard(action.job)  # left to itself: its end is of no interest any more
        elif isinstance(action, Signal):
            assert self.process in (ALIVE, REST), "nothing there to signal"
        else:
            self.on_announce(action)

    def check(self, before: State, inp: Input, done: list[Action]) -> None:
        state, phase = self.state, self.state.phase
        assert state.has_process == (self.process is ALIVE)
        assert state.in_flight == (self.process is ASKED_FOR)
        if self.process is not NONE:
            assert phase in (Phase.STARTING, Phase.RUNNING, Phase.STOPPING)
        elif phase in (Phase.STARTING, Phase.RUNNING, Phase.STOPPING):
            assert state.job, "nothing is there, and nothing is waited for"
        assert self.jobs == ({state.job} if state.job else set())
        self.check_timer()
        if phase is not Phase.STOPPING:
            assert (state.want is Want.DOWN) == (phase is Phase.STOPPED)
        if self.process is not ALIVE:
            assert state.started is None or phase is Phase.STOPPING
            assert not state.ready or state.in_flight
        if phase is not Phase.STOPPING:
            assert (state.exited, state.ending, state.ending_text, state.emptied) == (None, "", "", False)
            assert not state.kills or state.job
        assert not state.waits_for or phase is Phase.WAITING
        assert (state.outside != 0) == (phase is Phase.EXTERNAL)
        assert not state.finished or phase is Phase.STOPPED
        if before.want is Want.DOWN and self.process is ASKED_FOR and before.phase is not phase:
            assert phase is Phase.STOPPING or isinstance(inp, (StartAsked, RestartAsked)), "spawned what nobody wants"
        gave_up = sum(isinstance(action, Announce) and action.kind == actions.GAVE_UP for action in done)
        assert gave_up == (before.phase is not phase and phase is Phase.FAILED and state.reason == "gave up")

    def check_timer(self) -> None:
        state, phase = self.state, self.state.phase
        assert (state.token, state.timer_at) == (self.timer or (0, None))
        assert self.timer or phase not in (Phase.BACKOFF, Phase.STOPPING)
        assert self.timer or not state.job
        assert not self.timer or phase not in (Phase.STOPPED, Phase.EXTERNAL)
        assert (state.retry_at is not None) == (self.timer is not None and phase in (Phase.BACKOFF, Phase.FAILED))

    # -- for stories

    def at(self, when: float, *inputs: Input) -> str:
        """Move to that time, timers first, then hand in these; returns what they led to."""
        self.move_to(when)
        done = brief(self.feed(*inputs))
        self._note(done)
        return done

    def move_to(self, when: float) -> None:
        while self.timer and self.timer[1] <= when:
            token, self.now = self.timer
            self._note(brief(self.feed(Timer(token))))
        self.now = when

    def _note(self, done: str) -> None:
        if done:
            self.log.append((round(self.now, 6), done))

    def live_and_die(self, life: float, until: float, *, cause: Cause = CRASH) -> None:
        """Each process comes at once and dies after `life` seconds."""
        while self.now < until:
            if self.process is ASKED_FOR:
                self.at(self.now, Spawned())
                self.at(self.now + life, Exited(cause, empty=True))
            elif self.timer:
                self.move_to(self.timer[1])
            else:
                return
