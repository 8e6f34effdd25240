"""A desk that begins without its history, and learns it later: as if it had known it."""

from __future__ import annotations

import pytest
from support.desk import AT, HOUR, LOCKED, DeskWorld, after, cron, every, job

SAFETY = {"max_failures": 2, "cooldown": 5.0 * HOUR}


def blind(world: DeskWorld, pause: float = 0.0) -> DeskWorld:
    """Its successor, which can neither read nor write."""
    world.kill()
    world.writer.is_held = True
    world.pass_time(pause)
    return world.open(trouble=LOCKED, later=True)


def at(*hours: int) -> list[int]:
    return [AT + hour * HOUR for hour in hours]


def test_what_waited_begins_in_its_turn_and_before_what_came_later(world: DeskWorld) -> None:
    world.open(job(overlap="queueAll", overlap_max=10, spread=0.0))
    world.pass_until(AT + 3 * HOUR)  # the first goes on, two wait
    blind(world)
    world.pass_time(HOUR)
    world.learn()
    for _ in range(4):
        world.end()
        world.pass_time(1)

    assert world.outcomes() == [(nominal, "run") for nominal in at(1, 2, 3, 4)]
    assert [row["nominal"] for row in sorted(world.rows(), key=lambda row: row["started"])] == at(1, 2, 3, 4)
    assert world.start.notes == {}


def test_what_waited_for_its_time_and_an_end_that_was_not_told_before(world: DeskWorld) -> None:
    world.open(job(id="s"), job(after("s", "succeeded", 600.0), id="n"))
    world.pass_until(AT + HOUR)
    world.end("s")
    blind(world)
    world.pass_time(30)
    world.learn()
    world.pass_time(600)
    world.end("n")

    assert world.outcomes("n") == [(AT + HOUR + 600, "run")]
    assert world.states("n") == ["succeeded"]


def test_one_that_was_cut_off_is_done_again(world: DeskWorld) -> None:
    world.open(job(interrupted="rerun"))
    world.pass_until(AT + HOUR)
    world.kill()
    world.start.entries.clear()
    world.start.notes.clear()
    world.writer.is_held = True
    world.open(trouble=LOCKED, later=True)
    world.pass_time(30)
    assert world.running() == []
    world.learn()
    world.pass_time(1)
    world.end()

    assert world.states() == ["lost", "succeeded"]
    assert world.rows()[1]["retry_of"] == world.rows()[0]["id"]


def test_every_slot_has_its_row(world: DeskWorld) -> None:
    world.open(job(missed="all"))
    world.pass_until(AT + HOUR)
    world.end()
    blind(world, 4 * HOUR + 60)
    world.pass_until(AT + 6 * HOUR + 3)
    world.end()
    world.learn()

    assert world.outcomes() == [(AT + HOUR, "run"), (AT + 2 * HOUR, "missed"), (AT + 6 * HOUR, "run")]
    assert world.slots()[1]["count"] == 4
    assert world.plan().cursor >= AT + 6 * HOUR
    world.kill().open()
    assert world.outcomes()[-1] == (AT + 6 * HOUR, "run")


def test_a_cool_down_is_known_again(world: DeskWorld) -> None:
    world.open(job(safety=SAFETY))
    for hour in (1, 2):
        world.pass_until(AT + hour * HOUR)
        world.end(code=1)
    assert world.plan().breaker.state == "open"
    until = world.plan().breaker.until
    blind(world)
    world.pass_until(AT + 3 * HOUR + 3)  # nobody knows of it
    world.end(code=1)
    world.learn()

    assert (world.plan().breaker.state, world.plan().failed, world.plan().cycle) == ("open", 3, 3)
    assert world.plan().breaker.until > until
    world.pass_until(AT + 4 * HOUR)
    assert world.outcomes()[-1] == (AT + 4 * HOUR, "cooldown")
    world.kill().open()
    its = world.plan()
    assert (its.breaker.state, its.breaker.streak, its.failed, its.total, its.cycle) == ("open", 3, 3, 3, 3)


def test_a_cool_down_that_a_person_ends_meanwhile_stays_ended(world: DeskWorld) -> None:
    world.open(job(safety=SAFETY))
    for hour in (1, 2):
        world.pass_until(AT + hour * HOUR)
        world.end(code=1)
    blind(world)
    world.desk.outcomes.end_cooldown(world.plan())
    world.learn()

    assert (world.plan().breaker.state, world.plan().breaker.streak, world.plan().failed) == ("closed", 0, 2)
    world.kill().open()
    assert (world.plan().breaker.state, world.plan().breaker.streak) == ("closed", 0)


def blind_and_dead(world: DeskWorld) -> DeskWorld:
    """It begins at 5 h 1 min without what was, has one run, and dies in the midst of that."""
    world.open(job(missed="all"), job(cron("0 23 * * *"), id="daily"))
    world.pass_until(AT + HOUR)
    world.end()
    blind(world, 4 * HOUR + 60)
    world.pass_until(AT + 6 * HOUR + 3)
    world.end()
    world.writer.keep()
    return world.kill()


MISSED_TWICE = [(AT + HOUR, "run"), (AT + 2 * HOUR, "missed"), (AT + 6 * HOUR, "run"), (AT + 7 * HOUR, "missed")]


def test_every_slot_has_its_row_also_when_the_next_one_is_blind_too(world: DeskWorld) -> None:
    blind_and_dead(world)
    blind(world, HOUR)
    world.learn()

    assert world.outcomes() == MISSED_TWICE
    assert [row["count"] for row in world.slots()] == [1, 4, 1, 1]
    assert world.slots("daily") == []
    world.pass_until(AT + 8 * HOUR)
    assert world.run().nominal == AT + 8 * HOUR


