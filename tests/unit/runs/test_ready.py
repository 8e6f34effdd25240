"""What is due in a moment is made ready beforehand, and holds only if nothing has changed when the moment comes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, cron, every, job

from supervisor.model.launch import Launch
from supervisor.runs import planner as planners
from supervisor.runs.ready import AHEAD_S, HOLDS_S

SHORTLY_BEFORE = AT + HOUR - AHEAD_S / 2


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was judged when it was due."""
    names: list[str] = []
    judge = planners.judge

    def noted(rule: Any, cursor: int, now: float) -> Any:
        names.append(rule.key)
        return judge(rule, cursor, now)

    monkeypatch.setattr(planners, "judge", noted)
    return names


def test_nothing_is_judged_when_it_is_due(world: DeskWorld, judged: list[str]) -> None:
    world.open(*(job(id=f"job{number}") for number in range(50)))
    world.pass_until(SHORTLY_BEFORE)
    assert world.start.spawns() == []
    assert world.db.execute("SELECT count(*) FROM runs").fetchone() == (0,)

    world.pass_until(AT + HOUR)

    assert len(world.start.spawns()) == 50
    assert judged == []
    rows = world.db.execute("SELECT claimed, due FROM runs").fetchall()
    assert {row[0] for row in rows} == {row[1] for row in rows} == {(AT + HOUR) * 1000}
    assert {slot["decided"] for slot in world.slots("job7")} == {(AT + HOUR) * 1000}


def test_what_has_no_room_any_more_is_not_looked_for_until_it_is_due(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timer that is due at once, again and again, would take a processor for that half a second."""
    monkeypatch.setattr(planners, "AT_A_TURN", 3)
    looks: list[float] = []
    look = planners.Planner._look_ahead

    def counted(planner: planners.Planner, now: float) -> None:
        looks.append(now)
        assert len(looks) < 100, "it turns in a circle"
        look(planner, now)

    monkeypatch.setattr(planners.Planner, "_look_ahead", counted)
    world.open(*(job(id=f"job{number}") for number in range(8)), job(cron("59 * * * *"), id="before"))
    world.pass_until(SHORTLY_BEFORE)
    assert len(world.desk.planner._coming) == 3

    world.pass_until(AT + HOUR)
    assert len(world.start.spawns()) == 9
    assert {slot["decided"] for slot in world.slots("job7")} == {(AT + HOUR) * 1000}


def test_the_next_slot_comes_as_well(world: DeskWorld) -> None:
    world.open(job(cron("*/5 * * * *")))
    for _ in range(4):
        world.pass_time(300)
        world.end(world.running()[0])

    assert len(world.slots()) == 4


def test_other_commands_in_the_last_moment_count(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(SHORTLY_BEFORE)
    world.catalogue.commands = {"job": {"get": Launch(argv=("other",), cwd="/", log=os.devnull)}}
    world.reload(job())
    world.pass_until(AT + HOUR)

    assert [launch.argv for launch in world.start.launches.values()] == [("other",)]


def test_a_pause_in_the_last_moment_counts(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(SHORTLY_BEFORE)
    Path(world.home.pause_file).touch()
    world.pass_until(AT + HOUR)

    assert world.start.spawns() == []
    assert [slot["reason"] for slot in world.slots()] == ["paused"]
    assert world.db.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_other_settings_in_the_last_moment_count(world: DeskWorld) -> None:
    world.open(job(), job(id="gone"))
    world.pass_until(SHORTLY_BEFORE)
    world.reload(job(cron("30 * * * *")))
    world.pass_until(AT + HOUR + 60)
    assert world.start.spawns() == []

    world.pass_until(AT + HOUR + HOUR / 2)
    assert len(world.start.spawns()) == 1


@pytest.mark.parametrize("by", [-0.9, -HOUR, -4 * HOUR, 0.9, HOUR, 4 * HOUR])
def test_a_clock_that_is_set_in_the_last_moment(world: DeskWorld, by: float) -> None:
    world.open(job())
    world.pass_until(SHORTLY_BEFORE)
    world.jump_wall(by)
    for _ in range(8):
        world.pass_time(HOUR)
        for run in world.running():
            world.end(run)
    slots = [(slot["nominal"], slot["nominal_to"]) for slot in world.slots()]

    assert len(set(slots)) == len(slots)
    assert world.now - AT >= len(world.start.spawns()) * HOUR - abs(by)
    assert max(last for _, last in slots) >= world.now - HOUR


def test_later_than_it_holds_it_is_judged_anew(world: DeskWorld, judged: list[str]) -> None:
    world.open(job())
    world.pass_until(SHORTLY_BEFORE)
    world.sleep(HOLDS_S + 1)
    world.pass_time(0.1)

    assert judged == ["job"]
    assert len(world.start.spawns()) == 1


def test_what_comes_late_may_be_due_first(world: DeskWorld) -> None:
    """One that was made ready for later does not hold up what is due before it."""
    world.open(job())
    world.pass_until(SHORTLY_BEFORE)
    second_before = {"kind": "cron", "expr": "59 59 * * * *", "seconds": True}
    late = [job(second_before, id=f"late{number}", jitter=1.0) for number in range(100)]
    world.reload(job(), *late)
    for plan in world.desk.plans.values():
        plan.cursor, plan.wake = min(plan.cursor, AT + HOUR - 2), None
        world.desk.planner.look(plan)
    world.pass_until(AT + HOUR)
    lateness = [late_ms for (late_ms,) in world.db.execute("SELECT late_ms FROM runs WHERE schedule LIKE 'late%'")]

    assert len(lateness) == 100
    assert sum(each == 0 for each in lateness) > 5  # those that were due after their settings came


def test_after_its_end_is_found_when_it_is_due(world: DeskWorld) -> None:
    world.open(job(every(HOUR, after_finish=True)))
    world.end(world.run())
    world.pass_time(HOUR + 1)

    assert len(world.start.spawns()) == 2


def test_a_defect_of_one_costs_no_other(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.open(job(id="bad"), job(id="good"))
    make_run = world.desk.admission.make_run
    errors: list[BaseException] = []
    monkeypatch.setattr(world.loop, "_report", errors.append)

    def broken(slot: Any, wall: float) -> Any:
        if slot.plan.id == "bad":
            raise RuntimeError("a defect")
        return make_run(slot, wall)

    monkeypatch.setattr(world.desk.admission, "make_run", broken)
    world.pass_until(AT + HOUR + 10)

    assert len(world.running("good")) == 1
    assert 1 <= len(errors) <= 3  # told, and not in a circle
