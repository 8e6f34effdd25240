"""Who waits for a place in a group: asked when there is one, in order, however many wait."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, cron, job

EVERY_MINUTE = cron("* * * * *")


def count_questions(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often it is asked for each schedule whether it may run."""
    asked: Counter[str] = Counter()
    standing = world.desk.admission.standing

    def counted(plan: Any, *args: Any, **more: Any) -> Any:
        asked[plan.id] += 1
        return standing(plan, *args, **more)

    monkeypatch.setattr(world.desk.admission, "standing", counted)
    return asked


def going(world: DeskWorld) -> list[str]:
    return [run.schedule for run in world.desk.runner.runs.values()]


@pytest.mark.parametrize("number", [20, 80])
def test_each_is_asked_when_there_is_a_place_and_not_with_each_end(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    world.catalogue.groups["g"] = 4
    names = [f"j{each:03}" for each in range(number)]
    world.open(*(job(id=name, group="g") for name in names))
    asked = count_questions(world, monkeypatch)
    world.pass_until(AT + HOUR)
    begun = going(world)
    assert len(begun) == 4
    while runs := list(world.desk.runner.runs.values()):
        world.end(runs[0])
        begun += [name for name in going(world) if name not in begun]

    assert begun == names
    assert {world.states(name)[0] for name in names} == {"succeeded"}
    assert max(asked.values()) <= 4  # when it is due, with its claim, when it begins


def test_an_end_elsewhere_is_nothing_to_those_that_wait(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.catalogue.groups["g"] = 1
    world.open(job(id="holder", group="g"), *(job(id=f"j{each}", group="g") for each in range(9)),
               job(EVERY_MINUTE, id="other"))  # fmt: skip
    world.pass_until(AT + HOUR)
    asked = count_questions(world, monkeypatch)

    world.end("other")

    assert not asked
    assert going(world) == ["holder"]


def test_a_place_is_given_on_by_a_run_whose_schedule_is_in_another_group_by_now(world: DeskWorld) -> None:
    world.catalogue.groups.update(g=1, h=1)
    world.open(job(id="a", group="g"), job(id="b", group="g"))
    world.pass_until(AT + HOUR)
    world.reload(job(id="a", group="h"), job(id="b", group="g"))
    assert going(world) == ["a"]

    world.end("a")

    assert going(world) == ["b"]


def test_or_has_been_removed(world: DeskWorld) -> None:
    world.catalogue.groups["g"] = 1
    world.open(job(id="a", group="g"), job(id="b", group="g"))
    world.pass_until(AT + HOUR)
    run = world.run("a")
    world.reload(job(id="b", group="g"))

    world.end(run)

    assert going(world) == ["b"]


def test_in_a_queue_its_next_run_is_one_of_those_that_wait(world: DeskWorld) -> None:
    """At the same second: in the order of the settings, also where its own run was the one that has ended."""
    world.catalogue.groups["g"] = 1
    world.open(*(job(EVERY_MINUTE, id=name, group="g", overlap="queueOne") for name in "abc"))
    world.pass_until(AT + 60)
    began = []
    for _ in range(7):
        began += going(world)
        world.end(world.desk.runner.runs[next(iter(world.desk.runner.runs))])
        world.pass_time(20)

    assert began[:4] == ["a", "b", "c", "a"]
    assert Counter(began).most_common()[-1][1] >= 2


def test_who_waits_for_room_on_the_machine_is_asked_with_each_end(world: DeskWorld) -> None:
    """The run that has ended may have been what took it."""
    world.open(job(id="big"), job(id="shy", grace=HOUR, safety={"max_memory_mb": 100}))
    world.load.memory = 200.0
    world.pass_until(AT + HOUR + 1)
    assert going(world) == ["big"]
    world.load.memory = 50.0

    world.end("big")

    assert going(world) == ["shy"]


def test_the_heartbeat_asks_those_behind_a_full_group_too(world: DeskWorld) -> None:
    """They may have waited for too long."""
    world.catalogue.groups["g"] = 1
    world.open(job(id="a", group="g"), job(id="b", group="g", window=60.0))
    world.pass_until(AT + HOUR)
    world.pass_time(90)
    assert world.plan("b").queued

    world.beat()

    assert world.plan("b").queued == ()
    assert world.reasons("b") == ["not_started"]
