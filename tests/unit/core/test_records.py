"""The small records: equal by value, readable, and not to be mixed up."""

from __future__ import annotations

import pytest

from supervisor.core.actions import ClearTimer, SetTimer, Spawn
from supervisor.core.inputs import StopAsked, Timer
from supervisor.core.machine import Ending, State
from supervisor.model.service import Phase


def test_records_compare_by_value() -> None:
    assert StopAsked(now=True) == StopAsked(now=True) != StopAsked()
    assert Spawn() != ClearTimer()
    assert Timer(1) != SetTimer(1, 0)
    with pytest.raises(TypeError):
        hash(Spawn())


def test_records_are_readable() -> None:
    assert repr(StopAsked(now=True)) == "StopAsked(now=True)"
    assert repr(Spawn()) == "Spawn()"


def test_a_new_state() -> None:
    state = State()
    assert (state.phase, state.ending, state.in_flight, state.retry_at) == (Phase.STOPPED, Ending.NONE, False, None)
    assert State.from_dict(state.as_dict()).as_dict() == state.as_dict()
