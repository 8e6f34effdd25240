"""What is paused, by whom and until when: everything by a file, one schedule by a wish."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, after, cron, every, job, pause

from supervisor.base.clock import iso
from supervisor.base.errors import Problem
from supervisor.model.pause import encode
from supervisor.runs.resuming import make_up

EVERY_MINUTE = cron("* * * * *")


def flag(world: DeskWorld) -> Path:
    return Path(world.home.pause_file)


# the file


def test_while_the_file_is_there_nothing_starts_and_each_slot_says_so(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE), job(EVERY_MINUTE, id="b"))
    flag(world).touch()
    world.pass_time(120)
    assert world.fates() == world.fates("b") == ["paused", "paused"]
    flag(world).unlink()
    world.pass_time(60)

    assert len(world.desk.runner.runs) == 2
    assert [kind for kind in world.kinds() if kind.startswith("schedules.")] == [
        "schedules.paused",
        "schedules.resumed",
    ]


def test_what_runs_goes_on(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    world.pass_time(60)
    flag(world).touch()
    world.beat()
    world.end()

    assert world.states() == ["succeeded"]
    assert world.start.signals() == []


def test_it_is_looked_at_before_each_start_not_only_when_the_kernel_says_so(world: DeskWorld) -> None:
    """The claim is on its way while the file comes: no start afterwards but that one."""
    world.open(job(EVERY_MINUTE, overlap="queueOne"))
    world.pass_time(130)
    world.desk.pauses.close()
    flag(world).touch()
    world.end()

    assert world.running() == []
    assert world.fates() == ["run", "paused"]


def test_the_kernel_makes_it_prompt(world: DeskWorld) -> None:
    world.open(job())
    flag(world).touch()
    world.loop.run_soon()
    shown = world.desk.pauses.of_all()
    assert shown is not None
    flag(world).unlink()
    world.loop.run_soon()

    assert world.desk.pauses.of_all() is None


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to("/nowhere"), os.mkfifo])
def test_whatever_has_that_name_pauses(world: DeskWorld, make: Callable[[Path], Any]) -> None:
    make(flag(world))
    world.open(job(EVERY_MINUTE))
    world.pass_time(60)

    assert world.fates() == ["paused"]


def test_who_asks_for_it_is_shown(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    assert world.desk.pauses.pause_all("anna", "new disk", iso(AT + HOUR))
    assert not world.desk.pauses.pause_all("bert", "", "")
    shown = world.desk.pauses.of_all()

    assert shown is not None
    assert (shown.by, shown.reason, shown.until) == ("anna", "new disk", AT + HOUR)
    assert "by anna: new disk, until 2025-10-09 10:00:00 UTC" in world.texts("schedules.paused")[0]
    assert world.desk.pauses.resume_all()
    assert not world.desk.pauses.resume_all()


def test_it_ends_by_itself_where_it_says_when(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    flag(world).write_bytes(encode("anna", "", iso(AT + 150)))
    world.beat()
    world.pass_time(200)

    assert world.fates() == ["paused", "paused", "claimed"]
    assert not flag(world).exists()


def test_one_that_is_over_when_the_desk_opens_is_taken_away(world: DeskWorld) -> None:
    flag(world).write_bytes(encode("anna", "", iso(AT - 1)))
    world.open(job(EVERY_MINUTE))
    world.pass_time(60)

    assert world.run()
    assert not flag(world).exists()


def test_one_that_can_not_be_taken_away_pauses_for_good_and_costs_no_time(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.open(job(EVERY_MINUTE))
    flag(world).write_bytes(encode("anna", "", iso(AT + 30)))
    world.beat()
    tries: list[str] = []

    def fail(path: str) -> None:
        tries.append(path)
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(os, "unlink", fail)
    world.pass_time(180)

    assert world.fates() == ["paused"] * 3
    assert len(tries) < 10


def test_other_words_in_the_file_count_from_the_next_look(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    flag(world).touch()
    world.beat()
    flag(world).unlink()
    flag(world).write_bytes(encode("bert", "", iso(AT + 90)))
    os.utime(flag(world), ns=(7, 7))
    world.pass_time(130)

    assert world.fates() == ["paused", "claimed"]


# single ones


def test_one_schedule_is_paused_and_the_others_are_not(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE), job(EVERY_MINUTE, id="b"))
    pause(world)
    world.pass_time(60)

    assert (world.fates(), world.fates("b")) == (["paused"], ["claimed"])
    assert "paused since" in str(world.slots()[0]["note"])


def test_a_pause_outlives_a_restart(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    pause(world)
    world.kill().open()
    world.pass_time(60)

    assert world.fates() == ["paused"]


def test_one_that_ends_by_itself_ends_in_time_also_over_a_restart(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    pause(world, until=AT + 150.0)
    world.kill().open()
    world.pass_time(200)

    assert world.fates() == ["paused", "paused", "claimed"]
    assert "paused" not in world.keeps.saved.get("job", {})
    assert world.kinds().count("schedule.resumed") == 1


@pytest.mark.parametrize(("on_resume", "spawns"), [("next", 0), ("once", 1), ("catch_up", 1)])
def test_what_happens_when_it_is_over(world: DeskWorld, on_resume: str, spawns: int) -> None:
    world.open(job(overlap="queueAll"))
    pause(world, until=AT + HOUR + 100.0, on_resume=on_resume)
    world.pass_time(HOUR + 130)

    assert world.fates() == ["paused"]
    assert len(world.start.spawns()) == spawns


def test_what_no_pause_has_held_is_not_made_up_for(world: DeskWorld) -> None:
    """Under another rule there would have been more."""
    world.open(job(cron("*/30 * * * *"), spread=1.0))
    pause(world, until=AT + 1.5 * HOUR + 60, on_resume="catch_up")
    world.pass_until(AT + HOUR + 60)
    world.reload(job(cron("*/10 * * * *"), spread=1.0))
    world.pass_until(AT + 1.5 * HOUR + 61)
    for _ in range(20):
        for run in world.running():
            world.end(run)
        world.pass_time(2)

    made_up = [row["nominal"] - AT for row in world.rows() if row["trigger"] == "catch_up"]
    assert made_up == [1800, 3600, 4200, 4800, 5400]


@pytest.mark.parametrize(("on_resume", "runs"), [("once", 1), ("catch_up", 3)])
def test_a_resume_makes_up_for_as_much_as_it_says(world: DeskWorld, on_resume: str, runs: int) -> None:
    world.open(job(overlap="queueAll", spread=1.0))
    pause(world, until=AT + 3.5 * HOUR, on_resume=on_resume)
    world.pass_time(3.5 * HOUR + 1)
    for _ in range(8):
        for run in world.running():
            world.end(run)
        world.pass_time(2)

    assert world.fates() == ["paused"] * 3
    assert world.states() == ["succeeded"] * runs


@pytest.mark.parametrize("on_resume", ["once", "catch_up"])
def test_a_pause_that_held_nothing_is_followed_by_nothing(world: DeskWorld, on_resume: str) -> None:
    world.open(job(), job(after("job"), id="b"), job(every(9 * HOUR, after_finish=True), id="c", run_at_start=False))
    world.pass_until(AT + HOUR + 10)
    for name in ("job", "b", "c"):
        pause(world, until=AT + HOUR + 60, on_resume=on_resume, name=name)
    world.pass_time(100)

    assert [run.schedule for run in world.desk.runner.runs.values()] == ["job"]
    assert world.slots("b") == world.slots("c") == []


def test_all_go_on_and_only_what_was_held_runs(world: DeskWorld) -> None:
    """What a person says of all is said of each: of the hourly and the daily one neither was due."""
    world.open(job(EVERY_MINUTE, id="often"), job(), job(cron("0 3 * * *"), id="daily"))
    world.pass_time(10)
    flag(world).touch()
    os.utime(flag(world), (world.now, world.now))
    world.pass_time(120)
    since = world.desk.pauses.look()
    assert since is not None
    world.desk.pauses.resume_all()
    make_up(world.desk, dict.fromkeys(world.desk.plans, ("once", since.at, None)))
    world.pass_time(15)

    assert [(run.schedule, run.trigger) for run in world.desk.runner.runs.values()] == [("often", "catch_up")]


@pytest.mark.parametrize("by", ["its time", "a person", "rm", "a person while it is down"])
def test_a_pause_of_all_says_what_runs_afterwards(world: DeskWorld, by: str) -> None:
    """Also to a successor, and whoever ends it."""
    world.open(job(EVERY_MINUTE), job(id="hourly"))
    world.desk.pauses.pause_all("anna", "", iso(AT + 200) if by == "its time" else "", "once")
    os.utime(flag(world), (world.now, world.now))
    world.pass_time(130)
    world.kill()
    if by == "a person while it is down":
        flag(world).unlink()
        flag(world).write_bytes(encode("anna", "", iso(world.now), "once"))
        os.utime(flag(world), (AT, AT))
    world.open()
    if by == "a person":
        assert world.desk.pauses.resume_all()
    if by == "rm":
        flag(world).unlink()
        world.beat()
    world.pass_time(80 if by == "its time" else 20)
    assert not flag(world).exists()

    assert [(run.schedule, run.trigger) for run in world.desk.runner.runs.values()] == [("job", "catch_up")]


@pytest.mark.parametrize("restarted", [False, True])
def test_of_what_follows_an_end_one_run_is_made_up_for(world: DeskWorld, restarted: bool) -> None:
    """Its slots are in no rule of time."""
    world.open(job(EVERY_MINUTE), job(after("job"), id="b"), job(every(60, after_finish=True), id="c"))
    world.end("c")
    for name in ("b", "c"):
        pause(world, until=AT + 250.0, on_resume="once", name=name)
    for _ in range(3):
        world.pass_time(60)
        world.end()
    assert set(world.reasons("b")) == {"paused"}
    assert "paused" in world.reasons("c")
    if restarted:
        world.kill().open()
    world.pass_until(AT + 295)

    assert [run.trigger for name in ("b", "c") for run in world.running(name)] == ["catch_up"] * 2


@pytest.mark.parametrize(("on_resume", "runs"), [("once", 1), ("catch_up", 2)])
def test_a_slot_is_held_at_the_moment_it_is_due_at(world: DeskWorld, on_resume: str, runs: int) -> None:
    """By its delay that of 10:00 and that of 11:00 are due in the pause, and that of 12:00 is not yet."""
    world.open(job(jitter=3600.0, overlap="queueAll", overlap_max=9, spread=1.0))
    due = [AT + n * HOUR + world.plan().rule.delay(AT + n * HOUR) for n in (1, 2, 3)]
    world.pass_until(due[0] - 1)
    pause(world, until=due[2] - 20, on_resume=on_resume)
    world.pass_until(due[2] - 10)
    for _ in range(2):
        for run in world.running():
            world.end(run)
        world.pass_time(2)
    assert world.states() == ["succeeded"] * runs
    assert world.fates() == ["paused"] * 2


def test_what_lay_in_a_blackout_was_not_held_by_a_pause(world: DeskWorld) -> None:
    world.catalogue.calendars["dark"] = [{"weekdays": None, "start": 10 * HOUR - 60, "end": 10 * HOUR + 60}]
    world.open(job(blackouts=["dark"]))
    pause(world, until=AT + 2.5 * HOUR - 1800, on_resume="catch_up")
    world.pass_time(2 * HOUR - 2)

    assert world.start.spawns() == []


def test_after_a_pause_a_disabled_one_runs_nothing(world: DeskWorld) -> None:
    world.open(job(enabled=False))
    world.pass_time(2 * HOUR)
    make_up(world.desk, dict.fromkeys(["job", "gone"], ("once", float(AT), None)))
    world.pass_time(10)

    assert world.start.spawns() == world.rows() == []


def test_a_wish_that_can_not_be_kept_is_not_done(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    world.keeps.fails = True
    with pytest.raises(Problem):
        pause(world)
    world.pass_time(60)

    assert world.fates() == ["claimed"]


def test_disabled_by_a_person_then_enabled(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", False) else [])
    world.pass_time(60)
    world.kill().open()
    world.pass_time(60)
    world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", None) else [])
    world.pass_time(60)

    assert world.fates() == ["disabled", "disabled", "claimed"]
