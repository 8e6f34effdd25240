"""The folder of a run that has ended serves the next one, so none has to be made; never with anything in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, commands, job
from support.waiting import eventually

from supervisor.model.launch import User
from supervisor.runs import sweeping
from supervisor.runs.spare import KEPT_S, NAMES, SpareFolders
from supervisor.runs.sweeping import LATER_S

EVERY_10_S = {"kind": "cron", "expr": "*/10 * * * * *", "seconds": True}


def place(world: DeskWorld, plugin: str = "job") -> Path:
    return Path(world.home.run_work(plugin, "x")).parent


def one_run(world: DeskWorld, meanwhile: Callable[[str], object] = lambda _: None) -> int:
    """The next one, until its folder is cleared away. Returns the inode of that."""
    world.pass_until((world.now // 10 + 1) * 10 + 0.001)
    run = world.run()
    found = os.stat(run.work).st_ino
    meanwhile(run.work)
    world.end()
    world.pass_time(LATER_S + 0.1)
    eventually(lambda: not os.path.lexists(run.work))  # what lies in it goes in a thread
    return found


def test_the_next_run_has_the_folder_of_the_one_before(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.open(job(EVERY_10_S))
    first = one_run(world)
    assert os.listdir(place(world)) == [NAMES[0]]
    monkeypatch.setattr(sweeping, "make_work_folder", None)  # none is made any more
    monkeypatch.setattr(sweeping, "remove_work_folder", None)  # nor removed

    assert [one_run(world) for _ in range(5)] == [first] * 5
    assert world.states() == ["succeeded"] * 6


def by_attribute(work: str) -> None:
    try:
        os.setxattr(work, "user.of", b"the run before")
    except OSError as error:
        pytest.skip(f"this file system has no attributes: {error}")


LEFT: dict[str, Callable[[str], object]] = {
    "a file": lambda work: Path(work, "left").write_text("x"),
    "a folder": lambda work: Path(work, "inner").mkdir(),
    "another mode": lambda work: os.chmod(work, 0o777),
    "a mark": by_attribute,
    "nothing": os.rmdir,
}


@pytest.mark.parametrize("what", LEFT)
def test_what_a_run_has_left_is_nobodys(world: DeskWorld, what: str) -> None:
    world.open(job(EVERY_10_S))
    one_run(world, LEFT[what])
    assert os.listdir(place(world)) == []

    def is_as_new(work: str) -> None:
        assert os.listdir(work) == []
        assert os.stat(work).st_mode & 0o7777 == 0o700
        assert not [name for name in os.listxattr(work) if name.startswith("user.")]

    one_run(world, is_as_new)
    assert len(world.start.spawns()) == 2


def test_a_link_in_its_place_is_not_followed(world: DeskWorld, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir(0o700)

    def put_link(work: str) -> None:
        os.rmdir(work)
        os.symlink(kept, work)

    world.open(job(EVERY_10_S))
    one_run(world, put_link)
    one_run(world, lambda work: Path(work, "mine").touch())

    assert list(kept.iterdir()) == []


def test_while_somebody_of_a_step_lives_its_folder_is_no_other_runs(world: DeskWorld) -> None:
    """It may stand in it, and write there however the folder is called."""
    world.open(job(EVERY_10_S))
    world.pass_until(AT + 10)
    run = world.run()
    world.exit(run.key, 0)
    world.answer()
    world.desk.exited(run.key, 0, False)
    world.pass_time(LATER_S + 0.1)

    assert world.states() == ["succeeded"]
    assert os.listdir(place(world)) == []


def test_of_a_run_that_was_taken_over_nobody_knows_who_stands_in_it(world: DeskWorld) -> None:
    world.open(job(EVERY_10_S))
    world.pass_until(AT + 10)
    world.answer()
    world.kill().open()
    world.end()
    world.pass_time(LATER_S + 0.1)

    assert os.listdir(place(world)) == []


def test_steps_of_one_run_share_its_folder(world: DeskWorld) -> None:
    world.open(job(EVERY_10_S, steps=("get", "push")))
    world.pass_until(AT + 10)
    for _ in range(2):
        work = Path(world.run().work)
        (work / "made by get").touch()
        world.end()
        assert (work / "made by get").exists()
        (work / "made by get").unlink()
        world.end()
        world.pass_time(LATER_S + 0.1)
        assert os.listdir(place(world)) == [NAMES[0]]
        world.pass_until((world.now // 10 + 1) * 10)


def test_who_runs_as_another_gets_a_new_one(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    real = sweeping.make_work_folder
    monkeypatch.setattr(sweeping, "make_work_folder", lambda path, user: made.append(user) or real(path, user))
    world.open(job(EVERY_10_S))
    one_run(world)
    user = User(name="me", uid=os.getuid(), gid=os.getgid(), groups=(), home="/")
    world.catalogue.commands["job"] = commands("get")
    world.catalogue.commands["job"]["get"].user = user
    world.pass_time(5)
    one_run(world)

    assert made == [None, user]


def test_those_that_are_not_needed_go(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(AT + HOUR)
    world.end()
    world.pass_time(LATER_S + 0.1)
    assert os.listdir(place(world)) == [NAMES[0]]
    world.pass_time(2 * KEPT_S)

    assert os.listdir(place(world)) == []
    assert world.desk.runner.folders._spare._of == {}


def test_a_stop_leaves_none(world: DeskWorld) -> None:
    world.open(job(EVERY_10_S))
    one_run(world)
    world.desk.stop_all()

    assert os.listdir(place(world)) == []


def test_only_so_many_of_a_plugin_are_kept_and_each_for_its_own(world: DeskWorld, tmp_path: Path) -> None:
    removed: list[str] = []
    spare = SpareFolders(world.loop, removed.append)
    for number in range(len(NAMES) + 1):
        (tmp_path / "a" / f"r{number}").mkdir(0o700, parents=True)
    kept = [spare.keep(str(tmp_path / "a" / f"r{number}")) for number in range(len(NAMES) + 1)]

    assert kept == [True] * len(NAMES) + [False]
    (tmp_path / "b").mkdir()
    assert not spare.take(str(tmp_path / "b" / "r9"))
    assert [spare.take(str(tmp_path / "a" / f"r{number}")) for number in range(10, 15)] == kept
    assert removed == []


def test_one_that_was_removed_by_hand_is_no_trouble(world: DeskWorld) -> None:
    world.open(job(EVERY_10_S))
    one_run(world)
    (place(world) / NAMES[0]).rmdir()
    one_run(world)

    assert world.states() == ["succeeded"] * 2


def test_what_a_killed_scheduler_kept_is_written_over(world: DeskWorld) -> None:
    world.open(job(EVERY_10_S))
    one_run(world)
    world.kill().open()
    one_run(world)

    assert os.listdir(place(world)) == [NAMES[0]]


def test_a_spare_one_looks_as_young_as_it_is(world: DeskWorld) -> None:
    """By that the tidying knows what was left long ago."""
    world.open(job(EVERY_10_S))
    one_run(world, lambda work: os.utime(work, (0, 0)))

    assert os.stat(place(world) / NAMES[0]).st_mtime > 0
