"""Each gate: when it is shut, what it does to a slot then, and in which order they are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from supervisor.core.gates import AGAIN_S, END_OTHER, GATES, QUEUE, SKIP, WAIT, Standing, all_held, first_held
from supervisor.model.run import Skip
from supervisor.model.schedule import Outside, Overlap, Policy

NOW = 1000.0


def standing(**given: Any) -> Standing:
    found = Standing()
    for name, value in given.items():
        setattr(found, name, value)
    return found


def held(policy: dict[str, Any], **given: Any) -> tuple[str, str, str, float] | None:
    found = first_held(Policy(**policy), standing(**given), NOW)
    return None if found is None else (found.gate, found.action, found.skip.value, found.until)


MEMORY = {"safety": {"max_memory_mb": 100, "max_cpu_percent": 50}}


@pytest.mark.parametrize(
    ("policy", "given", "expected"),
    [
        ({}, {}, None),
        ({}, {"enabled": False}, ("enabled", SKIP, "disabled", 0.0)),
        ({}, {"paused": True, "pause_until": 5.0}, ("paused", SKIP, "paused", 5.0)),
        ({}, {"hours_open": False, "opens_at": 9.0}, ("active hours", WAIT, "active_hours", 9.0)),
        ({}, {"hours_open": False, "opens_at": 0.0}, ("active hours", SKIP, "active_hours", 0.0)),
        ({}, {"hours_open": False, "opens_at": 9.0, "by_hand": True}, ("active hours", SKIP, "active_hours", 9.0)),
        ({"outside": "skip"}, {"hours_open": False, "opens_at": 9.0}, ("active hours", SKIP, "active_hours", 9.0)),
        ({"outside": "run"}, {"hours_open": False, "opens_at": 9.0}, None),
        ({}, {"blackout_name": "xmas", "blackout_until": 7.0}, ("blackout", SKIP, "blackout", 7.0)),
        ({}, {"breaker_shut": True, "breaker_until": 7.0}, ("cooldown", SKIP, "cooldown", 7.0)),
        ({}, {"check_ok": False}, None),
        ({"check": "net"}, {"check_ok": True}, None),
        ({"check": "net"}, {"check_ok": None}, ("reachability", WAIT, "unreachable", 0.0)),
        ({"check": "net"}, {"check_ok": False}, ("reachability", SKIP, "unreachable", 0.0)),
        (MEMORY, {"memory_mb": 100, "cpu_percent": 50}, None),
        (MEMORY, {"memory_mb": 101, "deadline": NOW + AGAIN_S}, ("safety", WAIT, "safety", NOW + AGAIN_S)),
        (MEMORY, {"cpu_percent": 51, "deadline": NOW + AGAIN_S}, ("safety", WAIT, "safety", NOW + AGAIN_S)),
        (MEMORY, {"cpu_percent": 51, "deadline": NOW + AGAIN_S - 1}, ("safety", SKIP, "safety", 0.0)),
        (MEMORY, {"cpu_percent": 51, "deadline": NOW + 99, "by_hand": True}, ("safety", SKIP, "safety", 0.0)),
        ({"safety": {"max_memory_mb": 0}}, {"memory_mb": 1}, ("safety", SKIP, "safety", 0.0)),
        ({"group": "g"}, {"group_running": 1, "group_size": 2}, None),
        ({"group": "g"}, {"group_running": 2, "group_size": 2}, ("group", QUEUE, "group", 0.0)),
    ],
)
def test_a_gate(policy: dict[str, Any], given: dict[str, Any], expected: tuple[str, str, str, float] | None) -> None:
    assert held(policy, **given) == expected


@pytest.mark.parametrize(
    ("kind", "running", "queued", "action"),
    [
        ("skip", 0, 0, None),
        ("skip", 1, 0, SKIP),
        ("skip", 0, 1, SKIP),
        ("queueOne", 1, 0, QUEUE),
        ("queueOne", 0, 1, SKIP),
        ("queueOne", 1, 1, SKIP),
        ("queueAll", 1, 2, QUEUE),
        ("queueAll", 1, 3, SKIP),
        ("cancelOther", 1, 0, END_OTHER),
        ("killOther", 1, 1, END_OTHER),
        ("cancelOther", 0, 0, None),
        ("allow", 2, 0, None),
        ("allow", 2, 1, SKIP),
        ("allow", 3, 0, SKIP),
        ("allow", 0, 3, SKIP),
    ],
)
def test_overlap(kind: str, running: int, queued: int, action: str | None) -> None:
    found = held({"overlap": kind, "overlap_max": 3}, running=running, queued=queued)

    assert (found and found[1]) == action
    assert found is None or found[2] == "overlap"


@pytest.mark.parametrize(
    ("running", "queued", "reason"),
    [
        (1, 0, "the run before it is still going"),
        (1, 1, "the run before it is still going, and 1 more is waiting"),
        (0, 1, "the run before it has not begun yet"),
        (0, 3, "the run before it has not begun yet, and 2 more are waiting"),
    ],
)
def test_the_reason_says_what_the_run_before_does(running: int, queued: int, reason: str) -> None:
    found = first_held(Policy(), standing(running=running, queued=queued), NOW)

    assert found is not None
    assert found.reason == reason


def test_a_run_by_hand_takes_nobodys_place() -> None:
    found = first_held(Policy(overlap="cancelOther"), standing(running=1, by_hand=True), NOW)

    assert found is not None
    assert (found.action, found.reason) == (SKIP, "the run before it is still going")


def test_one_that_is_disabled_runs_by_hand() -> None:
    """It says whether a schedule runs by itself, and nothing else."""
    assert first_held(Policy(), standing(enabled=False, by_hand=True), NOW) is None
    found = all_held(Policy(), standing(enabled=False, paused=True, by_hand=True), NOW)
    assert [each.gate for each in found] == ["paused"]


EVERYTHING = {
    "enabled": False, "paused": True, "hours_open": False, "blackout_name": "xmas", "breaker_shut": True,
    "check_ok": False, "memory_mb": 2, "running": 1, "group_running": 1, "group_size": 1,
}  # fmt: skip
SHUT = Policy(outside="skip", check="net", safety={"max_memory_mb": 1}, group="g")


def test_they_are_asked_in_their_order() -> None:
    found = all_held(SHUT, standing(**EVERYTHING), NOW)

    assert [each.gate for each in found] == list(GATES)
    assert list(GATES) == [
        "enabled", "paused", "active hours", "blackout", "cooldown", "reachability", "safety", "overlap", "group",
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(len(GATES)))
def test_the_first_that_is_shut_decides(number: int) -> None:
    opened: list[Callable[[Standing], None]] = [
        lambda its: setattr(its, "enabled", True),
        lambda its: setattr(its, "paused", False),
        lambda its: setattr(its, "hours_open", True),
        lambda its: setattr(its, "blackout_name", ""),
        lambda its: setattr(its, "breaker_shut", False),
        lambda its: setattr(its, "check_ok", True),
        lambda its: setattr(its, "memory_mb", 0),
        lambda its: setattr(its, "running", 0),
    ]
    its = standing(**EVERYTHING)
    for change in opened[:number]:
        change(its)

    found = first_held(SHUT, its, NOW)

    assert found is not None
    assert found.gate == list(GATES)[number]


def test_every_gate_has_a_reason_for_the_row() -> None:
    skips = {each.skip for each in all_held(SHUT, standing(**EVERYTHING), NOW)}

    assert len(skips) == len(GATES)
    assert skips <= set(Skip)
    assert all(each.reason or each.gate == "paused" for each in all_held(SHUT, standing(**EVERYTHING), NOW))


@pytest.mark.parametrize(
    "policy",
    [
        Policy(), Policy(check="internet"), Policy(safety={"max_memory_mb": 1, "max_cpu_percent": 1}),
        Policy(overlap=Overlap.SKIP), Policy(overlap=Overlap.ALLOW, overlap_max=1), Policy(outside=Outside.SKIP),
    ],
)  # fmt: skip
def test_if_all_is_as_usual_no_gate_is_shut(policy: Policy) -> None:
    """So they need not be asked, which they are not."""
    assert Standing(NOW + 60).is_as_usual
    assert all_held(policy, Standing(NOW + 60), NOW) == []


@pytest.mark.parametrize(
    "name", [name for name in vars(Standing) if not name.startswith("_") and name != "is_as_usual"]
)
def test_whatever_is_not_as_usual_is_asked_about(name: str) -> None:
    standing = Standing()
    setattr(standing, name, getattr(Standing, name))

    assert not standing.is_as_usual
