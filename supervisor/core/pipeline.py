"""The life of one run, step by step: what has happened in, what is to be done out. Pure: time is a number.

    backup -> get -> data gate -> process -> quality gate -> push

It stops at the first step that fails for good. A step is tried again as its retry rule says; a gate never is. After a
failed gate, or a `process` that failed, `rollback` runs if the plugin has one and there was something to go back to.
All of it is one record that a successor can go on from.
"""

from __future__ import annotations

from supervisor.core import figures
from supervisor.core.quality import compared, data_gate, quality_gate
from supervisor.core.record import Record
from supervisor.model.run import RunState
from supervisor.model.schedule import BACKUP, GET, PROCESS, ROLLBACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.schedule import Policy

SIGTERM, SIGKILL = 15, 9
STEP, RUN, KILL, RETRY = "step", "run", "kill", "retry"  # timers
WAITING, STEPPING, ENDED = "waiting", "stepping", "ended"


class Progress(Record):
    """Where a run stands. Plain values only: it is noted with each change."""

    __slots__ = (
        "accepted", "attempt", "cause", "deadlines", "ending", "killed", "metrics", "phase", "position", "rolling_back",
        "started", "state", "steps", "what",
    )  # fmt: skip

    def __init__(self, steps: list[str], accepted: dict[str, Any] | None = None) -> None:
        self.steps = steps  # all that are to be done, in order
        self.position = 0
        self.attempt = 0  # of the step at `position`; 0: not begun
        self.phase = WAITING
        self.state = RunState.CLAIMED.value  # what it is, or what it will have been once the rollback is done
        self.cause = ""
        self.ending = ""  # why it was asked to end: the state that follows
        self.what = ""  # ... in words
        self.killed = False
        self.rolling_back = False
        self.metrics: dict[str, Any] = {}
        self.accepted = compared(accepted) if accepted else {}  # of the last run that was good
        self.started = 0.0  # monotonic, as the deadlines
        self.deadlines: dict[str, float] = {}

    @property
    def step(self) -> str:
        return ROLLBACK if self.rolling_back else self.steps[self.position]

    @property
    def number(self) -> int:
        """Of the step, from 1; the rollback comes behind all."""
        return len(self.steps) + 1 if self.rolling_back else self.position + 1

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def as_note(self) -> dict[str, Any]:
        """Without what is nothing, as it is at first."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) or name == "steps"}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Progress:
        progress = cls([])
        for name in cls.__slots__:
            if name in data:
                setattr(progress, name, data[name])
        return progress

    def copy(self) -> Progress:
        other = Progress.from_dict(self.as_dict())
        other.deadlines, other.metrics = dict(self.deadlines), dict(self.metrics)
        return other


class StepEnd(Record):
    """How a step ended, and the figures that it wrote."""

    __slots__ = ("cause", "code", "metrics", "signal")

    def __init__(
        self, code: int | None, *, signal: str = "", cause: str = "", metrics: dict[str, Any] | None = None
    ) -> None:
        self.code = code  # None: killed by a signal, could not be started, or nobody knows
        self.signal = signal
        self.cause = cause  # in words; "": by its code
        self.metrics = metrics or {}

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.cause

    @property
    def text(self) -> str:
        return self.cause or (f"killed by {self.signal}" if self.signal else f"exit code {self.code}")


class Rules:
    """What of a schedule and its plugin a run goes by."""

    __slots__ = ("can_roll_back", "policy")

    def __init__(self, policy: Policy, *, can_roll_back: bool) -> None:
        self.policy = policy
        self.can_roll_back = can_roll_back


class Start(Record):
    """Start the step at hand."""

    __slots__ = ()


class Signal(Record):
    """To everything that belongs to the step."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class Finish(Record):
    """It has ended, as `state` and `cause` say."""

    __slots__ = ()


Action = Start | Signal | Finish
Result = tuple[Progress, list[Action]]


def steps_of(wanted: tuple[str, ...], has: tuple[str, ...]) -> list[str]:
    """What a run does: a plugin that can make a backup does so before anything that processes."""
    steps = [name for name in wanted if name in has]
    if PROCESS in steps and BACKUP in has and BACKUP not in steps:
        steps.insert(0, BACKUP)
    return steps


def begin(before: Progress, rules: Rules, now: float) -> Result:
    progress = before.copy()
    progress.started = now
    progress.state = RunState.RUNNING.value
    if rules.policy.run_timeout:
        progress.deadlines[RUN] = now + rules.policy.run_timeout
    return _start(progress, rules, now)


