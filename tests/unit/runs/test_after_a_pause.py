"""What is made up for after a pause runs, or leaves a row that says why not: no number of a run is drawn in vain."""

from __future__ import annotations

import os

import pytest
from support.desk import AT, HOUR, DeskWorld, after, cron, every, job, pause

EVERY_MINUTE = cron("* * * * *")
SPREAD = 2.0


def end_each(world: DeskWorld, seconds: float = 3, times: int = 6, name: str = "job") -> None:
    """Every run takes so long."""
    for _ in range(times):
        world.pass_time(seconds)
        for run in world.running(name):
            world.end(run)


def stood_for(world: DeskWorld) -> list[int]:
    """Minutes after the beginning, of the runs that were made up for."""
    return [(row["nominal"] - AT) // 60 for row in world.rows() if row["trigger"] == "catch_up"]


@pytest.mark.parametrize("overlap", ["skip", "queueOne", "queueAll", "cancelOther", "killOther", "allow"])
def test_all_run_one_after_the_other_whatever_overlap_says_of_slots(world: DeskWorld, overlap: str) -> None:
    """A person has asked for them, and no slot is theirs that another run could take from them."""
    world.open(job(EVERY_MINUTE, overlap=overlap, spread=SPREAD))
    pause(world, until=AT + 190.0, on_resume="catch_up")
    world.pass_until(AT + 190.5)
    assert world.fates() == ["paused"] * 3
    end_each(world)

    assert stood_for(world) == [1, 2, 3]
    assert world.states() == ["succeeded"] * 3


def test_who_waits_to_be_made_up_for_takes_no_slot_away(world: DeskWorld) -> None:
    """All wait for a place in their group: so does the slot that comes meanwhile."""
    world.open(job(EVERY_MINUTE, overlap="queueOne", group="heavy"), job(cron("1 * * * *"), id="other", group="heavy"))
    pause(world, until=AT + 190.0, on_resume="catch_up")
    world.pass_until(AT + 250)
    assert (world.fates(), len(world.plan().queued)) == (["paused"] * 3 + ["claimed"], 4)
    world.end("other")
    end_each(world)

    assert world.states() == ["succeeded"] * 4


@pytest.mark.parametrize("overlap", ["skip", "cancelOther"])
def test_what_another_run_is_in_the_way_of_waits_for_its_end(world: DeskWorld, overlap: str) -> None:
    world.open(job(EVERY_MINUTE, spread=SPREAD, overlap=overlap))
    world.pass_time(60)
    pause(world, until=AT + 130.0, on_resume="once")
    world.pass_until(AT + 140)
    assert (world.fates(), len(world.plan().queued)) == (["claimed", "paused"], 1)
    assert world.start.signals() == []
    world.end()

    assert world.run().trigger == "catch_up"


def test_a_successor_goes_on_with_those_that_wait(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, spread=SPREAD))
    pause(world, until=AT + 190.0, on_resume="catch_up")
    world.pass_until(AT + 190.5)
    world.kill().open()
    end_each(world)

    assert stood_for(world) == [1, 2, 3]
    assert set(world.states()) == {"succeeded"}


@pytest.mark.parametrize("restarted", [False, True])
def test_one_that_does_not_begin_says_why(world: DeskWorld, restarted: bool) -> None:
    world.catalogue.calendars["dark"] = [{"weekdays": None, "start": 9 * HOUR + 185, "end": 10 * HOUR}]
    world.open(job(EVERY_MINUTE, blackouts=["dark"], spread=SPREAD))
    pause(world, until=AT + 190.0, on_resume="catch_up")
    world.pass_until(AT + 190.5)
    if restarted:
        world.kill().open()
    world.pass_until(AT + 200)

    assert [(row["state"], row["cause"]) for row in world.rows()] == [("cancelled", "in the blackout dark")] * 3
    assert world.fates() == ["paused"] * 3


