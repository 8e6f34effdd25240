"""Whoever was told that a pause is over relies on what is made up for, also if the scheduler is killed just then."""

from __future__ import annotations

import os

import pytest
from support.desk import AT, HOUR, LOCKED, DeskWorld, job, pause

from supervisor.model.wishes import Wishes
from supervisor.runs.resuming import resume
from supervisor.store.bulk import apply_all

ALL = ["own", "of all"]
RUNS = [("once", [None]), ("catch_up", [1, 2, 3])]


def paused(world: DeskWorld, which: str, on_resume: str) -> None:
    """It has held three slots, and nothing gets to the disk from now on."""
    world.open(job(overlap="queueAll", overlap_max=9, max_catchup=9, spread=1.0), job(id="other", enabled=False))
    world.pass_time(60)
    if which == "own":
        pause(world, on_resume=on_resume)
    else:
        world.desk.pauses.pause_all("anna", "", "", on_resume)
        os.utime(world.home.pause_file, (world.now, world.now))  # its time is that of the file
    world.beat()
    world.pass_until(AT + 3.5 * HOUR)
    assert world.fates() == ["paused"] * 3
    world.writer.is_held = world.writer.hangs = True


def go_on(world: DeskWorld, which: str) -> None:
    if which == "own":
        resume(world.desk, ["job"], "anna")
    else:
        assert world.desk.pauses.resume_all()


def commit(world: DeskWorld, count: int = 99) -> None:
    """Nobody has heard of it yet."""
    apply_all(world.db, world.writer._waiting[:count])


def made_up(world: DeskWorld) -> list[int | None]:
    """Which hours, once all of that has run."""
    for _ in range(8):
        world.pass_time(3)
        for run in world.running():
            world.end(run)
    assert world.keeps.saved.get("job") is None, "nothing is owed"
    rows = [row for row in world.rows() if row["trigger"] == "catch_up" and row["started"]]
    assert {row["state"] for row in rows} <= {"succeeded"}
    return [row["nominal"] and (row["nominal"] - AT) // HOUR for row in rows]


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("which", ALL)
@pytest.mark.parametrize(("on_resume", "runs"), RUNS)
def test_killed_with_the_answer(
    world: DeskWorld, which: str, on_resume: str, runs: list[int | None], later: bool
) -> None:
    """`later`: when the claims are on their way."""
    paused(world, which, on_resume)
    go_on(world, which)
    if later:
        world.loop.run_soon()
    world.kill().open()
    assert made_up(world) == runs

    world.kill().open()
    assert made_up(world) == runs, "and that was all"


@pytest.mark.parametrize("which", ALL)
@pytest.mark.parametrize(("on_resume", "runs"), RUNS)
def test_killed_as_the_claims_are_on_the_disk(
    world: DeskWorld, which: str, on_resume: str, runs: list[int | None]
) -> None:
    paused(world, which, on_resume)
    go_on(world, which)
    world.loop.run_soon()
    commit(world)
    assert "promised" in world.keeps.saved["job"]
    world.kill().open()

    assert made_up(world) == runs


def test_killed_as_some_of_them_are(world: DeskWorld) -> None:
    paused(world, "own", "catch_up")
    go_on(world, "own")
    commit(world, 2)
    assert len(world.rows()) == 2
    world.kill().open()

    assert sorted(made_up(world), key=str) == [1, 2, 3]


@pytest.mark.parametrize("which", ALL)
def test_what_could_not_be_forgotten_is_known_by_the_history(world: DeskWorld, which: str) -> None:
    paused(world, which, "once")
    go_on(world, which)
    world.loop.run_soon()
    saved = dict(world.keeps.saved)
    world.writer.is_held = world.writer.hangs = False
    world.writer.write()
    assert made_up(world) == [None]
    world.keeps.saved = saved
    world.kill().open()

    assert made_up(world) == [None]


def test_one_that_began_on_a_disk_that_does_not_answer_does_not_begin_again(world: DeskWorld) -> None:
    paused(world, "own", "once")
    go_on(world, "own")
    world.pass_time(3)
    assert world.run().unledgered
    world.kill().open()

    assert made_up(world) == [None]
    assert len(world.start.spawns()) == 1


@pytest.mark.parametrize("claimed", [False, True])
def test_a_successor_without_the_history_waits_for_it(world: DeskWorld, claimed: bool) -> None:
    paused(world, "own", "once")
    go_on(world, "own")
    if claimed:
        commit(world)
    world.kill().open(trouble=LOCKED, later=True)
    world.writer.is_held = True
    world.pass_time(60)
    assert world.start.spawns() == []
    world.learn()

    assert made_up(world) == [None]


def test_nobody_knows_what_has_run_where_the_history_is_lost(world: DeskWorld) -> None:
    paused(world, "own", "once")
    go_on(world, "own")
    world.kill().open(trouble="it is none")

    assert made_up(world) == []


@pytest.mark.parametrize("how", ["pause", "disable"])
def test_who_may_not_run_meanwhile_does_not(world: DeskWorld, how: str) -> None:
    paused(world, "own", "once")
    go_on(world, "own")
    wishes = Wishes(world.keeps.saved)
    if how == "disable":
        wishes.enable("job", False)
    else:
        wishes.pause("job", {"at": world.now, "by": "", "reason": "", "until": world.now + 300, "on_resume": "next"})
    world.keeps.saved = wishes.as_dict()
    world.kill().open()
    world.pass_time(200)
    assert world.start.spawns() == []
    world.pass_time(200)
    world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", None) else [])

    assert made_up(world) == ([] if how == "disable" else [None])


def test_a_flag_that_can_not_be_removed_leaves_nothing_owed(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    paused(world, "of all", "next")
    monkeypatch.setattr(os, "unlink", lambda _path: os.rmdir("/proc/self"))
    with pytest.raises(OSError, match="proc"):
        world.desk.pauses.resume_all("once")

    assert "job" not in world.keeps.saved
    assert world.desk.pauses.look() is not None


@pytest.mark.parametrize("killed", [False, True])
def test_those_that_wait_and_meet_another_pause_come_again_at_its_end(world: DeskWorld, killed: bool) -> None:
    paused(world, "own", "catch_up")
    world.writer.is_held = world.writer.hangs = False
    go_on(world, "own")
    world.pass_time(0.1)
    assert (len(world.running()), len(world.plan().queued)) == (1, 2)
    pause(world)
    world.end(world.running()[0])
    world.pass_time(60)
    assert sorted(world.states()) == ["cancelled", "cancelled", "succeeded"]
    if killed:
        world.kill().open()
    go_on(world, "own")

    assert made_up(world) == [1, 2, 3]