def step_ended(before: Progress, rules: Rules, end: StepEnd, now: float) -> Result:
    progress = before.copy()
    if progress.phase != STEPPING:
        return progress, []
    for timer in (STEP, KILL):
        progress.deadlines.pop(timer, None)
    if progress.rolling_back:
        if not end.ok:
            why = f"{progress.what} ({end.text})" if progress.what else end.text
            progress.cause += f"; rollback failed: {why}"
        return _finish(progress)
    if end.metrics:
        figures.keep(progress.metrics, end.metrics)
    if progress.ending:
        state, what = RunState(progress.ending), progress.what
        progress.ending = progress.what = ""
        over = rules.policy.run_timeout and RUN not in progress.deadlines  # the run's own time: no further try
        if state is RunState.TIMED_OUT and not over and _may_retry(progress, rules, None, timed_out=True):
            return _wait(progress, rules, now)
        return _bad(progress, rules, now, state, what)
    if not end.ok:
        if _may_retry(progress, rules, end.code):
            return _wait(progress, rules, now)
        return _bad(progress, rules, now, RunState.FAILED, f"{progress.step}: {end.text}")
    return _good(progress, rules, now)


def ask_end(before: Progress, rules: Rules, state: RunState, what: str, now: float, *, at_once: bool = False) -> Result:
    """A person, the next slot, a shutdown or a limit wants it to end."""
    progress = before.copy()
    if progress.phase == ENDED:
        return progress, []
    if progress.rolling_back and state is RunState.CANCELLED and not at_once:
        return progress, []  # half a rollback is worse than either
    if progress.phase == WAITING:  # between two tries
        return _bad(progress, rules, now, state, what)
    # Whoever wants it to end while its time is up wants no further try.
    if progress.rolling_back:
        progress.what = progress.what or what
    elif progress.ending in ("", RunState.TIMED_OUT.value):
        progress.ending, progress.what = state.value, what
    if at_once:
        progress.killed = True
        progress.deadlines.pop(KILL, None)
        return progress, [Signal(SIGKILL)]
    if KILL in progress.deadlines or progress.killed:
        return progress, []  # it has been asked already
    progress.deadlines[KILL] = now + rules.policy.stop_grace
    return progress, [Signal(SIGTERM)]


def time_is_up(before: Progress, rules: Rules, which: str, now: float) -> Result:
    """One of its deadlines has come."""
    if which not in before.deadlines or before.deadlines[which] > now:
        return before, []  # an old timer
    progress = before.copy()
    del progress.deadlines[which]
    if which == RETRY:
        return _start(progress, rules, now)
    if which == KILL:
        progress.killed = True
        return progress, [Signal(SIGKILL)]
    limit = rules.policy.step_timeout if which == STEP else rules.policy.run_timeout
    what = f"{progress.step} did not end within {limit:g} s" if which == STEP else f"it did not end within {limit:g} s"
    return ask_end(progress, rules, RunState.TIMED_OUT, what, now)


# inside


def _start(progress: Progress, rules: Rules, now: float) -> Result:
    progress.phase = STEPPING
    progress.attempt += 1
    progress.killed = False
    if rules.policy.step_timeout:
        progress.deadlines[STEP] = now + rules.policy.step_timeout
    return progress, [Start()]


def _good(progress: Progress, rules: Rules, now: float) -> Result:
    """The step has done its work; what its figures say decides how it goes on."""
    safety, wrong = rules.policy.safety, ""
    if progress.step == GET:
        wrong = data_gate(progress.metrics, safety)
    elif progress.step == PROCESS:
        wrong = quality_gate(progress.metrics, safety, progress.accepted)
    if wrong:
        return _bad(progress, rules, now, RunState.REJECTED, wrong)
    progress.position += 1
    progress.attempt = 0
    if progress.position < len(progress.steps):
        return _start(progress, rules, now)
    progress.position -= 1
    progress.state = RunState.SUCCEEDED.value
    return _finish(progress)


def _bad(progress: Progress, rules: Rules, now: float, state: RunState, cause: str) -> Result:
    progress.state, progress.cause = state.value, cause
    spoilt = (progress.step == PROCESS and progress.attempt > 0) or state is RunState.REJECTED
    if spoilt and rules.can_roll_back and state is not RunState.INTERRUPTED:
        progress.rolling_back = True
        progress.attempt = 0
        progress.deadlines.clear()
        if rules.policy.run_timeout:
            progress.deadlines[RUN] = now + rules.policy.run_timeout
        return _start(progress, rules, now)
    return _finish(progress)


def _finish(progress: Progress) -> Result:
    progress.phase = ENDED
    progress.deadlines = {}
    return progress, [Finish()]


def _may_retry(progress: Progress, rules: Rules, code: int | None, *, timed_out: bool = False) -> bool:
    retry = rules.policy.retry
    if not retry or progress.attempt > retry.get("times", 0):
        return False
    if timed_out:
        return bool(retry.get("timeouts", False))
    if code in (retry.get("not_codes") or ()):
        return False
    codes = retry.get("codes")
    return codes is None or code in codes


def _wait(progress: Progress, rules: Rules, now: float) -> Result:
    retry = rules.policy.retry
    progress.phase = WAITING
    progress.deadlines[RETRY] = now + _delay(retry, progress.attempt)
    return progress, []


def _delay(retry: dict[str, Any], attempt: int) -> float:
    """Before the next try."""
    longest: float = retry.get("max_delay", 3600.0)
    try:
        delay: float = retry.get("delay", 60.0) * retry.get("factor", 2.0) ** (attempt - 1)
    except OverflowError:  # after some hundred tries: more than any number
        return longest
    return min(delay, longest)
