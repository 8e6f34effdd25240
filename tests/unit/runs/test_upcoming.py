"""What the desk shows of what is to come: what runs is not crowded out by what is held."""

from __future__ import annotations

import pytest
from support.desk import AT, DAY, HOUR, DeskWorld, after, at, cron, every, job

from supervisor.base.clock import iso
from supervisor.runs import view
from supervisor.runs.upcoming import Upcoming, upcoming

EVERY_MINUTE = cron("* * * * *")
NIGHT = {"active_hours": [[None, 22 * HOUR, 23 * HOUR]], "outside": "skip"}


def told(world: DeskWorld, count: int, *names: str) -> list[tuple[str, str, str]]:
    """Schedule, `09:00`, would."""
    plans = [world.plan(name) for name in names or world.desk.plans]
    return [(slot["schedule"], slot["due"][11:16], slot["would"]) for slot in upcoming(world.desk, plans, count)]


def pause(world: DeskWorld, name: str, until: float | None = None) -> None:
    wish = {"at": 1.0, "by": "", "reason": "", "until": until, "on_resume": "next"}
    world.desk.change_wishes(lambda wishes: [name] if wishes.pause(name, wish) else [])


def test_what_comes_next_is_by_time_and_says_what_would_hold_it(world: DeskWorld) -> None:
    world.catalogue.calendars["noon"] = [{"weekdays": None, "start": 12 * HOUR, "end": 13 * HOUR}]
    world.open(
        job(at(10 * HOUR, 12 * HOUR), id="a", blackouts=("noon",)),
        job(at(8 * HOUR), id="b", active_hours=[[None, 9 * HOUR, 10 * HOUR]], outside="skip"),
        job(at(11 * HOUR), id="c", enabled=False),
    )
    assert told(world, 2) == [
        ("a", "10:00", "run"), ("c", "11:00", "disabled"), ("a", "12:00", "blackout"), ("b", "08:00", "active_hours"),
        ("a", "10:00", "run"),
    ]  # fmt: skip


def test_one_that_is_disabled_hides_nothing_however_often_it_is_due(world: DeskWorld) -> None:
    """It had the place of everything that was due after 1000 of its slots."""
    world.open(job(EVERY_MINUTE, id="off", enabled=False), job(at(8 * HOUR), id="late"), job(at(10 * HOUR), id="soon"))

    assert told(world, 3) == [
        ("off", "09:01", "disabled"), ("soon", "10:00", "run"), ("late", "08:00", "run"), ("soon", "10:00", "run"),
    ]  # fmt: skip


def test_all_that_are_paused_are_shown_though_nothing_runs(world: DeskWorld) -> None:
    world.open(job(every(5), id="quick", run_at_start=False), job(at(8 * HOUR), id="late"))
    for name in ("quick", "late"):
        pause(world, name)

    assert told(world, 3) == [("quick", "09:00", "paused"), ("late", "08:00", "paused")]


def test_of_very_many_that_are_held_there_are_the_first_and_how_many_more(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.core.coming.MOST_HELD", 2)
    world.open(
        *(job(at((10 + number) * HOUR), id=f"p{number}") for number in (4, 3, 2, 1)),
        *(job(at(10 * HOUR + number), id=f"h{number}", **NIGHT) for number in range(5)),
        job(at(10 * HOUR + 3), id="runs"),
        job(at(9 * HOUR + 60), id="first"),
    )
    for number in range(1, 5):
        pause(world, f"p{number}")
    found = Upcoming(world.desk, 2)
    for plan in world.desk.plans.values():
        found.add(plan)

    assert [slot["schedule"] for slot in found.slots()] == ["first", "h0", "h1", "runs", "p1", "p2"]
    assert found.more_held() == 4, "h2, h3, p3, p4; h4 comes after the last one that runs"


@pytest.mark.parametrize("way", ["paused", "disabled"])
def test_one_that_rests_is_shown_with_the_time_at_which_it_would_run(world: DeskWorld, way: str) -> None:
    """The same as its row has, and not that of a slot that its hours leave out."""
    world.open(job(EVERY_MINUTE, enabled=way == "paused", **NIGHT))
    if way == "paused":
        pause(world, "job")

    assert told(world, 1) == [("job", "22:00", way)]
    assert view.row(world.desk, world.plan())["next_due"] == iso(AT + 13 * HOUR)


def test_a_stretch_outside_the_hours_is_one_line_and_takes_no_place(world: DeskWorld) -> None:
    world.open(job(cron("*/20 * * * *"), id="night", **NIGHT), job(at(12 * HOUR), id="noon"))

    assert told(world, 3, "night") == [
        ("night", "09:20", "active_hours"), ("night", "22:00", "run"), ("night", "22:20", "run"),
        ("night", "22:40", "run"),
    ]  # fmt: skip
    assert told(world, 2) == [
        ("night", "09:20", "active_hours"), ("noon", "12:00", "run"), ("night", "22:00", "run"),
    ]  # fmt: skip
    assert upcoming(world.desk, [world.plan("night")], 1)[0]["until"] == iso(AT + 13 * HOUR)


def test_a_cooldown_is_one_line_and_what_comes_after_it_is_shown(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 4.0 * HOUR}), job(at(11 * HOUR), id="b"))
    world.pass_time(60)
    world.end(code=1)

    assert told(world, 2) == [("job", "09:02", "cooldown"), ("b", "11:00", "run"), ("job", "13:01", "run")]
    assert view.row(world.desk, world.plan())["next_due"] == iso(AT + 4 * HOUR + 60), "not one that is held"


