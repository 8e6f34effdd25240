"""A pause of its own and that of all, of which one ends while the other goes on: both are made up for in the end."""

from __future__ import annotations

import os

import pytest
from support.desk import AT, HOUR, DeskWorld, cron, job, pause

from supervisor.runs.resuming import make_up, resume

MINUTE = 60


def flag(world: DeskWorld, on_resume: str) -> None:
    world.desk.pauses.pause_all("anna", "", "", on_resume)
    os.utime(world.home.pause_file, (world.now, world.now))  # its time is that of the file
    world.desk.pauses._seen = None
    world.desk.pauses.look()


def resume_all(world: DeskWorld) -> None:
    assert world.desk.pauses.resume_all()
    world.loop.run_soon()


def resume_own(world: DeskWorld) -> None:
    resume(world.desk, ["job"], "anna")
    world.loop.run_soon()


def paused_twice(world: DeskWorld, own: str, of_all: str) -> None:
    """Its own from minute 1, that of all from minute 25; it is minute 45."""
    world.open(job(cron("*/10 * * * *"), overlap="allow", overlap_max=20, max_catchup=50, spread=0.0))
    world.pass_time(MINUTE)
    pause(world, on_resume=own)
    world.pass_until(AT + 25 * MINUTE)
    flag(world, of_all)
    world.pass_until(AT + 45 * MINUTE)


def made_up(world: DeskWorld) -> list[int | None]:
    """Minutes."""
    found = [row["nominal"] for row in world.rows() if row["trigger"] == "catch_up" and row["started"]]
    return [None if at is None else (at - AT) // MINUTE for at in found]


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize(
    ("own", "of_all", "runs"),
    [
        ("catch_up", "catch_up", [10, 20, 30, 40, 50, 60, 70]),
        ("catch_up", "next", [10, 20, 30, 40]),
        ("once", "next", [None]),
        ("once", "once", [None]),
        ("next", "catch_up", [30, 40, 50, 60, 70]),
        ("next", "next", []),
    ],
)
def test_its_own_ends_first(world: DeskWorld, own: str, of_all: str, runs: list[int | None], killed: bool) -> None:
    paused_twice(world, own, of_all)
    resume_own(world)
    if killed:
        world.kill().open()
    world.pass_until(AT + 75 * MINUTE)
    assert made_up(world) == []
    resume_all(world)
    world.pass_time(MINUTE)

    assert made_up(world) == runs
    assert set(world.fates()) == {"paused"}
    resume_again(world)
    assert made_up(world) == runs, "once"


def resume_again(world: DeskWorld) -> None:
    flag(world, "next")
    resume_all(world)


def test_that_of_all_ends_first(world: DeskWorld) -> None:
    paused_twice(world, "catch_up", "catch_up")
    resume_all(world)
    assert made_up(world) == []
    world.pass_until(AT + 55 * MINUTE)
    resume_own(world)
    world.pass_time(1)  # all have begun: their rows are written

    assert made_up(world) == [10, 20, 30, 40, 50]


def test_who_is_disabled_meanwhile_makes_up_for_nothing(world: DeskWorld) -> None:
    paused_twice(world, "catch_up", "catch_up")
    resume_own(world)
    world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", False) else [])
    resume_all(world)
    world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", True) else [])
    world.pass_time(HOUR / 12)
    resume_again(world)

    assert made_up(world) == []


def test_what_can_not_be_kept_is_known_while_this_scheduler_lives(world: DeskWorld) -> None:
    paused_twice(world, "catch_up", "next")
    world.desk.change_wishes(lambda wishes: ["job"] if wishes.pause("job", None) else [])
    world.keeps.fails = True
    make_up(world.desk, {"job": ("catch_up", float(AT + MINUTE), None)})
    assert "No space left on device" in " ".join(event.text for event in world.events)
    resume_all(world)
    world.pass_time(1)

    assert made_up(world) == [10, 20, 30, 40]
