"""Pauses of many schedules that end together cost a few writings, not some for each."""

from __future__ import annotations

import pytest
from support.desk import AT, DeskWorld, cron, job, pause

from supervisor.base.errors import Problem
from supervisor.model.wishes import Wishes

NAMES = [f"j{number}" for number in range(4)]


def test_those_that_end_together_are_kept_in_one_go(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.open(*(job(cron("* * * * *"), id=name) for name in NAMES))
    for name in NAMES:
        pause(world, until=AT + 90.0, on_resume="once", name=name)
    saves: list[Wishes] = []
    monkeypatch.setattr(world.keeps, "save_wishes", saves.append)
    world.pass_time(100)

    assert len(saves) == 3, "that they are over, which runs are promised for that, and that these are claimed"
    assert world.kinds().count("schedule.resumed") == len(NAMES)


def test_what_a_full_disk_does_not_keep_is_tried_again(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.open(*(job(cron("0 0 * * *"), id=name) for name in NAMES))
    for name in NAMES:
        pause(world, until=AT + 90.0, on_resume="once", name=name)
    keep = world.keeps.save_wishes

    def refuse(_wishes: Wishes) -> None:
        raise Problem("can't write state.json", why="No space left on device")

    monkeypatch.setattr(world.keeps, "save_wishes", refuse)
    world.pass_time(120)
    assert "schedule.resumed" not in world.kinds()
    assert world.kinds().count("intent.broken") == 1, "it is told once"

    monkeypatch.setattr(world.keeps, "save_wishes", keep)
    world.pass_time(6)
    assert world.kinds().count("schedule.resumed") == len(NAMES)
