"""Routing, suggestions and argument checks."""

from __future__ import annotations

import pytest

from supervisor.base.errors import Problem
from supervisor.control import api

KNOWN = ["start", "stop", "restart", "status", "reload", "chrome-history"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("statsu", "status"),
        ("strat", "start"),
        ("relaod", "reload"),
        ("crome-histroy", "chrome-history"),
        ("xyzzy", ""),
        ("", ""),
    ],
)
def test_nearest(word: str, meant: str) -> None:
    assert api.nearest(word, KNOWN) == meant


@pytest.mark.parametrize("name", ["start", "scheduler", "config", "tunnel"])
def test_core_names_go_to_start(name: str) -> None:
    assert api.role_of(name) == "start"


def test_all_others_go_to_the_scheduler() -> None:
    assert api.role_of("chrome-history") == "scheduler"


@pytest.mark.parametrize("value", [-1, True, "5", [1], float("nan"), float("inf")])
def test_seconds_must_be_seconds(value: object) -> None:
    with pytest.raises(Problem, match="number of seconds"):
        api.take_seconds({"timeout": value}, "timeout")


def test_seconds_may_be_absent() -> None:
    assert api.take_seconds({}, "timeout") is None
    assert api.take_seconds({"timeout": 3}, "timeout") == 3.0


def test_flags_and_texts() -> None:
    assert api.take_flag({}, "now") is False
    assert api.take_text({}, "since", "") == ""
    with pytest.raises(Problem):
        api.take_flag({"now": 1}, "now")
    with pytest.raises(Problem):
        api.take_text({}, "name")


def test_required_names_must_be_there() -> None:
    assert api.take_names({}) is None
    with pytest.raises(Problem):
        api.take_names({}, required=True)
