"""The life of a run: what each step's end, each deadline and each wish to end leads to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from supervisor.core import pipeline
from supervisor.core.pipeline import (
    ENDED,
    KILL,
    RETRY,
    RUN,
    STEP,
    STEPPING,
    WAITING,
    Finish,
    Progress,
    Result,
    Rules,
    Signal,
    Start,
    StepEnd,
    steps_of,
)  # fmt: skip
from supervisor.model.run import RunState
from supervisor.model.schedule import Policy

GOOD, BAD = StepEnd(0), StepEnd(3)
ALL = ["backup", "get", "process", "push"]


class Life:
    """One run, moved by what happens to it."""

    def __init__(self, *steps: str, rollback: bool = False, accepted: dict[str, Any] | None = None, **policy: Any):
        self.rules = Rules(Policy(**policy), can_roll_back=rollback)
        self.now = 100.0
        self.done: list[str] = []
        self.take(pipeline.begin(Progress(list(steps) or ["get"], accepted), self.rules, self.now))

    def take(self, result: Result) -> Life:
        self.progress, actions = result
        # A successor goes on from what was noted.
        self.progress = Progress.from_dict(json.loads(json.dumps(self.progress.as_dict())))
        for action in actions:
            if isinstance(action, Start):
                self.done.append(f"{self.progress.step}.{self.progress.attempt}")
            elif isinstance(action, Signal):
                self.done.append({15: "TERM", 9: "KILL"}[action.number])
            elif isinstance(action, Finish):
                self.done.append(self.progress.state)
        return self

    def end(self, end: StepEnd = GOOD, after: float = 0.0) -> Life:
        self.now += after
        return self.take(pipeline.step_ended(self.progress, self.rules, end, self.now))

    def wait(self, which: str, seconds: float | None = None) -> Life:
        """Until a deadline comes, or for so long."""
        self.now = self.progress.deadlines[which] if seconds is None else self.now + seconds
        return self.take(pipeline.time_is_up(self.progress, self.rules, which, self.now))

    def ask(self, state: RunState = RunState.CANCELLED, *, now: bool = False) -> Life:
        return self.take(pipeline.ask_end(self.progress, self.rules, state, "asked", self.now, at_once=now))


def figures(**metrics: Any) -> StepEnd:
    return StepEnd(0, metrics=metrics)


# steps


def test_steps_go_in_order_to_a_good_end() -> None:
    life = Life(*ALL)
    for _ in ALL:
        life.end()

    assert life.done == ["backup.1", "get.1", "process.1", "push.1", "succeeded"]
    assert (life.progress.phase, life.progress.deadlines) == (ENDED, {})


@pytest.mark.parametrize("number", range(4))
def test_the_first_step_that_fails_ends_it(number: int) -> None:
    life = Life(*ALL)
    for _ in range(number):
        life.end()
    life.end(BAD)

    assert life.done[-2:] == [f"{ALL[number]}.1", "failed"]
    assert life.progress.cause == f"{ALL[number]}: exit code 3"


@pytest.mark.parametrize(
    ("wanted", "has", "steps"),
    [
        (("get", "process", "push"), ("get", "push"), ["get", "push"]),
        (("get", "process"), ("get", "process", "backup"), ["backup", "get", "process"]),
        (("get", "push"), ("get", "push", "backup"), ["get", "push"]),
        (("get", "backup", "process"), ("get", "process", "backup"), ["get", "backup", "process"]),
        (("get",), (), []),
    ],
)
def test_a_backup_is_made_before_anything_that_processes(
    wanted: tuple[str, ...], has: tuple[str, ...], steps: list[str]
) -> None:
    assert steps_of(wanted, has) == steps


def test_an_end_that_is_told_twice_counts_once() -> None:
    life = Life("get").end()

    assert life.end(BAD).done == ["get.1", "succeeded"]


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (StepEnd(1), "exit code 1"),
        (StepEnd(None, signal="SIGSEGV"), "killed by SIGSEGV"),
        (StepEnd(0, cause="its result file is not JSON"), "its result file is not JSON"),
    ],
)
def test_a_step_says_how_it_failed(end: StepEnd, text: str) -> None:
    assert Life("get").end(end).progress.cause == f"get: {text}"


# gates on data


def test_too_little_data_stops_before_process() -> None:
    life = Life("get", "process", "push", safety={"min_data": 5}).end(figures(data=4))

    assert life.done == ["get.1", "rejected"]
    assert "too little data" in life.progress.cause


def test_figures_of_process_are_looked_at_after_process_only() -> None:
    life = Life("get", "process", "push", safety={"quality": 0.7}).end(figures(quality=0.1)).end(figures(quality=0.9))

    assert life.end().done[-1] == "succeeded"


@pytest.mark.parametrize(
    ("safety", "accepted"), [({"quality": 0.7}, {}), ({"rollback_on_degradation": True}, {"quality": 0.65})]
)
def test_bad_quality_is_rolled_back_and_not_pushed(safety: dict[str, Any], accepted: dict[str, Any]) -> None:
    life = Life("process", "push", rollback=True, accepted=accepted, safety=safety).end(figures(quality=0.6))
    assert life.progress.number == 3

    life.end()

    assert life.done == ["process.1", "rollback.1", "rejected"]


def test_a_gate_is_never_tried_again() -> None:
    life = Life("get", safety={"min_data": 5}, retry={"times": 5}).end(figures(data=1))

    assert life.done == ["get.1", "rejected"]


def test_a_process_that_failed_is_rolled_back_but_a_get_or_a_push_is_not() -> None:
    assert Life("process", rollback=True).end(BAD).end().done == ["process.1", "rollback.1", "failed"]
    assert Life("process", rollback=False).end(BAD).done == ["process.1", "failed"]
    assert Life("get", rollback=True).end(BAD).done == ["get.1", "failed"]
    assert Life("push", rollback=True).end(BAD).done == ["push.1", "failed"]


def test_a_rollback_that_fails_is_told_beside_what_it_was_for() -> None:
    life = Life("process", rollback=True).end(BAD).end(StepEnd(9))

    assert life.done[-1] == "failed"
    assert life.progress.cause == "process: exit code 3; rollback failed: exit code 9"


# tries


def test_a_step_is_tried_again_later_and_later_but_not_for_ever() -> None:
    life, waits = Life("get", "push", retry={"times": 3, "delay": 10.0, "factor": 3.0, "max_delay": 50.0}), []
    for _ in range(3):
        life.end(BAD)
        assert life.progress.phase == WAITING
        waits.append(life.progress.deadlines[RETRY] - life.now)
        life.wait(RETRY)
    life.end(BAD)

    assert waits == [10.0, 30.0, 50.0]
    assert life.done == ["get.1", "get.2", "get.3", "get.4", "failed"]


@pytest.mark.parametrize(("delay", "longest"), [(0.01, 0.02), (60.0, 3600.0)])
def test_no_number_of_tries_is_too_many_to_reckon_the_wait(delay: float, longest: float) -> None:
    life = Life("get", retry={"times": 1000, "delay": delay, "factor": 100.0, "max_delay": longest})
    for _ in range(1000):
        life.end(BAD)
        wait = life.progress.deadlines[RETRY] - life.now
        life.wait(RETRY)
    life.end(BAD)

    assert wait == pytest.approx(longest, abs=1e-6)
    assert life.done[-2:] == ["get.1001", "failed"]


def test_the_next_step_has_all_its_tries() -> None:
    life = Life("get", "push", retry={"times": 1, "delay": 1.0}).end(BAD).wait(RETRY).end().end(BAD).wait(RETRY).end()

    assert life.done == ["get.1", "get.2", "push.1", "push.2", "succeeded"]


@pytest.mark.parametrize(
    ("retry", "end", "again"),
    [
        ({"codes": None}, BAD, True),
        ({"codes": [3, 4]}, BAD, True),
        ({"codes": [4]}, BAD, False),
        ({"codes": []}, BAD, False),
        ({"not_codes": [3]}, BAD, False),
        ({"codes": [3], "not_codes": [3]}, BAD, False),
        ({"codes": None}, StepEnd(None, signal="SIGSEGV"), True),
        ({"codes": [3]}, StepEnd(None, signal="SIGSEGV"), False),
    ],
)
def test_which_ends_are_tried_again(retry: dict[str, Any], end: StepEnd, again: bool) -> None:
    life = Life("get", retry={"times": 1, **retry}).end(end)

    assert (life.progress.phase == WAITING) is again


def test_a_rollback_is_not_tried_again() -> None:
    life = Life("process", rollback=True, retry={"times": 1}).end(BAD).wait(RETRY).end(BAD).end(BAD)

    assert life.done == ["process.1", "process.2", "rollback.1", "failed"]


# time


def test_a_step_that_takes_too_long_is_asked_to_end_then_killed() -> None:
    life = Life("get", step_timeout=30.0, stop_grace=5.0).wait(STEP)
    assert life.progress.deadlines[KILL] == 135.0
    life.wait(KILL).end(StepEnd(None, signal="SIGKILL"))

    assert life.done == ["get.1", "TERM", "KILL", "timed_out"]
    assert life.progress.cause == "get did not end within 30 s"


def test_one_that_ends_well_after_it_was_asked_to_has_timed_out_all_the_same() -> None:
    assert Life("get", "push", step_timeout=30.0).wait(STEP).end().done == ["get.1", "TERM", "timed_out"]


def test_each_step_has_its_own_time_and_the_run_one_for_all() -> None:
    life = Life("get", "push", step_timeout=30.0, run_timeout=50.0).end(after=29)
    assert life.progress.deadlines == {STEP: 159.0, RUN: 150.0}

    life.wait(RUN).end()

    assert life.done == ["get.1", "push.1", "TERM", "timed_out"]
    assert life.progress.cause == "it did not end within 50 s"


@pytest.mark.parametrize(("timeouts", "phase"), [(True, WAITING), (False, ENDED)])
def test_a_step_that_took_too_long_is_tried_again_where_that_is_wanted(timeouts: bool, phase: str) -> None:
    life = Life("get", step_timeout=30.0, retry={"times": 1, "timeouts": timeouts}).wait(STEP).end()

    assert life.progress.phase == phase


def test_a_run_whose_time_is_up_is_not_tried_again() -> None:
    life = Life("get", run_timeout=30.0, retry={"times": 5, "timeouts": True}).wait(RUN).end()

    assert life.done == ["get.1", "TERM", "timed_out"]


def test_a_run_whose_time_is_up_between_two_tries_ends_at_once() -> None:
    life = Life("get", run_timeout=30.0, retry={"times": 5, "delay": 100.0}).end(BAD).wait(RUN)

    assert life.done == ["get.1", "timed_out"]


def test_a_rollback_has_the_time_of_a_run_again_and_no_more() -> None:
    life = Life("process", rollback=True, run_timeout=30.0).end(BAD, after=29)
    assert life.progress.deadlines == {RUN: 159.0}

    life.wait(RUN).wait(KILL).end(StepEnd(None, signal="SIGKILL"))

    assert life.done == ["process.1", "rollback.1", "TERM", "KILL", "failed"]
    assert (
        life.progress.cause == "process: exit code 3; rollback failed: it did not end within 30 s (killed by SIGKILL)"
    )


def test_an_old_timer_does_nothing() -> None:
    life = Life("get", "push", step_timeout=30.0).end(after=20)
    life.wait(STEP, seconds=10.0)

    assert life.done == ["get.1", "push.1"]
    assert life.wait(KILL, seconds=1.0).done == ["get.1", "push.1"]


# asked to end


def test_who_is_asked_to_end_has_time_to() -> None:
    life = Life("get", "push", stop_grace=7.0).ask()
    assert life.progress.deadlines[KILL] == 107.0

    life.ask().end()

    assert life.done == ["get.1", "TERM", "cancelled"]
    assert life.progress.cause == "asked"


def test_at_once_is_at_once_also_for_one_that_was_asked_before() -> None:
    assert Life("get").ask(now=True).end(BAD).done == ["get.1", "KILL", "cancelled"]
    life = Life("get").ask().ask(now=True)
    assert KILL not in life.progress.deadlines
    assert life.end(BAD).done == ["get.1", "TERM", "KILL", "cancelled"]


def test_the_first_reason_counts() -> None:
    life = Life("get", run_timeout=5.0).ask(RunState.CANCELLED).wait(RUN).ask(RunState.INTERRUPTED).end(BAD)

    assert life.done == ["get.1", "TERM", "cancelled"]


@pytest.mark.parametrize("state", [RunState.INTERRUPTED, RunState.CANCELLED])
def test_one_whose_time_was_up_is_not_tried_again_once_somebody_wants_its_end(state: RunState) -> None:
    """A stop would wait for an hour for the next try."""
    life = Life("get", step_timeout=5.0, retry={"times": 5, "timeouts": True}).wait(STEP).ask(state).end(BAD)

    assert life.done == ["get.1", "TERM", state.value]


@pytest.mark.parametrize("state", [RunState.INTERRUPTED, RunState.CANCELLED])
def test_between_two_tries_it_ends_at_once(state: RunState) -> None:
    life = Life("get", "push", retry={"times": 5}).end(BAD).ask(state)

    assert life.done == ["get.1", state.value]
    assert life.ask(RunState.CANCELLED).done == ["get.1", state.value]


def test_a_process_that_failed_and_waits_is_rolled_back_when_it_is_cancelled() -> None:
    life = Life("process", rollback=True, retry={"times": 5}).end(BAD).ask().end()

    assert life.done == ["process.1", "rollback.1", "cancelled"]


def test_a_process_that_is_cancelled_is_rolled_back_one_that_is_interrupted_is_not() -> None:
    assert Life("process", rollback=True).ask().end(BAD).end().done == ["process.1", "TERM", "rollback.1", "cancelled"]
    life = Life("process", rollback=True).ask(RunState.INTERRUPTED).end(BAD)
    assert life.done == ["process.1", "TERM", "interrupted"]


def test_nobody_cancels_a_rollback_but_a_stop_ends_it() -> None:
    life = Life("process", rollback=True).end(BAD).ask()
    assert life.done == ["process.1", "rollback.1"]

    life.ask(RunState.INTERRUPTED).end(StepEnd(None, signal="SIGTERM"))

    assert life.done == ["process.1", "rollback.1", "TERM", "failed"]
    assert "rollback failed: asked (killed by SIGTERM)" in life.progress.cause


def test_what_was_before_is_left_as_it_was() -> None:
    before = Progress(["get", "push"])
    begun, _ = pipeline.begin(before, Rules(Policy(step_timeout=5.0), can_roll_back=False), 1.0)
    pipeline.step_ended(begun, Rules(Policy(), can_roll_back=False), figures(n=1), 2.0)

    assert before == Progress(["get", "push"])
    assert (begun.phase, begun.metrics, begun.deadlines) == (STEPPING, {}, {STEP: 6.0})
