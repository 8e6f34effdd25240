"""What came at once and was to begin one after the other does so too where a successor finds it waiting."""

from __future__ import annotations

import pytest
from support.desk import AT, HOUR, DeskWorld, cron, every, job, pause


def starts(world: DeskWorld, since: float = AT) -> list[int]:
    return sorted(round(row["started"] / 1000 - since) for name in world.desk.plans for row in world.rows(name)
                  if row["started"])  # fmt: skip


def test_intervals_that_were_seen_first(world: DeskWorld) -> None:
    world.open(*(job(every(HOUR), id=name) for name in "abcdef"))
    world.pass_time(1)
    world.kill().open()
    world.pass_time(120)

    assert starts(world) == [0, 10, 20, 30, 40, 50]


def test_those_that_go_by_their_ends_too(world: DeskWorld) -> None:
    world.open(*(job(every(HOUR, after_finish=True), id=name) for name in "abc"))
    world.pass_time(1)
    world.kill().open()
    world.pass_time(120)

    assert starts(world) == [0, 10, 20]


@pytest.mark.parametrize("kills", [1, 3])
def test_what_is_made_up_for_after_a_pause(world: DeskWorld, kills: int) -> None:
    world.open(job(cron("*/10 * * * *"), overlap="allow", overlap_max=20, spread=10.0))
    pause(world, until=AT + HOUR + 300.0, on_resume="catch_up")
    world.pass_until(AT + HOUR + 300.5)
    since = world.now
    for _ in range(kills):
        world.pass_time(1)
        world.kill().open()
    world.pass_time(100)

    begun = starts(world, since)
    assert begun == [0, 10, 20, 30, 40, 50]


def test_none_is_put_behind_its_next_slot(world: DeskWorld) -> None:
    world.open(*(job(every(30), id=name, spread=60.0) for name in "abc"))
    world.pass_time(1)
    world.kill().open()
    world.pass_until(AT + 29)

    assert starts(world) == [0, 16, 16]


def test_what_was_claimed_at_its_own_time_begins_at_once(world: DeskWorld) -> None:
    """However many those are."""
    world.open(*(job(cron("0 * * * *"), id=name) for name in "abc"))
    world.pass_until(AT + HOUR - 1)
    world.writer.is_held = True
    world.pass_until(AT + HOUR)
    world.writer.is_held = False
    world.desk.stopping = True
    world.writer.write()
    world.kill()
    world.clocks.time += 5
    world.open()

    assert [len(world.running(name)) for name in "abc"] == [1, 1, 1]
