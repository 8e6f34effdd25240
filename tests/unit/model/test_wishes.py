"""Wishes about schedules: kept as they are, and read from a file that a person may have edited."""

from __future__ import annotations

import json
from typing import Any

import pytest

from supervisor.model.wishes import Wishes

PAUSE = {"at": 5.0, "by": "anna", "reason": "disk", "until": 9.0, "on_resume": "once"}


def test_they_are_the_same_after_a_way_through_a_file() -> None:
    wishes = Wishes()
    wishes.see("a", 100)
    wishes.enable("a", False)
    wishes.pause("b", dict(PAUSE))

    read = Wishes(json.loads(json.dumps(wishes.as_dict())))

    assert read.as_dict() == wishes.as_dict()
    assert (read.first_seen("a"), read.enabled("a"), read.paused("b")) == (100, False, PAUSE)
    assert read.pauses() == {"b": PAUSE}


def test_of_whom_nothing_is_known_there_is_nothing() -> None:
    wishes = Wishes()

    assert (wishes.first_seen("a"), wishes.enabled("a"), wishes.paused("a"), wishes.as_dict()) == (None,) * 3 + ({},)


def test_a_wish_that_is_there_already_is_nothing_new() -> None:
    wishes = Wishes()

    assert [wishes.enable("a", False) for _ in range(2)] == [True, False]
    assert [wishes.pause("a", dict(PAUSE)) for _ in range(2)] == [True, False]
    assert [wishes.pause("a", None) for _ in range(2)] == [True, False]
    assert [wishes.enable("a", None) for _ in range(2)] == [True, False]
    assert wishes.as_dict() == {}


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (None, {}),
        ([], {}),
        ({"a": 3}, {}),
        ({"a": {"first_seen": -1, "enabled": "no", "paused": True}}, {}),
        ({"a": {"first_seen": True}}, {}),
        ({"a": {"first_seen": 1 << 50}}, {}),
        ({"a": {"first_seen": 7, "more": 1}}, {"a": {"first_seen": 7}}),
        (
            {"a": {"paused": {"until": "soon", "by": 3, "on_resume": "jump"}}},
            {"a": {"paused": {"at": 0.0, "by": "3", "reason": "", "until": None, "on_resume": "next"}}},
        ),
    ],
)
def test_what_can_not_be_used_is_left_out(data: Any, left: dict[str, Any]) -> None:
    assert Wishes(data).as_dict() == left
