"""A claim that comes to nothing takes up nothing any more: whoever waited for that goes on at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.desk import AT, HOUR, DeskWorld, cron, job

from supervisor.model.schedule import Schedule
from supervisor.store.rows import SlotRow

SECOND = cron("1 10 * * *")


def is_taken(world: DeskWorld) -> None:
    """Somebody had the slot: a history that was put back, say."""


def is_removed(world: DeskWorld) -> None:
    world.reload(waits())


def is_disabled(world: DeskWorld) -> None:
    assert world.desk.change_wishes(lambda wishes: ["a"] if wishes.enable("a", False) else [])


def goes_elsewhere(world: DeskWorld) -> None:
    world.reload(job(SECOND, id="a", group="h", ledger="required"), waits())
    is_disabled(world)


def waits() -> Schedule:
    return job(id="b", group="g", grace=float(HOUR), safety={"max_memory_mb": 1})


def a_place_that_is_claimed(world: DeskWorld, how: object = None) -> None:
    """One waits for the only place of a group, which a claim has taken that does not get to the disk."""
    world.catalogue.groups.update(g=1, h=1)
    world.open(job(SECOND, id="a", group="g", ledger="required"), waits())
    world.load.memory = 2.0
    world.pass_until(AT + HOUR + 59)
    assert len(world.plan("b").queued) == 1
    world.writer.is_held = world.writer.hangs = True
    if how is is_taken:
        world.writer.skip([SlotRow("a", AT + HOUR + 60, outcome="skipped", reason="paused")])
    world.pass_time(5)
    world.load.memory = 0.0
    world.pass_time(30)
    assert (world.desk.claims.in_group("g"), world.start.spawns()) == (1, [])


@pytest.mark.parametrize("how", [is_taken, is_removed, is_disabled, goes_elsewhere])
def test_its_place_goes_to_the_next(world: DeskWorld, how: Callable[[DeskWorld], None]) -> None:
    a_place_that_is_claimed(world, how)
    how(world)
    world.writer.is_held = world.writer.hangs = False
    world.writer.write()
    world.loop.run_soon()

    assert [run.schedule for run in world.desk.runner.runs.values()] == ["b"]


def test_so_does_that_of_one_whose_ledger_is_required(world: DeskWorld) -> None:
    a_place_that_is_claimed(world)
    world.writer.hangs = False
    world.pass_time(1)

    assert [run.schedule for run in world.desk.runner.runs.values()] == ["b"]
