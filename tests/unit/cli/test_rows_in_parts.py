"""Rows of many schedules come in several answers, and look like one."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.base.errors import NOT_RUNNING, Problem
from supervisor.cli import schedules
from supervisor.model.home import Home

ALL = [{"id": f"s{number}"} for number in range(5)]


@pytest.mark.parametrize("most", [1, 2, 5, 9])
def test_all_parts_are_one(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    asked: list[dict[str, Any]] = []

    def ask(_home: Home, verb: str, *, first: int = 0, **some: Any) -> dict[str, Any]:
        asked.append({"verb": verb, **some})
        end = first + most
        return {"schedules": ALL[first:end], "more": end if end < len(ALL) else None, "system": {"first": first}}

    monkeypatch.setattr(schedules, "ask", ask)

    assert schedules.rows_if_running(Home("/h"), tenant="x") == {"schedules": ALL, "system": {"first": 0}}
    assert asked == [{"verb": "schedules", "tenant": "x"}] * -(-len(ALL) // most)


def test_none_while_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: Any, **__: Any) -> dict[str, Any]:
        raise Problem("not running", code=NOT_RUNNING)

    monkeypatch.setattr(schedules, "ask", ask)

    assert schedules.rows_if_running(Home("/h")) is None