def test_who_only_waits_its_turn_is_not_told_as_one_that_has_not_started(world: DeskWorld) -> None:
    world.open(job(cron("0,1,2 9 * * *"), spread=SPREAD))
    pause(world, until=AT + 190.0, on_resume="catch_up")
    world.pass_until(AT + 191)
    for _ in range(20):
        world.pass_time(60)
        world.beat()

    assert len(world.plan().queued) == 1
    assert world.kinds().count("run.not_started") == 0


@pytest.mark.parametrize("gone", [False, True])
def test_those_that_wait_for_a_schedule_that_is_changed_or_removed_say_so(world: DeskWorld, gone: bool) -> None:
    world.open(job(EVERY_MINUTE, spread=SPREAD))
    pause(world, until=AT + 190.0, on_resume="catch_up")
    world.pass_until(AT + 190.5)
    world.reload(job(EVERY_MINUTE, id="other") if gone else job(cron("30 * * * *"), spread=SPREAD))

    assert len(world.running()) == 1
    assert [row["cause"] for row in world.rows() if row["state"] == "cancelled"] == [
        f"the schedule has been {'removed' if gone else 'changed'}"
    ] * 2


def test_what_another_pause_still_holds_is_not_made_up_for_yet(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, spread=SPREAD))
    pause(world, until=AT + 250.0, on_resume="catch_up")
    world.desk.pauses.pause_all("anna", "", "", "catch_up")
    os.utime(world.home.pause_file, (AT, AT))
    world.beat()
    world.pass_until(AT + 190)
    assert world.desk.pauses.resume_all()
    world.pass_time(10)
    assert world.rows() == []
    world.pass_until(AT + 251)
    end_each(world)

    assert stood_for(world) == [1, 2, 3, 4]


# ends, which are in no rule of time


def pause_what_follows(world: DeskWorld, *, delay: float = 0.0, **policy: float) -> list[int]:
    """`b` is paused for ten minutes in which `job` ends three times, the last one half a minute before the end."""
    world.open(job(cron("1,2,9 * * * *"), steps=("get",)), job(after("job", delay=delay), id="b", **policy))
    pause(world, until=AT + 600.0, on_resume="catch_up", name="b")
    ends = []
    for minute in (1, 2, 9):
        world.pass_until(AT + minute * 60 + 30)
        world.end()
        ends.append(int(world.now + delay))
    return ends


@pytest.mark.parametrize("restarted", [False, True])
def test_each_end_that_was_held_is_made_up_for(world: DeskWorld, restarted: bool) -> None:
    ends = pause_what_follows(world, spread=SPREAD)
    if restarted:
        world.kill().open()
    world.pass_until(AT + 601)
    end_each(world, name="b")

    assert world.fates("b") == ["paused"] * 3
    assert [(row["nominal"], row["state"]) for row in world.rows("b")] == [(at, "succeeded") for at in ends]


@pytest.mark.parametrize("restarted", [False, True])
def test_an_end_whose_delay_was_over_in_the_pause_was_held_and_no_other(world: DeskWorld, restarted: bool) -> None:
    ends = pause_what_follows(world, delay=45.0, spread=SPREAD)
    if restarted:
        world.kill().open()
    world.pass_until(AT + 601)
    assert world.fates("b") == ["paused"] * 2 + ["claimed"]
    end_each(world, name="b", times=30)

    found = {row["trigger"]: row["nominal"] for row in world.rows("b")}
    assert sorted(row["nominal"] for row in world.rows("b")) == ends
    assert found == {"catch_up": ends[1], "after": ends[2]}


def test_of_many_ends_the_newest_few_are_made_up_for(world: DeskWorld) -> None:
    ends = pause_what_follows(world, spread=SPREAD, max_catchup=2)
    world.pass_until(AT + 601)
    end_each(world, name="b")

    assert [row["nominal"] for row in world.rows("b")] == ends[1:]


def test_what_goes_by_its_own_end_runs_once_for_it_comes_again_by_that(world: DeskWorld) -> None:
    world.open(job(every(60, after_finish=True), spread=SPREAD))
    world.end()
    pause(world, until=AT + 250.0, on_resume="catch_up")
    world.pass_until(AT + 251)
    assert world.fates().count("paused") > 1

    assert world.run().trigger == "catch_up"
    assert world.plan().queued == ()
