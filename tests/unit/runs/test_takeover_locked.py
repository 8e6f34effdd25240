"""What a desk does with what its predecessor left, while the history is locked and that stands beside it alone."""

from __future__ import annotations

import pytest
from support.desk import AT, HOUR, LOCKED, DeskWorld, after, job


def die(world: DeskWorld) -> DeskWorld:
    """In the midst of it: what waits is in the file beside the history, and the note of each end is still there."""
    world.writer.keep()
    world.kill()
    world.writer.is_held = True
    return world


@pytest.mark.parametrize("again", [1, 2])
@pytest.mark.parametrize("policy", [{"overlap": "queueAll"}, {"overlap": "cancelOther"}])
def test_who_follows_and_still_waits_does_so_once(world: DeskWorld, policy: dict[str, str], again: int) -> None:
    world.open(job(id="s"), job(after("s", "succeeded", 15.0), id="n", **policy))
    world.pass_until(AT + HOUR)
    world.writer.is_held = True
    world.end("s")
    for _ in range(again):
        world.pass_time(3)
        die(world).open(locked=LOCKED)
    assert world.plan("s").total == 1
    world.pass_time(30)
    world.writer.is_held = False
    world.writer.write()
    world.loop.run_soon()
    world.end("n")

    assert world.outcomes("n") == [(AT + HOUR + 15, "run")]
    assert world.states("n") == ["succeeded"]
    assert (world.plan("s").total, world.kinds("s").count("run.succeeded")) == (1, 1)


def test_a_failure_that_is_known_counts_once(world: DeskWorld) -> None:
    world.open(job(id="bad", safety={"max_failures": 3, "cooldown": 1800.0}))
    world.pass_until(AT + HOUR)
    world.writer.is_held = True
    world.end("bad", 1)
    for _ in range(3):
        die(world).open(locked=LOCKED)
        assert (world.plan("bad").failed, world.plan("bad").breaker.streak) == (1, 1)
    world.writer.write()
    world.loop.run_soon()

    assert world.plan("bad").breaker.state == "closed"
    assert world.start.notes == {}


def test_an_end_that_nobody_has_kept_still_counts_and_is_followed(world: DeskWorld) -> None:
    world.open(job(id="s"), job(after("s"), id="n"))
    world.pass_until(AT + HOUR)
    world.writer.is_held = True
    world.end("s")
    world.kill().open(locked=LOCKED)  # not even beside it

    assert world.plan("s").succeeded == 1
    assert world.states("s") == ["succeeded"]
    assert len(world.running("n")) == 1


def test_an_end_of_a_run_that_began_without_its_claim_counts_once(world: DeskWorld) -> None:
    world.open(job(id="s"), job(after("s", "succeeded", 15.0), id="n"))
    world.writer.is_held = True
    world.pass_until(AT + HOUR + 3)
    assert world.run("s").unledgered
    world.end("s")
    die(world).open(locked=LOCKED)
    world.writer.write()
    world.pass_time(60)

    assert (world.plan("s").total, len(world.rows("n"))) == (1, 1)


def test_a_claim_that_waits_has_its_end_though_that_end_is_told_again(world: DeskWorld) -> None:
    """The end itself was dropped, as too much waited."""
    world.open(job(id="s"), job(after("s", "succeeded", 15.0), id="n", overlap="queueAll"))
    world.pass_until(AT + HOUR)
    world.end("s")
    notes = dict(world.start.notes)
    run = world.rows("s")[0]["id"]
    world.db.execute("UPDATE runs SET state = 'running', ended = NULL WHERE id = ?", (run,))
    world.kill()
    world.start.notes = {**notes, **world.start.notes}
    world.pass_time(1)
    world.open(locked=LOCKED)
    world.writer.is_held = True
    world.pass_time(30)

    assert [each.after for each in world.running("n")] == [run]


def test_a_run_that_waited_still_names_the_end_that_it_follows(world: DeskWorld) -> None:
    world.open(job(id="s"), job(after("s", "succeeded", 15.0), id="n"))
    world.pass_until(AT + HOUR)
    world.end("s")
    world.kill().open()
    world.pass_time(20)

    assert world.run("n").after == world.rows("s")[0]["id"]


@pytest.mark.parametrize("dead", [False, True])
def test_a_run_of_a_time_to_come_moves_nobody_there(world: DeskWorld, dead: bool) -> None:
    """It began without its claim on the disk; then the clock was set right, by a day."""
    world.clocks.jump_wall(24 * HOUR)
    world.open(job(overlap="allow"))
    world.writer.is_held = True
    world.pass_time(HOUR + 5)
    assert len(world.running()) == 1
    if not dead:
        world.jump_wall(-24 * HOUR)
        world.pass_time(60)
    die(world)
    if dead:
        world.clocks.jump_wall(-24 * HOUR)
    world.open(locked=LOCKED)
    world.writer.is_held = False
    world.writer.write()
    world.loop.run_soon()
    began = len(world.start.spawns())
    world.pass_time(3 * HOUR)

    assert len(world.start.spawns()) - began == 3
