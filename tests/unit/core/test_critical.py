"""With which exit code a container ends when a service on which everything depends has ended."""

from __future__ import annotations

import pytest

from supervisor.core import critical
from supervisor.core.state import State
from supervisor.core.verdict import RTMAX, cause_of, signal_name, signal_number
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.service import Phase


def state(phase: Phase, cause: Cause | None, *, finished: bool = False, reason: str = "gave up") -> State:
    made = State()
    made.phase, made.cause, made.finished, made.reason = phase, cause, finished, reason
    return made


def ended(status: int, exit_codes: tuple[int, ...] = (0,)) -> Cause:
    return cause_of(status, asked=False, words=[], exit_codes=exit_codes)


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (ended(3 << 8), 3),
        (ended(255 << 8), 255),
        (ended(78 << 8), 78),
        (ended(9), 137),
        (ended(11 | 0x80), 139),
        (ended(34), 162),
        (ended(0), 1),  # a failure never looks like a success
        (None, 1),
        (Cause(CauseKind.NOT_FOUND, "no such command"), 127),
        (Cause(CauseKind.NOT_EXECUTABLE, "can't be executed"), 126),
        (Cause(CauseKind.BAD_FOLDER, "no such folder"), 1),
        (Cause(CauseKind.UNHEALTHY, "not well", signal="SIGTERM"), 1),  # our signal, not its
        (Cause(CauseKind.NOT_READY, "not ready", code=0), 1),
    ],
)
def test_exit_code_of_one_that_has_failed(cause: Cause | None, code: int) -> None:
    failed = state(Phase.FAILED, cause)

    assert critical.has_ended_for_good(failed)
    assert critical.exit_code(failed) == code


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (state(Phase.STOPPED, ended(0), finished=True), 0),
        (state(Phase.STOPPED, ended(4 << 8, (0, 4)), finished=True), 4),
        (state(Phase.STOPPED, ended(125 << 8), reason="asked to stay down"), 125),
    ],
)
def test_exit_code_of_one_that_is_not_started_again(one: State, code: int) -> None:
    assert critical.has_ended_for_good(one)
    assert critical.exit_code(one) == code


@pytest.mark.parametrize(
    "one",
    [
        state(Phase.STOPPED, ended(3 << 8), reason="asked"),  # a person has stopped what had failed
        state(Phase.STOPPED, None, reason="not started"),
        state(Phase.BACKOFF, ended(3 << 8)),
        state(Phase.RUNNING, ended(0)),
        state(Phase.STOPPING, ended(0), finished=True),
    ],
)
def test_all_others_have_not_ended_for_good(one: State) -> None:
    assert not critical.has_ended_for_good(one)


def test_its_end_in_words() -> None:
    assert critical.how(state(Phase.FAILED, ended(3 << 8))) == "has failed (gave up: exit code 3)"
    never = state(Phase.FAILED, ended(3 << 8), reason="exit code 3 is not tried again")
    assert critical.how(never) == "has failed (exit code 3 is not tried again)"
    finished = state(Phase.STOPPED, ended(0), finished=True, reason="finished")
    assert critical.how(finished) == "has ended for good (exit code 0)"


def test_each_signal_is_found_by_its_name() -> None:
    assert [signal_number(signal_name(number)) for number in range(1, RTMAX + 1)] == list(range(1, RTMAX + 1))
