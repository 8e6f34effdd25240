"""Killed after an answer, and before the history has what was answered: a successor knows it all the same."""

from __future__ import annotations

from typing import Any

import pytest
from support.desk import AT, DAY, HOUR, LOCKED, DeskWorld, after, cron, job, pause

from supervisor.base.errors import Problem
from supervisor.daemons.schedule_verbs import ScheduleVerbs
from supervisor.model.wishes import Wishes
from supervisor.runs.resuming import end_own, resume

EVERY_MINUTE = cron("* * * * *")
BREAKS_AT_ONCE = {"max_failures": 1, "cooldown": 3600.0}
MANY = {"overlap": "queueAll", "overlap_max": 9, "max_catchup": 9, "spread": 1.0}


class Reply:
    """Of somebody who goes on."""

    done = False

    def send(self, message: dict[str, Any]) -> None: ...
    def fail(self, problem: Problem) -> None:
        raise problem

    def on_closed(self, call: Any) -> None: ...


def resumed(world: DeskWorld) -> None:
    """By a person, who has the answer."""
    ScheduleVerbs(world.desk).table()["resume"]({"names": ["job"]}, Reply())  # type: ignore[arg-type]
    world.loop.run_soon()


def all_ended(world: DeskWorld) -> list[str]:
    """All runs that have begun, after whatever waits for its turn."""
    for _ in range(12):
        world.pass_time(3)
        for run in world.running():
            world.end(run)
    return [row["trigger"] for row in world.rows() if row["started"]]


# what a pause has held


@pytest.mark.parametrize("how", ["once", "catch_up"])
def test_slots_that_were_held_and_are_not_on_the_disk(world: DeskWorld, how: str) -> None:
    """The promise is: neither what it makes up for nor what it has passed may come twice, or be lost."""
    world.open(job(**MANY))
    world.pass_time(60)
    pause(world, on_resume=how)
    world.writer.is_held = world.writer.hangs = True
    world.pass_until(AT + 3.5 * HOUR)
    resume(world.desk, ["job"], "anna")
    world.kill().open()
    assert len(all_ended(world)) == (1 if how == "once" else 3)


@pytest.mark.parametrize("how", ["once", "catch_up"])
@pytest.mark.parametrize("is_killed", [False, True])
def test_a_pause_that_was_ended_while_nothing_ran(world: DeskWorld, how: str, is_killed: bool) -> None:
    world.open(job(**MANY))
    world.pass_time(60)
    pause(world, on_resume=how)
    world.kill()
    world.pass_until(AT + 3.5 * HOUR)
    wishes = Wishes(world.keeps.saved)
    wishes.pause("job", {**(wishes.paused("job") or {}), "until": world.now})
    world.keeps.saved = wishes.as_dict()
    world.pass_time(60)
    world.writer.is_held = world.writer.hangs = is_killed
    world.open()
    if is_killed:
        world.pass_time(0.05)
        world.kill().open()
    assert len(all_ended(world)) == (1 if how == "once" else 3)


def test_nothing_is_kept_once_it_is_made_up_for(world: DeskWorld) -> None:
    world.open(job())
    pause(world, on_resume="once")
    world.pass_until(AT + HOUR + 60)
    resume(world.desk, ["job"], "anna")
    world.pass_time(30)
    world.end()
    assert "job" not in world.keeps.saved

    world.desk.change_wishes(lambda wishes: ["x"] if wishes.enable("x", enabled=False) else [])
    assert "job" not in world.desk.wishes._all


def test_what_a_follower_owes_waits_until_the_history_can_be_read(world: DeskWorld) -> None:
    world.open(job(id="first"), job(after("first"), spread=0.0))
    pause(world, on_resume="once")
    world.pass_until(AT + HOUR + 1)
    world.end("first")
    world.pass_time(5)
    assert world.fates() == ["paused"]
    end_own(world.desk, ["job"])
    assert world.keeps.saved["job"]["owed"]

    world.kill().open(trouble=LOCKED, later=True)
    world.writer.is_held = True
    world.pass_time(5)
    world.learn()
    world.pass_time(30)

    assert len(world.running()) == 1


def test_a_file_that_somebody_has_edited_promises_no_such_runs(world: DeskWorld) -> None:
    world.keeps.saved = {"job": {"promised": {"\ud800": None, "": None, "../../x": 5}}}
    world.open(job())
    assert world.desk.wishes.all_promised() == []


# a cool-down that a person has ended


def test_nobody_has_forgiven_what_has_no_time(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety=BREAKS_AT_ONCE))
    world.pass_time(60)
    world.end()
    row = "breaker='open', breaker_until=?, breaker_opens=1, last_at=NULL, last_run=NULL, streak=0"
    world.db.execute(f"UPDATE schedules SET {row}", ((AT + DAY) * 1000,))
    world.kill().open()
    assert world.plan().breaker.state == "open"


def test_the_end_that_was_forgiven_is_told_once_more(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety=BREAKS_AT_ONCE))
    world.pass_time(60)
    world.writer.is_held = True
    world.end(code=1)
    assert world.plan().breaker.state == "open"
    resumed(world)
    assert world.plan().breaker.state == "closed"

    world.kill().open()

    assert (world.plan().breaker.state, world.plan().breaker.streak) == ("closed", 0)


def test_it_is_kept_while_nobody_can_read_the_history(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety=BREAKS_AT_ONCE))
    world.pass_time(60)
    world.end(code=1)
    world.kill().open(trouble=LOCKED, later=True)
    world.writer.is_held = True
    resumed(world)
    world.kill().open()
    assert world.plan().breaker.state == "closed"


def test_failures_after_it_count_when_the_history_can_be_read(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 3, "cooldown": 3600.0}))
    for _ in range(2):
        world.pass_time(60)
        world.end(code=1)
    world.writer.is_held = True
    resumed(world)
    world.kill().open(trouble=LOCKED, later=True)
    world.writer.is_held = True
    world.pass_time(63)
    world.end(code=1)
    world.learn()
    assert (world.plan().breaker.state, world.plan().breaker.streak) == ("closed", 1)


def test_what_could_not_be_kept_is_not_done_by_half(world: DeskWorld) -> None:
    """A pause and a cool-down, and a disk that is full for the second of them."""
    world.open(job(EVERY_MINUTE, safety=BREAKS_AT_ONCE))
    world.pass_time(60)
    world.end(code=1)
    pause(world, on_resume="once")
    world.pass_time(600)
    save, tries = world.keeps.save_wishes, [0]

    def fails(wishes: Wishes) -> None:
        tries[0] += 1
        if tries[0] == 2:
            raise Problem("no space is left")
        save(wishes)

    world.keeps.save_wishes = fails  # type: ignore[method-assign]
    with pytest.raises(Problem):
        resumed(world)

    assert world.desk.wishes.paused("job") is not None
    assert "owed" not in world.keeps.saved["job"]
