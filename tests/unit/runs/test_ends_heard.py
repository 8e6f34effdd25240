"""An end that waits to be heard is heard before anybody asks who is going on: it costs no slot, and no good name."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.desk import AT, HOUR, DeskWorld, after, cron, job

from supervisor.runs import result
from supervisor.runs.books import LONGEST_S
from supervisor.runs.run import Run
from supervisor.store.bulk import apply_all

OTHERS = "run/x/1-get.1"


def started(world: DeskWorld, name: str = "job") -> Run:
    world.answer()
    world.loop.run_soon()
    return world.run(name)


def ended(world: DeskWorld, run: Run) -> None:
    world.exit(run.key, 0)
    world.desk.exited(run.key, 0, True)


def killed_behind_the_claim(world: DeskWorld) -> DeskWorld:
    """What waits gets to the disk, and nobody hears of it."""
    waiting, world.writer._waiting = world.writer._waiting, []
    apply_all(world.db, waiting)
    return world.kill()


def test_the_next_slot_is_not_lost_to_a_run_that_has_ended(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(AT + HOUR)
    run = started(world)
    world.pass_until(AT + 2 * HOUR - 0.08)
    world.desk.runner._books.asked(OTHERS)
    world.pass_until(AT + 2 * HOUR - 0.05)
    ended(world, run)
    world.pass_until(AT + 2 * HOUR + 1)

    assert world.reasons() == ["run", "claimed"]


def test_one_that_has_ended_is_not_ended_for_its_follower(world: DeskWorld) -> None:
    """B follows A and ends the B before, which has ended together with A."""
    world.open(job(id="a"), job(cron("0 * * * *"), after("a"), id="b", overlap="cancelOther"))
    world.pass_until(AT + HOUR)
    a, b = started(world, "a"), started(world, "b")
    world.pass_time(5)
    world.desk.runner._books.asked(OTHERS)
    ended(world, a)
    ended(world, b)
    world.pass_time(LONGEST_S + 0.1)

    assert world.states("b")[0] == "succeeded"
    assert world.start.signals() == []


@pytest.mark.parametrize("another_begins", [True, False])
def test_an_end_from_before_the_takeover_holds_up_no_slot(world: DeskWorld, another_begins: bool) -> None:
    world.open(job(), job(cron("59 10 * * *"), id="other"))
    world.pass_until(AT + HOUR)
    run = started(world)
    world.pass_until(AT + 2 * HOUR - 61)
    world.writer.is_held = another_begins
    world.pass_until(AT + 2 * HOUR - 60)
    killed_behind_the_claim(world)
    world.exit(run.key, 0)
    world.pass_until(AT + 2 * HOUR + 5)
    world.open()
    world.pass_time(0.001)

    assert world.reasons() == ["run", "claimed"]
    assert world.states()[0] == "succeeded"


def test_one_that_ended_before_the_takeover_does_not_run_too_long(world: DeskWorld) -> None:
    world.open(job(cron("* * * * *")), job(cron("30 * * * *"), id="other"))
    for _ in range(8):
        world.pass_until((world.now // 60 + 1) * 60)
        world.answer()
        world.pass_time(3)
        world.end()
    world.pass_until((world.now // 60 + 1) * 60)
    run = started(world)
    world.kill()
    world.pass_time(3)
    world.exit(run.key, 0)
    world.pass_time(40)
    at = int(world.now)
    world.db.execute(
        "INSERT INTO runs (id, schedule, plugin, trigger, state, claimed, due, nominal)"
        " VALUES ('rzz', 'other', 'other', 'schedule', 'claimed', ?, ?, ?)",
        (at * 1000, at * 1000, at),
    )
    world.open()
    world.pass_time(0.001)

    assert "run.too_long" not in world.kinds()


def test_one_that_was_laid_out_by_a_predecessor_has_one_head_line(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(AT + HOUR - 0.1)
    world.writer.is_held = True
    world.pass_until(AT + HOUR)
    killed_behind_the_claim(world).open()
    world.loop.run_soon()

    assert Path(world.run().log).read_text().count("===") == 1


def test_a_stop_reaches_all_where_no_thread_can_be_made(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    world.open(job(), job(id="other"))
    world.pass_until(AT + HOUR)
    run = started(world)
    Path(run.work, "left").write_text("x")
    world.end(run)
    monkeypatch.setattr(result._thread, "start_new_thread", refuse)
    world.desk.stop_all()

    assert world.start.signals() == [15]
    assert world.kinds().count("run.succeeded") == 1
