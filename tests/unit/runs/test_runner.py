"""How steps are started, kept, ended and killed, and what each leaves behind."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, commands, job

from supervisor.model.cause import Cause, CauseKind
from supervisor.model.event import Event
from supervisor.runs.spare import KEPT_S, NAMES
from supervisor.runs.step import with_arguments


def begin(world: DeskWorld, *steps: str, **policy: Any) -> DeskWorld:
    world.open(job(steps=steps or ("get",), **policy))
    world.pass_until(AT + HOUR)
    return world


def test_a_step_knows_its_run(world: DeskWorld) -> None:
    begin(world)
    run = world.run()
    env = world.start.launches[run.key].env

    assert {name: env[name] for name in env if name.startswith("SB_")} == {
        "SB_RUN_ID": run.id, "SB_SCHEDULE": "job", "SB_STEP": "get", "SB_NOMINAL_TIME": str(AT + HOUR),
        "SB_ATTEMPT": "1", "SB_CORRELATION_ID": run.id, "SB_TENANT": "", "SB_TRIGGER": "schedule",
        "SB_RESULT_FILE": run.result, "SB_WORK_DIR": run.work,
    }  # fmt: skip
    assert os.stat(run.work).st_mode & 0o777 == 0o700


def test_steps_go_one_after_the_other_and_are_written_down(world: DeskWorld) -> None:
    begin(world, "get", "process", "push")
    for _ in range(3):
        world.end(used=(500, 1 << 20))

    assert world.steps() == [("get", 1, "succeeded"), ("process", 1, "succeeded"), ("push", 1, "succeeded")]
    row = world.rows()[0]
    assert (row["state"], row["cpu_ms"], row["memory"]) == ("succeeded", 1500, 1 << 20)
    assert (world.start.entries, world.start.notes) == ({}, {})
    folder = Path(world.home.run_work("job", "x")).parent
    world.pass_time(1)
    assert os.listdir(folder) == [NAMES[0]]
    world.pass_time(2 * KEPT_S)
    assert os.listdir(folder) == []


def test_a_failure_says_how_it_ended(world: DeskWorld) -> None:
    begin(world, "get", "push").end(code=3)

    row = world.rows()[0]
    assert (row["state"], row["exit_code"], row["cause"]) == ("failed", 3, "get: exit code 3")


@pytest.mark.parametrize(("code", "cause"), [(126, "can't be executed"), (127, "is not there"), (1, "exit code 1")])
def test_a_program_that_is_not_there_is_called_that(world: DeskWorld, code: int, cause: str) -> None:
    begin(world).end(code=code)

    assert cause in str(world.rows()[0]["cause"])


def test_one_that_can_not_be_started_has_failed(world: DeskWorld) -> None:
    begin(world)
    world.fail_to_start(world.run(), "no such user")

    assert world.rows()[0]["cause"] == "get: could not be started: no such user"
    assert world.desk.runner.runs == {}


def test_figures_are_taken_and_the_file_goes(world: DeskWorld) -> None:
    begin(world, "get", "push")
    result = world.run().result
    world.end(result='{"data": 7}')
    assert world.run().progress.metrics == {"data": 7}
    assert os.path.exists(result), "a successor may have to read it again"
    world.end()
    world.pass_time(1)
    assert not os.path.exists(result)

    assert world.rows()[0]["metrics"] == '{"data":7}'


def test_figures_that_can_not_be_read_fail_the_step_unless_it_has_failed_already(world: DeskWorld) -> None:
    begin(world, "get", "push").end(result="{")
    assert "not JSON" in str(world.rows()[0]["cause"])
    world.pass_time(HOUR)
    world.end(code=4, result="{")

    assert world.rows()[1]["cause"] == "get: exit code 4"


def test_figures_of_the_try_before_are_not_those_of_this_one(world: DeskWorld) -> None:
    begin(world, retry={"times": 1, "delay": 1.0}, safety={"min_data": 1})
    Path(world.run().result).write_text('{"data": 9}')
    world.run().progress.steps = ["get"]
    world.end(signal=9)
    world.pass_time(1)
    world.end()

    assert world.states() == ["rejected"]


def test_it_is_tried_again_under_a_key_of_its_own(world: DeskWorld) -> None:
    begin(world, retry={"times": 2, "delay": 10.0})
    first = world.run().key
    world.end(code=1)
    world.pass_time(9.9)
    assert len(world.start.spawns()) == 1
    world.pass_time(0.1)
    second = world.run().key
    assert (first.rpartition(".")[2], second.rpartition(".")[2]) == ("1", "2")
    world.end(code=1)
    world.pass_time(20)
    world.end()

    assert world.states() == ["succeeded"]
    assert [step[1:] for step in world.steps()] == [(1, "failed"), (2, "failed"), (3, "succeeded")]
    assert world.kinds().count("step.retried") == 2


def test_too_long_then_deaf_then_killed(world: DeskWorld) -> None:
    begin(world, step_timeout=60.0, stop_grace=5.0)
    world.pass_time(60)
    assert world.start.signals() == [15]
    world.pass_time(4.9)
    assert world.start.signals() == [15]
    world.pass_time(0.1)
    assert world.start.signals() == [15, 9]
    world.end(signal=9)

    assert world.states() == ["timed_out"]
    assert world.steps() == [("get", 1, "timed_out")]


def test_a_time_limit_counts_real_time_whatever_the_wall_clock_does(world: DeskWorld) -> None:
    begin(world, run_timeout=600.0)
    world.clocks.jump_wall(-86_400)
    world.pass_time(599)
    assert world.start.signals() == []
    world.clocks.jump_wall(86_400)
    world.pass_time(1)

    assert world.start.signals() == [15]


def test_an_end_of_a_process_that_is_no_more_is_no_end_of_the_next(world: DeskWorld) -> None:
    begin(world, "get", "push")
    old = world.run().key
    world.end()
    world.desk.exited(old, 256, True)
    world.desk.spawn_failed(old, Cause(CauseKind.SYSTEM, "too late"))
    world.loop.run_soon()

    assert world.run().progress.step == "push"


def test_a_process_that_nobody_waits_for_is_dropped(world: DeskWorld) -> None:
    begin(world)
    world.desk.spawned("run/rgone/1-get.1", 5, 1)

    assert ("drop", "run/rgone/1-get.1") in world.start.asked


def test_the_end_of_a_step_stays_with_start_until_what_follows_is_noted(world: DeskWorld) -> None:
    begin(world, "get", "push")
    key = world.run().key
    noted: list[str] = []
    world.start.on_spawn = lambda new: noted.extend(key for key in world.start.entries if key != new)
    world.end()

    assert noted == [key]
    assert key not in world.start.entries


def test_quality_that_is_too_bad_is_rolled_back_and_not_pushed(world: DeskWorld) -> None:
    world.catalogue.commands["job"] = commands("backup", "process", "push", "rollback")
    begin(world, "process", "push", safety={"quality": 0.7})
    world.end()
    world.end(result='{"quality": 0.2}')
    world.end()

    assert [step[0] for step in world.steps()] == ["backup", "process", "rollback"]
    assert (world.states(), world.rows()[0]["cause"]) == (["rejected"], "quality 0.2 is below 0.7")


# a stop in each phase


def test_a_stop_while_it_steps_asks_then_kills(world: DeskWorld) -> None:
    begin(world, stop_grace=3.0)
    world.desk.stop_all()
    world.pass_time(3)
    assert world.start.signals() == [15, 9]
    world.end(signal=9)

    assert (world.states(), world.desk.all_gone) == (["interrupted"], True)


def test_a_stop_while_it_waits_for_another_try_is_at_once(world: DeskWorld) -> None:
    begin(world, retry={"times": 1, "delay": 3000.0}).end(code=1)
    world.desk.stop_all()
    world.loop.run_soon()

    assert (world.states(), world.desk.all_gone) == (["interrupted"], True)


def test_a_stop_after_its_time_was_up_waits_for_no_further_try(world: DeskWorld) -> None:
    begin(world, step_timeout=5.0, retry={"times": 3, "delay": 3000.0, "timeouts": True})
    world.pass_time(5)
    world.desk.stop_all()
    world.end(signal=15)

    assert world.desk.all_gone


def test_a_stop_while_it_is_rolled_back_lets_nothing_go_on(world: DeskWorld) -> None:
    world.catalogue.commands["job"] = commands("process", "rollback")
    begin(world, "process", stop_grace=3.0).end(code=1)
    world.desk.stop_all()
    world.pass_time(3)
    assert world.start.signals() == [15, 9]
    world.end(signal=9)

    assert (world.states(), world.desk.all_gone) == (["failed"], True)


def test_a_stop_at_once_is_at_once(world: DeskWorld) -> None:
    begin(world)
    world.desk.stop_all(now=True)
    assert world.start.signals() == [9]
    world.desk.stop_all()

    assert world.start.signals() == [9]


def test_after_a_stop_nothing_begins(world: DeskWorld) -> None:
    world.open(job(), job(id="b", group="g"))
    world.desk.stop_all()
    world.pass_time(3 * HOUR)
    world.beat()

    assert world.start.spawns() == []
    assert world.desk.all_gone


# words for the shell


@pytest.mark.parametrize(
    ("argv", "args", "expected"),
    [
        (("a", "b"), [], ("a", "b")),
        (("a", "b"), ["c d"], ("a", "b", "c d")),
        (("/bin/sh", "-c", "do it"), [], ("/bin/sh", "-c", "do it")),
        (("/bin/sh", "-c", "do it"), ["$x", ";"], ("/bin/sh", "-c", 'do it "$@"', "sbctl", "$x", ";")),
    ],
)
def test_words_of_a_person_go_behind_the_command(
    argv: tuple[str, ...], args: list[str], expected: tuple[str, ...]
) -> None:
    assert with_arguments(argv, args) == expected


def test_the_note_of_its_end_is_there_before_that_is_told(world: DeskWorld) -> None:
    """Else who takes over tells it once more."""
    begin(world)
    run = world.run()
    seen: list[tuple[str, bool, bool]] = []

    def look(event: Event) -> None:
        if event.kind.startswith(("run.s", "run.f")):
            note = json.loads(world.start.notes[f"run/{run.id}"])
            seen.append((event.kind, note["progress"]["phase"] == "ended", run.key in world.start.entries))

    world.desk.telling._bus.add(look)
    world.end(run)

    assert seen == [("run.succeeded", True, False)]


def busy(world: DeskWorld) -> None:
    """A process is being made for somebody else."""
    world.desk.runner._books.asked("run/other/1-get.1")


def test_one_that_ended_in_time_has_kept_its_limit_however_late_that_is_heard(world: DeskWorld) -> None:
    begin(world, step_timeout=10.0)
    run = world.run()
    world.answer()
    world.pass_time(9.95)
    busy(world)
    world.desk.exited(run.key, 0, True)
    assert not run.has_ended
    world.pass_time(0.1)

    assert [row["state"] for row in world.rows()] == ["succeeded"]
    assert world.start.signals() == []


def test_one_that_has_ended_is_not_asked_to_end(world: DeskWorld) -> None:
    begin(world)
    run = world.run()
    world.answer()
    busy(world)
    world.desk.exited(run.key, 0, True)
    world.desk.stop_all()
    world.loop.run_soon()

    assert [row["state"] for row in world.rows()] == ["succeeded"]
    assert world.start.signals() == []
