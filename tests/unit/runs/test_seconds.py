"""Two ends within one second: each has a slot of its own, whoever is killed between them."""

from __future__ import annotations

from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, after, cron, job

from supervisor.model.run import Trigger
from supervisor.runs.slot import Slot

NEVER = cron("0 0 1 1 *")


def two_and_who_follows(world: DeskWorld, **policy: Any) -> None:
    """x and y run, and b is to follow each."""
    world.open(job(id="x"), job(id="y"), job(after("x"), after("y"), id="b", **policy))
    world.pass_until(AT + HOUR)


def test_each_of_two_ends_in_one_second_is_followed(world: DeskWorld) -> None:
    two_and_who_follows(world, overlap="queueAll", overlap_max=5)
    world.end("x")
    world.pass_time(0.02)
    world.end("b")
    world.pass_time(0.5)
    world.end("y")
    assert world.run("b").nominal == AT + HOUR + 1
    world.end("b")

    assert [(row["nominal"] - AT - HOUR, row["outcome"]) for row in world.slots("b")] == [(0, "run"), (1, "run")]
    assert world.start.launches[world.start.spawns()[-1]].env["SB_NOMINAL_TIME"] == str(AT + HOUR + 1)


def test_two_ends_of_one_schedule_in_one_second_are_both_followed(world: DeskWorld) -> None:
    world.open(job(cron("* * * * *"), id="x", overlap="allow", overlap_max=3), job(after("x"), id="b"))
    world.pass_until(AT + 120)
    for run in world.running("x"):
        world.end(run)

    assert [run.nominal for run in world.running("b")] == [AT + 120]
    assert [(row["nominal"] - AT, row["reason"]) for row in world.slots("b")] == [(120, None), (121, "overlap")]
    assert [row["note"].partition("after run ")[1] for row in world.slots("b")] == ["after run "] * 2


def test_each_that_is_held_has_a_row(world: DeskWorld) -> None:
    two_and_who_follows(world, enabled=False)
    world.end("x")
    world.end("y")

    assert world.outcomes("b") == [(AT + HOUR, "disabled"), (AT + HOUR + 1, "disabled")]


@pytest.mark.parametrize("enabled", [True, False])
def test_it_is_lost_to_none_that_a_predecessor_has_decided(world: DeskWorld, enabled: bool) -> None:
    """Of which only the history knows: that one has ended."""
    two_and_who_follows(world, enabled=enabled)
    world.end("x")
    if enabled:
        world.end("b")
    world.kill()
    world.pass_time(0.01)
    world.end(world.start.spawns()[1])
    world.open().pass_time(0.1)
    if enabled:
        assert world.run("b").nominal == AT + HOUR + 1
        world.end("b")

    assert [row["nominal"] - AT - HOUR for row in world.slots("b")] == [0, 1]


def test_an_end_that_is_told_again_is_followed_once(world: DeskWorld) -> None:
    """Neither is on the disk: a successor finds both ends, and that one of them has its run."""
    two_and_who_follows(world, overlap="allow", overlap_max=5)
    world.writer.is_held = world.writer.hangs = True
    world.end("x")
    world.end("y")
    world.pass_time(3)
    assert [run.nominal for run in world.running("b")] == [AT + HOUR, AT + HOUR + 1]
    world.kill().open()

    assert [run.nominal for run in world.running("b")] == [AT + HOUR, AT + HOUR + 1]
    assert [(row["nominal"] - AT - HOUR) for row in world.slots("b")] == [0, 1]
    assert len(world.start.spawns()) == 4


def test_an_end_at_a_time_of_its_own_has_the_next_second(world: DeskWorld) -> None:
    world.open(job(id="x"), job(after("x"), cron("0 * * * *"), id="b", overlap="allow", overlap_max=5))
    world.pass_until(AT + HOUR)
    world.end("x")

    assert sorted(run.nominal or 0 for run in world.running("b")) == [AT + HOUR, AT + HOUR + 1]


def test_a_minute_of_ends_has_a_slot_for_each(world: DeskWorld) -> None:
    names = [f"x{number}" for number in range(40)]
    follows = job(*(after(name) for name in names), id="b", overlap="queueAll", overlap_max=100)
    world.open(*(job(id=name) for name in names), follows)
    world.pass_until(AT + HOUR)
    for name in names:
        world.end(name)
    while world.running("b"):
        world.end("b")

    assert [row["nominal"] - AT - HOUR for row in world.slots("b")] == list(range(40))
    assert world.states("b") == ["succeeded"] * 40


def test_one_that_was_claimed_and_does_not_begin_still_names_its_end(world: DeskWorld) -> None:
    """By that a successor who is told of the same end knows that it has its slot."""
    world.open(job(id="up"), job(after("up", delay=60.0), id="follows"))
    world.pass_until(AT + HOUR)
    end = world.run("up").id
    world.end("up")
    world.desk.change_wishes(lambda wishes: ["follows"] if wishes.enable("follows", False) else [])
    world.pass_time(90)

    assert [row["outcome"] for row in world.slots("follows")] == ["skipped"]
    assert world.slots("follows")[0]["note"].endswith(f"; after run {end}")


@pytest.mark.timeout(20)
def test_where_each_second_is_a_slot_already_one_of_them_is_for_both(world: DeskWorld) -> None:
    """There is no free one to be found, and it is not looked for for ever."""
    world.open(job(NEVER, id="x"), job({**cron("* * * * * *"), "seconds": True}, after("x"), id="b"))
    world.pass_time(3)
    world.end("b")
    world.desk.claims.claim(Slot(world.plan("x"), AT + 3, AT + 3, Trigger.SCHEDULE))
    world.loop.run_soon()
    world.end("x")
    world.pass_time(5)

    assert len([row for row in world.slots("b") if "after run" in (row["note"] or "")]) == 1
    nominal = [row["nominal"] - AT for row in world.slots("b")]
    assert nominal == sorted(set(nominal))
