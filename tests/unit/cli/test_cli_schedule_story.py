"""The first line of `why SCHEDULE`: what will hold its next slot, and what only holds now."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_schedules import NOW, schedule_row

from supervisor.base.clock import iso
from supervisor.cli.schedule_story import schedule_story
from supervisor.cli.table import Style
from supervisor.core.zone import UTC


def first_line(*shut: tuple[str, str], **changes: Any) -> str:
    return story(*shut, **changes)[0]


def story(*shut: tuple[str, str], **changes: Any) -> list[str]:
    gates = [{"gate": gate, "open": False, "reason": reason, "until": None} for gate, reason in shut]
    row = schedule_row("mail", **changes)
    facts: dict[str, Any] = {"name": "mail", "standing": "", "row": row, "lines": [], "gates": gates, "slots": []}
    return schedule_story({**facts, "runs": [], "all_paused": False, "at": None}, UTC, NOW, Style())


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        ("active hours", "outside its active hours"),
        ("group", "1 of the group g are running"),
        ("overlap", "the run before it is still going"),
    ],
)
def test_what_holds_now_is_not_said_of_the_next_slot(gate: str, reason: str) -> None:
    assert first_line((gate, reason)) == f"mail is active; next 09:00 (in 1h 0m); now: {reason}"


def test_what_will_hold_the_next_slot_is_said_of_it() -> None:
    reason = "in the blackout noon"
    told = "mail is active; next 09:00 (in 1h 0m), but then: in the blackout noon"
    assert first_line(next_reason=reason) == told
    assert first_line(("blackout", reason), next_reason=reason) == told
    assert first_line(("overlap", "the run before it is still going"), next_reason=reason) == (
        f"{told}; now: the run before it is still going"
    )


def test_one_without_further_slots_says_nothing_of_a_next_one() -> None:
    over = {"status": "finished", "next_run": None, "next_due": None}
    assert first_line(**over) == "mail has no further slots"
    assert first_line(**over, next_reason="it has no further slots") == "mail has no further slots"
    before = "the run before it has not begun yet"
    assert first_line(("overlap", before), **over) == f"mail has no further slots; now: {before}"


PAUSED = {"at": iso(NOW), "by": "anna", "reason": "", "until": None}
BY_ENDS = {"by_ends": True, "next_run": None, "next_due": None, "rule": "after quick has succeeded"}


def test_one_that_goes_by_ends_has_slots_still() -> None:
    """Nobody knows beforehand when that is."""
    assert first_line(**BY_ENDS) == "mail is active; it runs after quick has succeeded"
    assert first_line(**BY_ENDS, status="paused", paused=PAUSED) == (
        "mail is paused since 08:00 by anna; when resumed it runs after quick has succeeded"
    )
    assert first_line(**BY_ENDS, status="running", running=["r_1"]) == (
        "mail is running (r_1); then it runs after quick has succeeded"
    )
    assert first_line(**BY_ENDS, status="cooldown", cooldown_until=iso(NOW + 3600), consecutive_failures=3) == (
        "mail is cooling down until 09:00 after 3 failures in a row; then it runs after quick has succeeded"
    )


def test_one_that_runs_and_is_held_runs_once_more_only_when_that_is_over() -> None:
    running = {"status": "running", "running": ["r_1"]}
    assert first_line(**running, paused=PAUSED) == (
        "mail is running (r_1), and paused since 08:00 by anna; next 09:00 when resumed"
    )
    assert first_line(**running, enabled=False) == "mail is running (r_1), and disabled: it runs by hand only"


@pytest.mark.parametrize(
    ("shut", "run"),
    [([("enabled", "it is disabled")], "mail"), ([("enabled", "it is disabled"), ("paused", "x")], "mail --force")],
)
def test_one_that_is_disabled_is_run_once_without_force(shut: list[tuple[str, str]], run: str) -> None:
    last = story(*shut, status="disabled", enabled=False)[-1]
    assert last == f"next        sbctl schedule enable mail; once: sbctl run {run}"


def test_what_is_said_already_is_not_said_as_now() -> None:
    paused = {"at": iso(NOW), "by": "anna", "reason": "", "until": None}
    text = first_line(("paused", "paused since 8"), status="paused", paused=paused, next_reason="paused since 8")
    assert text.endswith("when resumed")
    running = first_line(("overlap", "the run before it is still going"), status="running", running=["r_1"])
    assert running == "mail is running (r_1); next 09:00"
