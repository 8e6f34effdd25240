"""Slots of a time rule that were missed, with ends of another schedule among them: each of them is in one row."""

from __future__ import annotations

from support.desk import AT, DAY, HOUR, DeskWorld, after, cron, every, job

from supervisor.model.schedule import Schedule

Rows = list[tuple[int, int, int | None, str]]


def rows(world: DeskWorld) -> Rows:
    """From, to (since 9:00), how many, and what became of them."""
    return [
        (row["nominal"] - AT, row["nominal_to"] - AT, row["count"], row["reason"] or row["outcome"])
        for row in world.slots("f")
    ]


def away(world: DeskWorld, seconds: float) -> None:
    world.clocks.time += seconds


def both(delay: float = 0.0) -> tuple[Schedule, Schedule]:
    return job(every(DAY), id="a"), job(cron("*/5 * * * *"), after("a", delay=delay), id="f", missed="skip")


def end_while_away(world: DeskWorld) -> None:
    """The run that is followed ends amid slots that nobody decides."""
    world.open(*both())
    world.pass_time(1)
    key = world.run("a").key
    world.kill()
    away(world, 750)
    world.exit(key, 0)
    away(world, 600)


def test_what_was_missed_before_and_behind_an_end_is_in_a_row(world: DeskWorld) -> None:
    end_while_away(world)
    world.open()
    world.pass_time(1)
    world.end("f")

    assert rows(world) == [(300, 600, 2, "missed"), (751, 751, 1, "run"), (900, 1200, 2, "missed")]


def test_ends_that_no_slot_lies_between_make_no_row_between_them(world: DeskWorld) -> None:
    world.open(job(every(DAY), id="a"), job(every(DAY), id="b"),
               job(cron("*/5 * * * *"), after("a"), after("b"), id="f", missed="skip", overlap="queueAll"))  # fmt: skip
    world.pass_time(12)
    keys = world.run("a").key, world.run("b").key
    world.kill()
    away(world, 700)
    world.exit(keys[0], 0)
    away(world, 60)
    world.exit(keys[1], 0)
    away(world, 600)
    world.open()

    spans = [(row[0], row[1], row[2]) for row in rows(world)]
    assert spans == [(300, 600, 2), (712, 712, 1), (772, 772, 1), (900, 1200, 2)]


def test_an_end_that_has_its_slot_does_not_decide_those_before_it(world: DeskWorld) -> None:
    """Its row is on the disk, at a second behind slots that nobody has decided: the scheduler was killed before it."""
    world.open(*both(delay=420.0))
    world.pass_time(60)
    world.end("a")
    world.kill()
    away(world, 840)
    world.open()
    world.pass_time(1)

    assert [row for row in rows(world) if row[3] == "missed"] == [(300, 300, 1, "missed"), (600, 600, 1, "missed")]
    assert [row[:2] for row in rows(world)] == [(300, 300), (480, 480), (600, 600), (900, 900)]


def test_who_is_killed_once_more_before_he_has_looked_loses_none(world: DeskWorld) -> None:
    end_while_away(world)
    world.desk.planner.begin = lambda: None  # type: ignore[method-assign]  # it does not come to that
    world.open()
    world.kill().open()
    world.pass_time(1)

    assert [row[:3] for row in rows(world)] == [(300, 600, 2), (751, 751, 1), (900, 1200, 2)]


def test_the_same_end_told_again_has_no_second_slot_for_that(world: DeskWorld) -> None:
    world.open(*both())
    world.pass_time(301)
    world.end("f")
    world.end("a")
    (cause,) = [run["id"] for run in world.rows("a")]
    world.end("f")
    world.kill()
    away(world, HOUR)
    world.open()
    run = next(row for row in world.rows("a") if row["id"] == cause)
    plan = world.plan("f")

    assert world.desk.outcomes.seconds.give(plan, cause, run["ended"] / 1000) is None


def test_many_ends_that_are_still_to_come_are_no_place_to_go_on_from(world: DeskWorld) -> None:
    world.open(
        job(every(5.0), id="a"),
        job(cron("*/5 * * * *"), after("a", delay=900.0), id="f", overlap="allow", overlap_max=999),
    )
    live(world, 1000)
    world.kill().open()
    live(world, 500)

    times = [row["nominal"] - AT for row in world.slots("f") if "after run" not in (row["note"] or "")]
    assert times == [300, 600, 900, 1200, 1500]


def live(world: DeskWorld, seconds: float) -> None:
    end = world.now + seconds
    while world.now < end:
        world.pass_time(1)
        for name in "af":
            for run in world.running(name):
                world.end(run)
