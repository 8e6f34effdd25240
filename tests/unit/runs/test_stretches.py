"""Slots that are held one after the other for the same reason are one row, and every slot is in one all the same."""

from __future__ import annotations

from pathlib import Path

from support.desk import AT, DAY, HOUR, DeskWorld, after, cron, every, job

MINUTE = 60
EVERY_MINUTE = cron("* * * * *")


def pause(world: DeskWorld, *, on: bool = True) -> None:
    flag = Path(world.home.pause_file)
    if on:
        flag.touch()
    else:
        flag.unlink()
    world.beat()


def enable(world: DeskWorld, wanted: bool | None) -> None:
    world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", wanted) else [])


def stretches(world: DeskWorld, name: str = "job") -> list[tuple[int, int, int | None, str]]:
    """First and last minute, how many, why."""
    return [
        ((row["nominal"] - AT) // MINUTE, (row["nominal_to"] - AT) // MINUTE, row["count"],
         row["reason"] or row["outcome"])
        for row in world.slots(name)
    ]  # fmt: skip


def test_a_long_pause_is_one_row_also_over_restarts(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    pause(world)
    for _ in range(2):
        world.pass_time(DAY / 2)
        world.kill().open()
    pause(world, on=False)
    world.pass_time(MINUTE)

    assert stretches(world) == [(1, 1440, 1440, "paused"), (1441, 1441, 1, "claimed")]
    assert world.plan().cursor == AT + 1441 * MINUTE
    assert world.slots()[0]["decided"] == (AT + DAY) * 1000


def test_who_starts_after_it_goes_on_behind_it(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, missed="skip"))
    pause(world)
    world.pass_time(10 * MINUTE)
    world.kill()
    world.clocks.time += 10 * MINUTE + 30
    world.open()

    assert stretches(world) == [(1, 10, 10, "paused"), (11, 19, 9, "missed"), (20, 20, 1, "paused")]


