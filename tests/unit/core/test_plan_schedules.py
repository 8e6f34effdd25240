"""What other settings change for schedules."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.core import plan
from supervisor.core.plan import schedule_changes
from supervisor.model.schedule import Policy


def section(*names: str, policy: dict[str, Any] | None = None, rest: dict[str, Any] | None = None, **row: Any) -> Any:
    base = {"plugin": "web", "steps": ["get"], "triggers": [{"kind": "at"}], "policy": 0, "zone": "UTC"}
    return {
        "policies": [{**Policy().as_dict(), **(policy or {})}],
        "commands": {"web": {"get": {"argv": ["get"]}}},
        "schedules": [{"id": name, **base, **row} for name in names],
        **(rest or {}),
    }


def changes(old: Any, new: Any) -> list[tuple[str, str, list[str]]]:
    return [
        (each["action"], each["name"], each["fields"]) for each in (c.as_dict() for c in schedule_changes(old, new))
    ]


def fields(old: Any, new: Any) -> list[str]:
    ((action, name, found),) = changes(old, new)
    assert (action, name) == ("live", "a")
    return found


def test_nothing_is_no_change() -> None:
    assert changes(None, None) == changes({}, None) == changes(section("a"), section("a")) == []


def test_coming_and_going() -> None:
    assert changes(section("a", "b"), section("b", "c")) == [("remove", "a", []), ("add", "c", [])]
    assert changes(None, section("a")) == [("add", "a", [])]
    assert schedule_changes(section("a"), None)[0].as_dict() == {
        "name": "a", "action": "remove", "fields": [], "kind": "schedule",
    }  # fmt: skip


def test_what_differs_is_named_as_people_write_it() -> None:
    old = section("a")

    assert fields(old, section("a", triggers=[])) == ["triggers"]
    assert fields(old, section("a", zone="Asia/Tokyo", steps=["push"])) == ["commands", "commands.get", "timezone"]
    assert fields(old, section("a", policy={"window": 1.0, "jitter_kind": "perRun"})) == ["jitter", "missedWindowHours"]


def test_the_number_of_a_policy_is_no_difference() -> None:
    new = section("a", policy={"overlap": "allow"})
    moved = {**new, "policies": [Policy().as_dict(), *new["policies"]]}
    moved["schedules"] = [{**new["schedules"][0], "policy": 1}]

    assert changes(new, moved) == []


def test_what_stands_elsewhere_under_a_name_counts() -> None:
    policy = {"blackouts": ["off"], "group": "big", "check": "net"}
    rest = {"calendars": {"off": [1]}, "groups": {"big": 1}, "checks": {"net": {"timeout": 1}}}
    old = section("a", policy=policy, rest=rest)

    assert fields(old, section("a", policy=policy, rest={**rest, "calendars": {"off": [2]}})) == ["blackouts"]
    assert fields(old, section("a", policy=policy, rest={**rest, "groups": {"big": 2}})) == ["group"]
    assert fields(old, section("a", policy=policy, rest={**rest, "checks": {}})) == ["check"]
    assert fields(old, section("a", policy=policy, rest={**rest, "commands": {}})) == ["commands.get"]


def test_the_number_of_a_policy_may_be_that_of_another_one_now() -> None:
    new = section("a", policy={"overlap": "allow"})
    other = {**new, "policies": [Policy().as_dict(), *new["policies"]]}

    assert fields(new, other) == ["overlap"]


def test_of_very_many_only_what_differs_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"n{number}" for number in range(100)]
    old, new = section(*names), section(*names)
    new["policies"].insert(0, Policy().as_dict())
    for row in new["schedules"]:
        row["policy"] = 1
    new["schedules"][50]["zone"] = "Asia/Tokyo"
    looks: list[str] = []
    values = plan._Section.values
    monkeypatch.setattr(plan._Section, "values", lambda its, row: [looks.append(row["id"]), values(its, row)][1])

    assert changes(old, new) == [("live", "n50", ["timezone"])]
    assert looks == ["n50", "n50"]


def test_a_command_counts_for_those_that_run_it() -> None:
    both = {"get": {"argv": ["get"]}, "rollback": {"argv": ["x"]}, "sync": {"argv": ["sync"]}}
    old = section("a", rest={"commands": {"web": both}})

    assert changes(old, section("a", rest={"commands": {"web": {**both, "sync": {"argv": ["y"]}}}})) == []
    assert fields(old, section("a")) == ["commands.rollback"]
