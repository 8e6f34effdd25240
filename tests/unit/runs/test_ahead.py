"""What is about to begin finds its folder and log made; what does not begin after all leaves nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.desk import AT, HOUR, DeskWorld, commands, cron, job

from supervisor.runs import runner as runners
from supervisor.runs.ahead import KEPT_S, QUIET_S
from supervisor.runs.ready import AHEAD_S

SHORTLY_BEFORE = AT + HOUR - AHEAD_S / 2


def left(world: DeskWorld, plugin: str = "job") -> list[str]:
    """All files and folders of its runs."""
    folder = Path(world.home.run_log(plugin, "x")).parent.parent
    return sorted(path.name for kind in ("runs", "work") for path in (folder / kind).glob("*"))


def no_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it was not laid out before")

    monkeypatch.setattr(runners, "Layout", refuse)


def test_folder_and_log_are_there_before(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.open(job())
    world.pass_until(SHORTLY_BEFORE)
    (ready,) = world.desk.planner._coming
    assert ready.slot is not None
    assert ready.slot.run is not None
    run = ready.slot.run
    assert left(world) == [run.id, f"{run.id}.log"]
    assert world.start.spawns() == []

    no_layout(monkeypatch)
    world.pass_until(AT + HOUR)

    assert world.run() is run
    launch = world.start.launches[run.key]
    assert (launch.log, launch.env["SB_WORK_DIR"], launch.env["SB_ATTEMPT"]) == (run.log, run.work, "1")
    assert run.last["log_from"][0] == os.path.getsize(run.log) > 0
    world.pass_time(KEPT_S + 1)
    assert left(world) == [run.id, f"{run.id}.log"]


@pytest.mark.parametrize("is_held_before", [True, False])
def test_what_is_held_leaves_nothing(world: DeskWorld, is_held_before: bool) -> None:
    world.open(job())
    pause = Path(world.home.pause_file)
    if is_held_before:
        pause.touch()
    world.pass_until(SHORTLY_BEFORE)
    assert bool(left(world)) is not is_held_before
    pause.touch()
    world.pass_until(AT + HOUR + KEPT_S + 1)

    assert world.start.spawns() == []
    assert left(world) == []


def test_other_settings_are_followed(world: DeskWorld) -> None:
    """Laid out for a command that is another one by now."""
    world.open(job())
    world.pass_until(SHORTLY_BEFORE)
    world.catalogue.commands["job"] = commands("get")
    other = world.catalogue.commands["job"]["get"]
    other.argv = ("/bin/other",)
    world.pass_until(AT + HOUR)
    run = world.run()

    assert world.start.launches[run.key].argv == ("/bin/other",)
    assert Path(run.log).read_text() == "=== get: /bin/other\n"
    assert os.path.isdir(run.work)


def test_a_command_that_is_gone(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(SHORTLY_BEFORE)
    world.catalogue.commands["job"] = commands("push")
    world.pass_until(AT + HOUR + KEPT_S + 1)

    assert world.start.spawns() == []
    assert [row["state"] for row in world.rows()] == ["failed"]
    assert left(world) == []


def test_a_stop_in_the_last_moment(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(SHORTLY_BEFORE)
    world.desk.stop_all()

    assert left(world) == []


def test_in_the_very_last_moment_nothing_is_made(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(AT + HOUR - HOUR / 2)
    world.clocks.time += HOUR / 2 - QUIET_S / 2  # the loop was busy
    world.loop.run_soon()
    assert left(world) == []
    world.pass_until(AT + HOUR)

    assert len(world.start.spawns()) == 1


def test_many_runs_leave_nothing(world: DeskWorld) -> None:
    world.open(*(job(cron("* * * * *"), id=f"job{number}", plugin="job") for number in range(20)))
    for _ in range(5):
        world.pass_time(60)
        for run in list(world.desk.runner.runs.values()):
            world.end(run)
    world.desk.stop_all()

    assert len(world.start.spawns()) == 100
    assert world.desk.runner.laid_out == {}
    assert [name for name in left(world) if not name.endswith(".log")] == []