def test_two_reasons_in_turn_are_rows_in_turn(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    pause(world)
    world.pass_time(3 * MINUTE)
    enable(world, False)  # which comes before the pause
    world.pass_time(3 * MINUTE)
    enable(world, None)
    world.pass_time(3 * MINUTE)

    assert stretches(world) == [(1, 3, 3, "paused"), (4, 6, 3, "disabled"), (7, 9, 3, "paused")]


def test_each_pause_has_its_own(world: DeskWorld) -> None:
    """Of one who looks into it: since when, by whom."""
    world.open(job(EVERY_MINUTE))
    for by in ("anna", "bert"):
        wish = {"at": world.now, "by": by, "reason": "", "until": None, "on_resume": "next"}
        world.desk.change_wishes(lambda wishes, wish=wish: ["job"] if wishes.pause("job", wish) else [])  # type: ignore[misc]
        world.pass_time(3 * MINUTE)

    assert stretches(world) == [(1, 3, 3, "paused"), (4, 6, 3, "paused")]
    assert [name in row["note"] for name, row in zip(("anna", "bert"), world.slots(), strict=True)] == [True, True]


def test_a_run_in_between_ends_it(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    pause(world)
    world.pass_time(3 * MINUTE)
    pause(world, on=False)
    world.pass_time(MINUTE)
    world.end()
    pause(world)
    world.pass_time(3 * MINUTE)

    assert stretches(world) == [(1, 3, 3, "paused"), (4, 4, 1, "run"), (5, 7, 3, "paused")]


def test_another_rule_ends_it(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    pause(world)
    world.pass_time(3 * MINUTE)
    world.reload(job(cron("*/2 * * * *")))
    world.pass_time(5 * MINUTE)

    assert stretches(world) == [(1, 3, 3, "paused"), (4, 8, 3, "paused")]


def test_a_night_outside_the_active_hours_is_one_row(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, active_hours=[[None, 9 * HOUR, 10 * HOUR]], outside="skip", overlap="allow",
                   overlap_max=100))  # fmt: skip
    world.pass_time(DAY)

    nights = [row for row in stretches(world) if row[3] == "active_hours"]
    assert nights == [(60, 24 * 60 - 1, 23 * 60, "active_hours")]
    assert len(world.rows()) == 60


def test_one_that_is_late_runs_though_the_row_of_those_behind_it_comes_first(world: DeskWorld) -> None:
    """It lies between two that are left out, which must not become one row around it."""
    hours = [[None, 9 * HOUR + minute * MINUTE, 9 * HOUR + (minute + 1) * MINUTE] for minute in (10, 12)]
    world.open(job(EVERY_MINUTE, active_hours=hours, outside="skip", grace=300.0, overlap="allow", overlap_max=9))
    world.pass_until(AT + 10 * MINUTE - 30)
    world.sleep(3 * MINUTE)

    assert stretches(world) == [
        (1, 9, 9, "active_hours"), (10, 10, 1, "claimed"), (11, 11, 1, "active_hours"), (12, 12, 1, "claimed"),
    ]  # fmt: skip
    assert len(world.running()) == 2


def test_a_claim_that_is_taken_back_for_want_of_a_disk_is_no_part_of_it(world: DeskWorld) -> None:
    """Its own row comes after that of the slot behind it."""
    world.open(job({"kind": "cron", "expr": "* * * * * *", "seconds": True}, ledger="required"))
    pause(world)
    world.pass_time(3)
    pause(world, on=False)
    world.writer.is_held = True
    world.pass_time(1)
    pause(world)
    world.pass_time(4)
    world.writer.is_held = False
    world.writer.write()
    world.loop.run_soon()

    rows = [(row["nominal"] - AT, row["nominal_to"] - AT, row["count"], row["reason"]) for row in world.slots()]
    assert [row for row in rows if row[3] == "ledger"] == [(4, 4, 1, "ledger")]
    assert all(count == last - first + 1 for first, last, count, _ in rows)
    assert rows[-1][1] == 8


def test_those_of_after_finish_are_one_row_until_it_runs(world: DeskWorld) -> None:
    world.open(job(every(600, after_finish=True)))
    world.end()
    for _ in range(2):
        pause(world)
        world.pass_time(HOUR)
        pause(world, on=False)
        world.pass_time(600)
        world.end()

    assert [(count, why) for _, _, count, why in stretches(world)] == [
        (1, "run"), (6, "paused"), (1, "run"), (6, "paused"), (1, "run"),
    ]  # fmt: skip


def test_a_run_by_hand_ends_one_of_after_finish(world: DeskWorld) -> None:
    """No slot of it, but those of after-finish are counted from its end."""
    world.open(job(every(600, after_finish=True)))
    world.end()
    pause(world)
    world.pass_time(HOUR + 300)
    world.plan().last_at = world.now
    world.desk.planner.finished(world.plan())
    world.pass_time(HOUR)

    assert [(count, why) for _, _, count, why in stretches(world)] == [(1, "run"), (6, "paused"), (6, "paused")]


def test_the_ends_of_others_have_a_row_each(world: DeskWorld) -> None:
    """One that came earlier may be told later: its place is kept."""
    world.open(job(EVERY_MINUTE, id="first"), job(after("first"), cron("*/2 * * * *"), enabled=False))
    world.pass_time(10)
    for _ in range(3):
        world.pass_time(MINUTE)
        world.end("first")

    assert [row["nominal"] - AT for row in world.slots()] == [70, 120, 130, 190]
    assert world.reasons() == ["disabled"] * 4


def test_those_that_waited_for_the_answer_of_a_check_are_one_row(world: DeskWorld) -> None:
    world.catalogue.checks["net"] = {"argv": ["ping"], "timeout": 5.0, "fresh": 30.0, "exec": True}
    world.open(job(EVERY_MINUTE, check="net"))
    for _ in range(5):
        world.pass_until((world.now // 60 + 1) * 60)
        world.end(world.start.spawns()[-1], 1)
        world.pass_time(1)

    assert stretches(world) == [(1, 5, 5, "unreachable")]
    assert world.rows() == []
