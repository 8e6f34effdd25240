"""Schedules of the same rule share what makes their slots, and none has the slots of another rule for that."""

from __future__ import annotations

from typing import Any

import pytest
from support.desk import AT, HOUR, after, cron, every, job

from supervisor.base import zones
from supervisor.model.schedule import Catalogue, Policy, Schedule
from supervisor.runs.plan import Maker

SHARED = Policy()


def maker() -> Maker:
    return Maker(Catalogue(None), zones.zone, "seed")


def two(triggers: list[dict[str, Any]], *policies: Policy, zone: str = "UTC") -> list[Schedule]:
    """As a catalogue has them: what is equal is one object."""
    made = [job(id=name, zone=zone) for name in ("one", "two")]
    for schedule, policy in zip(made, policies or (SHARED, SHARED), strict=True):
        schedule.triggers, schedule.policy = triggers, policy
    return made


@pytest.mark.parametrize("trigger", [cron("*/7 3-20 * * 1-5"), every(HOUR), after("other")])
def test_one_timeline_is_for_all_of_one_rule(trigger: dict[str, Any]) -> None:
    make = maker()
    one, two_ = (make.plan(schedule, AT) for schedule in two([trigger]))

    assert one.rule.times is two_.rule.times
    assert one.rule is not two_.rule


def test_an_interval_is_counted_from_its_own_anchor() -> None:
    make = maker()
    one, other = two([every(HOUR)])
    first, second = make.plan(one, AT).rule.times, make.plan(other, AT + 100).rule.times

    assert [times.next(AT + 100).at for times in (first, second)] == [AT + HOUR, AT + HOUR + 100]  # type: ignore[union-attr]


@pytest.mark.parametrize("line", ["H * * * *", "h H * * *", "@hourly", "5 * * * THU"])
def test_a_minute_of_its_own_is_its_own(line: str) -> None:
    make = maker()
    shared = [make.plan(schedule, 0).rule.times.next(AT) for schedule in two([cron(line)])]
    alone = [maker().plan(schedule, 0).rule.times.next(AT) for schedule in two([cron(line)])]

    assert shared == alone
    assert (alone[0] == alone[1]) == ("h " not in line.lower())  # or nothing is shown by it


def test_other_dates_and_other_zones_are_other_slots() -> None:
    make = maker()
    for policies, zone in (((SHARED, Policy(valid_from=AT + 5 * HOUR)), "UTC"), ((SHARED, SHARED), "Asia/Kolkata")):
        plain, other = two([cron("0 * * * *")], *policies)
        other.zone = zone
        assert make.plan(plain, 0).rule.times.next(AT) != make.plan(other, 0).rule.times.next(AT)


def test_a_rule_that_has_gone_gives_its_place_to_nobody() -> None:
    """Rules are known by where they stand in memory, and memory is used again."""
    make = maker()
    for minute in range(60):
        plan = make.plan(job(cron(f"{minute} * * * *")), 0)
        fire = plan.rule.times.next(AT - 1)
        del plan
        assert fire is not None
        assert fire.at == AT + 60 * minute
