"""What is only for the books of a beginning waits until all that was asked for has begun, and nothing is lost by it."""

from __future__ import annotations

import pytest
from support.desk import AT, HOUR, DeskWorld, job

from supervisor.model.run import RunState
from supervisor.runs.books import LONGEST_S
from supervisor.runs.run import run_of

FIRST = "first"  # due in the same second: it is asked for before the other, which is so no longer alone


def begun(world: DeskWorld) -> None:
    world.open(job(id=FIRST), job())
    world.pass_until(AT + HOUR)
    assert [run_of(key) for key in world.start.spawns()] == [world.run(FIRST).id, world.run().id]


def test_the_journal_has_it_before_the_process_is_asked_for(world: DeskWorld) -> None:
    told: list[int] = []
    world.start.on_spawn = lambda _key: told.append(world.kinds().count("run.started"))
    begun(world)

    assert told == [1, 2]


def test_the_rows_come_with_the_last_answer(world: DeskWorld) -> None:
    begun(world)
    world.desk.spawned(world.run(FIRST).key, 4000, 1)
    world.loop.run_soon()
    assert world.states() == ["claimed"]
    assert len(world.steps()) <= 1

    world.answer()
    world.loop.run_soon()

    assert world.states() == ["running"]
    assert world.rows()[0]["started"] == (AT + HOUR) * 1000
    assert world.steps() == [("get", 1, "running")] * 2


def test_they_do_not_wait_for_ever(world: DeskWorld) -> None:
    begun(world)

    world.pass_time(LONGEST_S)

    assert world.states() == ["running"]


def test_one_that_can_not_be_started_has_its_end_after_its_beginning(world: DeskWorld) -> None:
    begun(world)
    world.fail_to_start(world.run(), "no such program")
    world.pass_time(LONGEST_S)

    assert world.states() == ["failed"]
    assert world.rows()[0]["started"] == (AT + HOUR) * 1000
    assert [state for _, _, state in world.steps()] == ["running", "failed"]
    assert [kind for kind in world.kinds("job") if kind.startswith("run.")] == ["run.started", "run.failed"]


def test_one_that_is_asked_to_end_meanwhile_has_its_rows_in_order(world: DeskWorld) -> None:
    begun(world)
    run = world.run()
    world.desk.runner.end(run, RunState.CANCELLED, "by anna", now=True)
    world.end(run, signal=9)
    world.pass_time(LONGEST_S)

    assert world.states() == ["cancelled"]
    assert world.rows()[0]["started"] is not None


@pytest.mark.parametrize("is_over", [False, True])
def test_a_scheduler_that_is_killed_meanwhile_leaves_no_gap(world: DeskWorld, is_over: bool) -> None:
    begun(world)
    run = world.run()
    if is_over:
        world.exit(run.key, 0)
    world.kill().open()
    world.pass_time(1)
    if not is_over:
        assert [(state, attempt) for _, attempt, state in world.steps()] == [("running", 1)] * 2
        world.end()
    world.pass_time(1)

    assert world.states() == ["succeeded"]
    assert world.rows()[0]["started"] == (AT + HOUR) * 1000
    assert world.kinds("job").count("run.started") == 1