def test_every_slot_has_its_row_when_the_next_one_can_read(world: DeskWorld) -> None:
    blind_and_dead(world)
    world.writer.is_held = True
    world.pass_time(HOUR)
    world.open(locked=LOCKED)
    world.writer.is_held = False
    world.writer.write()
    world.loop.run_soon()

    assert world.outcomes() == [*MISSED_TWICE[:3], (AT + 7 * HOUR, "claimed")]  # that one is made up for, as ever
    assert world.slots()[1]["count"] == 4
    assert world.slots("daily") == []
    world.pass_until(AT + 8 * HOUR)
    assert world.run().nominal == AT + 7 * HOUR


def test_what_was_accepted_last_and_what_is_usual_is_known_again(world: DeskWorld) -> None:
    world.open(job())
    for hour in range(1, 7):
        world.pass_until(AT + hour * HOUR)
        world.pass_time(3)
        world.end(result='{"quality": 0.95}')
    accepted, usual = world.plan().accepted, world.plan().usual()
    assert accepted
    blind(world)
    assert (world.plan().accepted, world.plan().usual()) == (None, None)
    world.pass_until(AT + 7 * HOUR + 3)
    world.learn()
    assert (world.plan().accepted, world.plan().usual(), world.plan().cycle) == (accepted, usual, 7)
    world.end()

    world.kill().open()
    assert (world.plan().accepted, world.plan().succeeded, world.plan().cycle) == (accepted, 7, 7)


def test_who_is_killed_before_it_has_learned_leaves_what_was(world: DeskWorld) -> None:
    world.open(job(safety=SAFETY, missed="all"))
    for hour in (1, 2):
        world.pass_until(AT + hour * HOUR)
        world.end(code=1)
    blind(world, 2 * HOUR + 60)
    world.writer.keep()
    world.kill().open()

    assert (world.plan().breaker.state, world.plan().cycle) == ("open", 2)
    assert [reason for _, reason in world.outcomes()][:2] == ["run", "run"]
    assert world.fates().count("cooldown") == 2


def test_an_end_of_which_nobody_knows_whether_it_was_counted_waits(world: DeskWorld) -> None:
    world.open(job(id="s"), job(after("s"), id="n"))
    world.pass_until(AT + HOUR)
    world.writer.is_held = True
    world.end("s")
    notes = dict(world.start.notes)
    world.writer.is_held = False
    world.writer.write()
    world.loop.run_soon()
    run = world.run("n")
    world.kill()
    world.start.notes |= notes  # the history had it, and `start` did not hear of that
    world.writer.is_held = True
    world.open(trouble=LOCKED, later=True)
    world.pass_time(5)
    assert [each.id for each in world.running("n")] == [run.id]
    world.learn()

    assert (world.plan("s").total, len(world.running("n"))) == (1, 1)
    assert world.kinds("s").count("run.succeeded") == 1
    assert not [name for name in world.start.notes if world.rows("s")[0]["id"] in name]


def test_an_end_that_was_not_counted_is_counted_then(world: DeskWorld) -> None:
    world.open(job(id="s"), job(after("s"), id="n"))
    world.pass_until(AT + HOUR)
    world.writer.is_held = True
    world.end("s")
    blind(world)
    world.pass_time(5)
    assert world.rows("s")[0]["state"] == "running"
    world.learn()
    world.loop.run_soon()

    assert (world.plan("s").total, world.states("s"), len(world.running("n"))) == (1, ["succeeded"], 1)
    assert world.kinds("s").count("run.succeeded") == 1
    assert [name for name in world.start.notes if world.rows("s")[0]["id"] in name] == []


def test_its_own_runs_stay_what_they_are(world: DeskWorld) -> None:
    """Though what it has done could be written before that was read."""
    world.open(job(every(600), overlap="queueAll"))
    blind(world)
    world.pass_time(601)
    world.end()
    world.pass_time(1200)
    world.writer.write()
    world.learn()
    world.pass_time(1)

    assert "lost" not in world.states()
    assert len(world.running()) == 1
    assert len({row["id"] for row in world.rows()}) == len(world.rows()) == len({*world.outcomes()})


def test_a_history_that_is_gone_when_it_can_be_read(world: DeskWorld) -> None:
    world.open(job())
    blind(world)
    world.pass_until(AT + HOUR + 3)
    world.end()
    world.db.execute("DELETE FROM schedules")
    world.learn()

    assert (world.plan().total, world.outcomes()) == (1, [(AT + HOUR, "run")])
    world.kill().open()
    assert (world.plan().total, world.plan().cursor) == (1, AT + HOUR)


def test_a_clock_that_is_set_back_meanwhile_is_believed(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(AT + HOUR)
    world.end()
    blind(world, HOUR)
    world.jump_wall(-30 * HOUR)
    world.learn()
    hour = int(world.now // HOUR + 1) * HOUR
    world.pass_until(hour)

    assert world.run().nominal == hour


def live(world: DeskWorld, seconds: float) -> None:
    end = world.now + seconds
    while world.now < end:
        world.pass_time(min(60.0, end - world.now))
        for run in world.running():
            world.end(run)


@pytest.mark.parametrize("back", [0.5, 1.5, 1.9, 5.0])
def test_a_clock_that_is_set_back_by_little_or_much_loses_no_slot(world: DeskWorld, back: float) -> None:
    world.open(job(cron("*/30 * * * *")))
    live(world, 6 * HOUR)
    blind(world, 2 * HOUR)
    live(world, 600)
    world.jump_wall(-back * HOUR)
    live(world, 60)
    world.learn()
    live(world, (back + 3) * HOUR)

    rows = world.slots()
    due = range(AT + 1800, int(world.now), 1800)
    assert [sum(row["nominal"] <= each <= row["nominal_to"] for row in rows) for each in due] == [1] * len(due)
