"""Slots of a pause that nobody decided in time, for all was stopped or the machine slept: held, and not missed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, job

from supervisor.base.clock import iso
from supervisor.model.pause import encode

ALL = ["flag", "wish"]


def pause(world: DeskWorld, how: str, until: float | None = None, on_resume: str = "next") -> None:
    if how == "flag":
        path = Path(world.home.pause_file)
        path.write_bytes(encode("anna", "", iso(until) if until else "", on_resume))
        os.utime(path, (world.now, world.now))
        world.beat()
        return
    wish = {"at": world.now, "by": "anna", "reason": "", "until": until, "on_resume": on_resume}
    world.desk.change_wishes(lambda wishes: ["job"] if wishes.pause("job", wish) else [])


def away(world: DeskWorld, seconds: float) -> None:
    world.kill()
    world.clocks.time += seconds
    world.open()
    world.pass_time(40)


def fates(world: DeskWorld) -> list[tuple[int, int, Any, str]]:
    """From which to which hour, how many, and why."""
    rows = world.slots()
    return [
        ((row["nominal"] - AT) // HOUR, (row["nominal_to"] - AT) // HOUR, row["count"], row["reason"] or row["outcome"])
        for row in rows
    ]


@pytest.mark.parametrize("how", ALL)
def test_while_it_goes_on(world: DeskWorld, how: str) -> None:
    world.open(job())
    world.pass_time(10)
    pause(world, how)
    world.pass_time(HOUR)
    away(world, 3 * HOUR)
    world.pass_time(HOUR)

    assert {why for _, _, _, why in fates(world)} == {"paused"}
    assert [count for _, _, count, _ in fates(world)] == [1, 2, 2], "the last ones came to the gate"
    assert world.start.spawns() == []


@pytest.mark.parametrize("how", ALL)
def test_of_one_that_ended_meanwhile_only_what_came_after_it_was_missed(world: DeskWorld, how: str) -> None:
    world.open(job())
    world.pass_time(10)
    pause(world, how, until=AT + 3.5 * HOUR)
    away(world, 6.5 * HOUR)
    world.end()

    assert fates(world) == [(1, 3, 3, "paused"), (4, 5, 2, "missed"), (6, 6, 1, "run")]


@pytest.mark.parametrize("how", ALL)
@pytest.mark.parametrize(("on_resume", "runs"), [("next", []), ("once", [None]), ("catch_up", [1, 2, 3])])
def test_what_it_has_held_is_made_up_for_once_and_as_was_said(
    world: DeskWorld, how: str, on_resume: str, runs: list[int | None]
) -> None:
    world.open(job(overlap="queueAll", overlap_max=9, spread=1.0))
    world.pass_time(10)
    pause(world, how, until=AT + 3.5 * HOUR, on_resume=on_resume)
    away(world, 3.6 * HOUR)
    for _ in range(5):
        for run in world.running():
            world.end(run)
        world.pass_time(2)

    assert fates(world) == [(1, 3, 3, "paused")]
    assert [row["nominal"] and (row["nominal"] - AT) // HOUR for row in world.rows()] == runs


@pytest.mark.parametrize("how", ALL)
def test_what_was_missed_before_it_was_missed(world: DeskWorld, how: str) -> None:
    """Somebody paused it while all was stopped."""
    world.open(job())
    world.pass_time(10)
    world.kill()
    world.clocks.time += 2.5 * HOUR
    if how == "flag":
        path = Path(world.home.pause_file)
        path.touch()
        os.utime(path, (world.now, world.now))
    else:
        wish = {"at": world.now, "by": "anna", "reason": "", "until": None, "on_resume": "next"}
        world.keeps.saved["job"] = {"paused": wish}
    world.clocks.time += 2 * HOUR
    world.open()
    world.pass_time(40)

    assert fates(world) == [(1, 1, 1, "missed"), (2, 2, 1, "paused"), (3, 4, 2, "paused")]
    assert world.start.spawns() == []


@pytest.mark.parametrize("how", ALL)
def test_a_night_in_which_the_machine_slept(world: DeskWorld, how: str) -> None:
    world.open(job())
    world.pass_time(10)
    pause(world, how)
    world.sleep(5.2 * HOUR)
    world.pass_time(HOUR)

    assert {why for _, _, _, why in fates(world)} == {"paused"}


def test_the_newest_says_by_whom(world: DeskWorld) -> None:
    """One that is late but in time comes to the gate, as ever."""
    world.open(job())
    world.pass_time(10)
    pause(world, "flag")
    away(world, 2 * HOUR)

    assert [(row["nominal"] - AT) // HOUR for row in world.slots()] == [1, 2]
    assert [row["note"] and row["note"][-7:] for row in world.slots()] == [None, "by anna"]


def test_one_that_is_due_when_the_pause_ends_was_not_in_it(world: DeskWorld) -> None:
    world.open(job())
    pause(world, "flag", until=AT + 2 * HOUR)
    away(world, 2 * HOUR + 10)

    assert fates(world)[:2] == [(1, 1, 1, "paused"), (2, 2, 1, "claimed")]


def test_one_that_its_delay_takes_behind_the_pause_runs(world: DeskWorld) -> None:
    world.open(job(jitter=3000.0))
    delay = world.plan().rule.delay(AT + HOUR)
    assert delay > 60
    pause(world, "flag", until=AT + HOUR + delay - 30)
    away(world, HOUR + delay + 1)

    assert world.run().nominal == AT + HOUR
