"""Named checks: asked when a slot wants to know, one at a time, and for how long an answer counts."""

from __future__ import annotations

import pytest
from support.desk import AT, HOUR, DeskWorld, cron, job

EVERY_MINUTE = cron("* * * * *")


@pytest.fixture
def checked(world: DeskWorld) -> DeskWorld:
    world.catalogue.checks["net"] = {"argv": ["ping", "-c1"], "timeout": 5.0, "fresh": 90.0, "exec": True}
    return world


def asked(world: DeskWorld) -> list[str]:
    return [key for key in world.start.spawns() if "~check" in key]


def answer(world: DeskWorld, code: int = 0) -> None:
    world.end(asked(world)[-1], code)


def test_nobody_is_asked_while_nobody_wants_to_know(checked: DeskWorld) -> None:
    checked.open(job(check="net"))
    checked.pass_time(HOUR - 1)

    assert asked(checked) == []


def test_a_slot_waits_for_the_answer_and_begins_with_it(checked: DeskWorld) -> None:
    checked.open(job(check="net"))
    checked.pass_until(AT + HOUR + 1)
    assert checked.running() == []
    answer(checked)

    assert checked.run().nominal == AT + HOUR
    assert [row["nominal"] for row in checked.rows()] == [AT + HOUR]


def test_a_slot_whose_check_says_no_is_skipped(checked: DeskWorld) -> None:
    checked.open(job(check="net"))
    checked.pass_until(AT + HOUR)
    answer(checked, 1)

    assert (checked.reasons(), checked.rows()) == (["unreachable"], [])
    assert checked.texts("check.failed") == ["net is not reachable: exit code 1"]


def test_many_that_want_to_know_ask_once(checked: DeskWorld) -> None:
    checked.open(*(job(id=f"j{number}", check="net") for number in range(50)))
    checked.pass_until(AT + HOUR + 1)
    assert len(asked(checked)) == 1
    answer(checked)

    assert len(checked.desk.runner.runs) == 50


def test_an_answer_counts_for_a_while(checked: DeskWorld) -> None:
    checked.open(job(EVERY_MINUTE, check="net", overlap="allow"))
    checked.pass_time(60)
    answer(checked)
    checked.pass_time(60)
    assert len(asked(checked)) == 1
    checked.pass_time(60)

    assert len(asked(checked)) == 2


def test_no_answer_in_time_is_no(checked: DeskWorld) -> None:
    checked.open(job(check="net"))
    checked.pass_until(AT + HOUR + 5)
    assert checked.start.signals() == [9]
    checked.end(asked(checked)[0], signal=9)

    assert checked.reasons() == ["unreachable"]
    assert "no answer in time" in str(checked.slots()[0]["note"])


def test_one_that_can_not_be_asked_is_no(checked: DeskWorld) -> None:
    from supervisor.model.cause import Cause, CauseKind

    checked.open(job(check="net"))
    checked.pass_until(AT + HOUR)
    checked.desk.spawn_failed(asked(checked)[0], Cause(CauseKind.SYSTEM, "start is dead"))
    checked.loop.run_soon()

    assert checked.reasons() == ["unreachable"]
    assert "start is dead" in str(checked.slots()[0]["note"])


def test_that_it_is_reachable_again_is_told_once(checked: DeskWorld) -> None:
    checked.open(job(EVERY_MINUTE, check="net"))
    for code in (0, 1, 1, 0, 0):
        checked.pass_time(120)
        answer(checked, code)

    assert [kind for kind in checked.kinds() if kind.startswith("check.")] == ["check.failed", "check.recovered"]


def test_a_check_that_the_settings_do_not_have_is_no(world: DeskWorld) -> None:
    world.open(job(check="net"))
    world.pass_until(AT + HOUR)

    assert world.reasons() == ["unreachable"]


def test_an_answer_that_nobody_waits_for_is_dropped(checked: DeskWorld) -> None:
    checked.open(job(check="net"))
    checked.desk.spawned("run/~check/net.5", 1, 1)
    checked.desk.exited("run/~check/net.5", 0, True)

    assert ("drop", "run/~check/net.5") in checked.start.asked


def test_waiting_for_an_answer_costs_no_time(checked: DeskWorld) -> None:
    checked.catalogue.checks["net"]["timeout"] = 1000.0
    checked.open(job(check="net"))
    checked.pass_until(AT + HOUR)
    looks: list[str] = []
    verdict = checked.desk.reach.verdict
    checked.desk.reach.verdict = lambda name, **more: looks.append(name) or verdict(name, **more)  # type: ignore[method-assign, func-returns-value]
    checked.pass_time(300)

    assert len(looks) <= 10


# other settings


def reload_with(world: DeskWorld, **changed: object) -> None:
    world.catalogue.checks = {"net": {**world.catalogue.checks["net"], **changed}}
    world.reload(job(EVERY_MINUTE, check="net"))


@pytest.mark.parametrize(("changed", "asks"), [({"argv": ["ping", "elsewhere"]}, 2), ({}, 1)])
def test_an_answer_says_nothing_of_a_check_that_was_changed(
    checked: DeskWorld, changed: dict[str, object], asks: int
) -> None:
    checked.open(job(EVERY_MINUTE, check="net"))
    checked.pass_time(60)
    answer(checked)
    checked.end()
    reload_with(checked, **changed)
    checked.pass_time(60)

    assert len(asked(checked)) == asks
    assert len(checked.running()) == 2 - asks


def test_who_waits_for_an_answer_gets_that_of_the_changed_check(checked: DeskWorld) -> None:
    checked.open(job(EVERY_MINUTE, check="net"))
    checked.pass_time(60)
    reload_with(checked, argv=["ping", "elsewhere"], timeout=9.0)
    old, new = asked(checked)
    assert (old in checked.start.entries, new in checked.start.entries) == (False, True)
    checked.desk.exited(old, 0, True)
    checked.pass_time(6)
    assert (checked.running(), checked.start.signals()) == ([], [])
    checked.end(new)

    assert checked.run().nominal == AT + 60


def test_a_changed_check_that_is_reachable_ends_what_was_told_of_the_old_one(checked: DeskWorld) -> None:
    checked.open(job(EVERY_MINUTE, check="net"))
    for code in (1, 0):
        checked.pass_time(60)
        answer(checked, code)
        reload_with(checked, argv=["ping", f"elsewhere {code}"])

    assert [kind for kind in checked.kinds() if kind.startswith("check.")] == ["check.failed", "check.recovered"]