def test_a_pause_that_ends_holds_only_what_comes_before(world: DeskWorld) -> None:
    world.open(job())
    pause(world, "job", AT + 1.5 * HOUR)

    assert told(world, 1) == [("job", "10:00", "paused"), ("job", "11:00", "run")]


def test_one_that_is_due_only_after_the_end_of_what_holds_it_runs(world: DeskWorld) -> None:
    """Its nominal time lies in the pause; put off until the hours it does not."""
    hours = {"active_hours": [[None, 14 * HOUR, 15 * HOUR]], "outside": "defer"}
    world.open(job(every(DAY), run_at_start=False, **hours))
    pause(world, "job", AT + 2 * DAY + 4 * HOUR)

    slots = upcoming(world.desk, [world.plan()], 1)
    assert [(slot["due"], slot["would"]) for slot in slots] == [
        (iso(AT + DAY + 5 * HOUR), "paused"), (iso(AT + 2 * DAY + 5 * HOUR), "run"),
    ]  # fmt: skip


def test_one_that_never_runs_is_not_looked_for_without_end(world: DeskWorld) -> None:
    """Its only time of day is always held."""
    world.catalogue.calendars["noon"] = [{"weekdays": None, "start": 12 * HOUR, "end": 13 * HOUR}]
    world.open(job(at(12 * HOUR), blackouts=("noon",)), job(at(8 * HOUR), id="never", **NIGHT))

    assert told(world, 5) == [("job", "12:00", "blackout"), ("never", "08:00", "active_hours")]


def test_a_slot_that_is_late_by_its_delay_is_among_those_that_come(world: DeskWorld) -> None:
    world.open(job(jitter=1800.0))
    world.pass_until(AT + HOUR + 1)

    assert upcoming(world.desk, [world.plan()], 1)[0]["nominal"] == iso(AT + HOUR)


@pytest.mark.parametrize("count", [1, 1000])
def test_no_more_than_asked_for_of_those_that_run(world: DeskWorld, count: int) -> None:
    world.open(*(job(cron(f"{n} * * * *"), id=f"j{n}") for n in range(1, 4)))

    found = told(world, count)
    assert len(found) == count
    assert found[0] == ("j1", "09:01", "run")


# what has a moment of its own


def test_the_time_after_an_end_is_put_off_until_the_hours(world: DeskWorld) -> None:
    hours = {"active_hours": [[None, 7 * HOUR, 9 * HOUR + 1800]], "outside": "defer"}
    world.open(job(every(HOUR, after_finish=True), **hours), job(at(12 * HOUR), id="b"))
    world.end()
    assert told(world, 2) == [("b", "12:00", "run"), ("job", "07:00", "run")]
    assert view.row(world.desk, world.plan())["next_due"] == iso(AT + 22 * HOUR)

    world.pass_time(HOUR + 1)
    assert len(world.plan().queued) == 1
    shown = view.row(world.desk, world.plan())
    assert (shown["next_run"], shown["next_due"]) == (iso(AT + HOUR), iso(AT + 22 * HOUR))
    assert told(world, 2) == [("b", "12:00", "run"), ("job", "07:00", "run")]


def test_the_delay_of_one_that_follows_is_shown(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, id="a"), job({**after("a"), "delay": 600}, id="follow"))
    assert told(world, 1, "follow") == []
    world.pass_time(60)
    world.end("a")

    assert told(world, 1, "follow") == [("follow", "09:11", "run")]
    assert view.row(world.desk, world.plan("follow"))["next_due"] == iso(AT + 660)
    assert view.why(world.desk, world.plan("follow"))["lines"] == [
        f"run {world.plan('follow').queued[0].id} waits: it begins in 10m 0s, so long after the end that it follows"
    ]


def test_one_whose_only_run_still_waits_has_not_finished(world: DeskWorld) -> None:
    world.open(job(cron("0 * * * *"), id="a", group="g"), job({"kind": "once", "at": AT + HOUR}, id="once", group="g"))
    world.pass_time(HOUR)
    assert len(world.plan("once").queued) == 1

    assert view.row(world.desk, world.plan("once"))["status"] == "active"
