"""What a desk does with all that its predecessor left, wherever that was killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, after, commands, desk_world, every, job

from supervisor.model.event import Event
from supervisor.model.run import RunState, Trigger
from supervisor.runs.context import Context
from supervisor.runs.run import Run


def begin(world: DeskWorld, *steps: str, **policy: Any) -> Run:
    world.open(job(steps=steps or ("get",), **policy))
    world.pass_until(AT + HOUR)
    return world.run()


def test_a_run_goes_on_and_its_end_is_heard(world: DeskWorld) -> None:
    before = begin(world, "get", "push")
    world.kill().open()
    assert world.run().id == before.id
    assert len(world.start.spawns()) == 1
    world.end()
    world.end()

    assert world.states() == ["succeeded"]
    assert world.kinds().count("run.started") == 1
    assert (world.start.notes, world.start.entries) == ({}, {})


def test_an_end_that_came_while_nobody_listened_is_found(world: DeskWorld) -> None:
    run = begin(world, "get", "push")
    world.kill()
    world.exit(run.key, 0, (250, 5))
    world.open()

    assert world.run().progress.step == "push"
    assert world.run().cpu_ms == 250


def test_what_a_step_has_said_is_still_there_for_who_has_to_judge_by_it(world: DeskWorld) -> None:
    """The scheduler had heard of its end, and was killed before its note of the next step had left it."""
    world.catalogue.commands["job"] = commands("process", "push", "rollback")
    begin(world, "process", "push", safety={"quality": 0.7})
    world.start.is_deaf = True
    world.end(result='{"quality": 0.2}')
    world.kill().open()
    world.end()

    assert [step[0] for step in world.steps()] == ["process", "rollback"]
    assert world.states() == ["rejected"]


def ended_unheard(world: DeskWorld, gap: float) -> None:
    """Its step takes 3 s, and so long later there is a scheduler again."""
    run = begin(world)
    world.kill()
    world.pass_time(3)
    world.exit(run.key, 0)
    world.pass_time(gap)


def test_an_end_that_came_while_nobody_listened_has_the_time_at_which_it_came(world: DeskWorld) -> None:
    ended_unheard(world, 100)
    world.open()

    end = (AT + HOUR + 3) * 1000
    assert world.rows()[0]["ended"] == end
    assert world.db.execute("SELECT ended FROM steps").fetchall() == [(end,)]
    assert (world.plan().last_took, world.plan().last_at) == (3, AT + HOUR + 3)
    told = {event.kind: event.data for event in world.events if event.data}
    assert (told["step.ended"]["took_s"], told["run.succeeded"]["took_s"]) == (3, 3)


def test_a_run_that_ended_unheard_holds_up_no_slot(world: DeskWorld) -> None:
    ended_unheard(world, HOUR)  # its next slot was due meanwhile
    world.open()

    assert world.outcomes() == [(AT + HOUR, "run"), (AT + 2 * HOUR, "claimed")]


def test_a_row_that_lacks_its_beginning_costs_nobody_else(world: DeskWorld) -> None:
    """The history was deleted between its claim and its beginning, say."""
    begin(world)
    world.kill()
    world.start.entries.clear()
    world.start.notes.clear()
    world.db.execute('UPDATE runs SET "trigger" = NULL, due = NULL, plugin = NULL')
    world.pass_time(10)
    world.open()

    assert world.states() == ["lost"]
    world.pass_time(HOUR)
    assert len(world.running()) == 1


def test_a_row_that_can_not_be_read_costs_nobody_else(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(world)
    world.kill()
    world.start.entries.clear()
    world.start.notes.clear()
    world.db.execute("UPDATE runs SET \"trigger\" = 'by magic'")
    errors: list[BaseException] = []
    monkeypatch.setattr(world.loop, "_report", errors.append)
    world.pass_time(10)
    world.open()

    assert len(errors) == 1
    world.pass_time(HOUR)
    assert len(world.running()) == 1


def test_a_step_that_was_killed_for_want_of_memory_while_nobody_listened(world: DeskWorld) -> None:
    run = begin(world)
    world.kill()
    world.exit(run.key, 9)
    world.start.entries[run.key]["oom"] = True
    world.open()

    assert "want of memory" in world.rows()[0]["cause"]


def test_the_step_after_one_that_ended_unheard_begins_now(world: DeskWorld) -> None:
    run = begin(world, "get", "push")
    world.kill()
    world.exit(run.key, 0)
    world.pass_time(100)
    world.open()
    world.pass_time(5)
    world.end()

    times = [AT + HOUR, AT + HOUR, AT + HOUR + 100, AT + HOUR + 105]
    found = world.db.execute("SELECT started, ended FROM steps ORDER BY number").fetchall()
    assert [each for row in found for each in row] == [each * 1000 for each in times]
    assert world.rows()[0]["ended"] == times[-1] * 1000


def test_a_limit_that_passed_only_after_its_end_was_kept(world: DeskWorld) -> None:
    begin(world, step_timeout=50.0)
    world.kill()
    world.exit(next(iter(world.start.entries)), 0)
    world.pass_time(100)
    world.open()
    world.pass_time(1)

    assert (world.states(), world.start.signals()) == (["succeeded"], [])


def test_one_that_ended_in_time_is_not_said_to_take_too_long(world: DeskWorld) -> None:
    ended_unheard(world, 1000)
    world.db.execute("UPDATE schedules SET recent = '[3, 3, 3, 3, 3]'")
    world.open()
    world.pass_time(1)

    assert world.states() == ["succeeded"]
    assert "run.too_long" not in world.kinds()


def test_one_that_goes_on_is_still_said_to_take_too_long(world: DeskWorld) -> None:
    begin(world)
    world.kill()
    world.db.execute("UPDATE schedules SET recent = '[3, 3, 3, 3, 3]'")
    world.pass_time(1000)
    world.open()
    world.pass_time(1)

    assert world.kinds().count("run.too_long") == 1


def test_the_time_of_an_end_that_start_did_not_note_is_that_of_the_takeover(world: DeskWorld) -> None:
    """As from one of an older version."""
    ended_unheard(world, 100)
    for entry in world.start.entries.values():
        del entry["ended"]
    world.open()

    assert world.rows()[0]["ended"] == (AT + HOUR + 103) * 1000


def test_an_end_that_comes_before_the_desk_is_open_has_the_time_at_which_it_came(world: DeskWorld) -> None:
    run = begin(world)
    world.kill()
    world.pass_time(3)
    world.desk.exited(run.key, 0, True)
    world.pass_time(10)
    world.open()

    assert world.rows()[0]["ended"] == (AT + HOUR + 3) * 1000


def test_a_failure_to_start_that_came_while_nobody_listened_is_found(world: DeskWorld) -> None:
    run = begin(world)
    world.kill()
    world.start.entries[run.key]["cause"] = {"text": "no such user"}
    world.open()

    assert world.rows()[0]["cause"] == "get: could not be started: no such user"


def test_an_end_that_comes_before_the_desk_is_open_is_kept(world: DeskWorld) -> None:
    run = begin(world)
    world.kill()
    world.desk.exited(run.key, 0, True, None, (7, 7))
    world.open()

    assert world.states() == ["succeeded"]


def test_the_time_limits_of_a_run_go_on(world: DeskWorld) -> None:
    begin(world, step_timeout=100.0)
    world.pass_time(60)
    world.kill().open()
    world.pass_time(39)
    assert world.start.signals() == []
    world.pass_time(1)

    assert world.start.signals() == [15]


def test_one_that_waits_for_its_next_try_gets_it(world: DeskWorld) -> None:
    begin(world, retry={"times": 1, "delay": 100.0})
    world.end(code=1)
    world.kill().open()
    world.pass_time(100)
    world.end()

    assert world.states() == ["succeeded"]


def test_a_run_goes_on_though_its_schedule_or_its_plugin_is_gone(world: DeskWorld) -> None:
    run = begin(world, "get", "push")
    world.kill()
    world.catalogue.commands.clear()
    world.set(job(id="other"))
    world.open()
    world.end(run.key)

    assert world.states() == ["failed"]
    assert "no command push" in str(world.rows()[0]["cause"])
    assert world.desk.runner.runs == {}


def test_a_run_that_died_with_start_or_with_the_machine_is_lost(world: DeskWorld) -> None:
    run = begin(world)
    world.kill()
    world.start.entries.clear()
    world.start.notes.clear()
    world.open()

    assert (world.states(), world.kinds("job")[-1]) == (["lost"], "run.lost")
    assert world.rows()[0]["id"] == run.id
    assert world.reasons() == ["run"]
    assert world.plan().breaker.streak == 0


def die_with_start(world: DeskWorld) -> None:
    """Both, before anything of what happened last is on the disk."""
    world.kill()
    world.start.entries.clear()
    world.start.notes.clear()
    world.events.append(Event("start.began", "", at=world.now))


@pytest.mark.parametrize("code", [0, 3])
def test_one_whose_end_was_told_keeps_it_though_all_died_before_it_was_written(world: DeskWorld, code: int) -> None:
    begin(world)
    world.writer.is_held = world.writer.hangs = True
    world.pass_time(5)
    ended = world.now
    world.end(code=code)
    die_with_start(world)
    world.pass_time(60)
    world.open()

    state = "failed" if code else "succeeded"
    [row] = world.rows()
    assert (row["state"], row["exit_code"], row["ended"]) == (state, code, int(ended * 1000))
    assert row["cause"] == ("get: exit code 3" if code else None)
    assert world.kinds("job").count(f"run.{state}") == 1
    assert "run.lost" not in world.kinds()
    steps = "SELECT number, attempt, name, state, ended, exit_code, cause FROM steps"
    assert world.db.execute(steps).fetchall() == [
        (1, 1, "get", state, int(ended * 1000), code, "exit code 3" if code else None)
    ]


@pytest.mark.parametrize("all_died", [True, False])
def test_one_that_began_is_not_begun_again_though_its_row_is_behind(world: DeskWorld, all_died: bool) -> None:
    """While `start` lives its notes say whether it began, whatever was told."""
    begin(world)
    world.db.execute("UPDATE runs SET state = 'claimed', started = NULL")
    die_with_start(world)
    if not all_died:
        world.events.pop()
    world.open()

    assert world.states() == (["lost"] if all_died else ["running"])
    assert len(world.start.spawns()) == (1 if all_died else 2)


def test_a_lost_run_is_done_again_where_that_is_wanted(world: DeskWorld) -> None:
    run = begin(world, interrupted="rerun")
    world.kill()
    world.start.entries.clear()
    world.start.notes.clear()
    world.open()

    assert (world.run().trigger, world.run().retry_of) == ("rerun", run.id)


@pytest.mark.parametrize("told", [False, True])
def test_an_end_that_was_noted_but_not_written_is_written_and_told_once(world: DeskWorld, told: bool) -> None:
    begin(world)
    world.writer.is_held = True
    world.end()
    assert world.states() == ["running"]
    if not told:
        world.events = [event for event in world.events if event.kind != "run.succeeded"]
    world.kill().open()

    assert world.states() == ["succeeded"]
    assert world.kinds().count("run.succeeded") == 1
    assert world.start.notes == {}
    assert world.plan().total == 1


def test_an_end_that_is_in_the_history_is_not_told_again(world: DeskWorld) -> None:
    begin(world)
    notes = dict(world.start.notes)
    world.end()
    world.start.notes = {name: note.replace('"stepping"', '"ended"') for name, note in notes.items()}
    world.kill().open()

    assert world.kinds().count("run.succeeded") == 1
    assert (world.plan().total, world.start.notes) == (1, {})


def by_hand(world: DeskWorld) -> Run:
    run = Run("rhand", "", "job", ["get"], trigger=Trigger.MANUAL, due=world.now)
    world.desk.runner.begin(run, Context(world.desk.by_hand_policy, world.catalogue.commands["job"]))
    return run


def test_the_end_of_a_run_by_hand_that_was_never_written_is_not_lost(world: DeskWorld) -> None:
    """It begins without waiting for the disk, so there may be no row of it at all."""
    world.open(job())
    world.writer.is_held = True
    run = by_hand(world)
    assert run.progress.state == RunState.RUNNING
    world.events.clear()
    world.start.is_deaf = False
    noted = dict(world.start.notes)
    world.end(run.key)
    world.start.notes = {
        name: note.replace('"phase": "stepping"', '"phase": "ended"').replace('"running"', '"succeeded"')
        for name, note in noted.items()
    }
    world.events.clear()
    world.kill().open()

    row = world.db.execute("SELECT state FROM runs WHERE id = 'rhand'").fetchone()
    assert row == ("succeeded",)


def test_the_end_of_a_run_by_hand_that_was_never_written_counts_and_is_followed(world: DeskWorld) -> None:
    world.open(job(id="s"), job(after("s", "failed"), id="n"))
    world.writer.is_held = True
    run = Run("rhand", "s", "s", ["get"], trigger=Trigger.MANUAL, due=world.now)
    world.desk.runner.begin(run, Context(world.plan("s").schedule.policy, world.catalogue.commands["s"]))
    world.end("s", 1)
    world.kill().open()

    assert (world.plan("s").total, world.plan("s").failed) == (1, 1)
    assert world.kinds("s").count("run.failed") == 1
    assert [run.after for run in world.running("n")] == ["rhand"]


def test_what_a_killed_one_had_not_written_of_a_step_is_written(world: DeskWorld) -> None:
    run = begin(world, "get", "push")
    world.writer.is_held = True
    world.end()
    world.kill()
    world.writer.is_held = False
    world.open()
    world.end()

    found = world.db.execute("SELECT name, state, exit_code, ended > 0 FROM steps WHERE run = ?", (run.id,)).fetchall()
    assert sorted(found) == [("get", "succeeded", 0, 1), ("push", "succeeded", 0, 1)]


# claims


def test_a_claim_that_never_began_begins(world: DeskWorld) -> None:
    world.open(job())
    world.writer.is_held = True
    world.pass_until(AT + HOUR)
    world.start.is_deaf = True
    world.writer.write()
    world.kill().open()

    assert world.run().nominal == AT + HOUR
    assert len(world.rows()) == 1


def test_those_that_waited_go_on_waiting_in_their_order(world: DeskWorld) -> None:
    world.open(job(overlap="queueAll"))
    world.pass_until(AT + 3 * HOUR)
    world.kill().open()
    begun = []
    for _ in range(3):
        begun.append(world.run().nominal)
        world.end()
        world.pass_time(30)

    assert begun == [AT + HOUR, AT + 2 * HOUR, AT + 3 * HOUR]
    assert world.reasons() == ["run"] * 3


def never_begun(world: DeskWorld, away: float, **more: Any) -> None:
    """Three claims of one time are on the disk when their scheduler is killed; the next one comes so much later."""
    world.open(*(job(id=name, **more) for name in "abc"))
    world.writer.is_held = True
    world.pass_until(AT + HOUR)
    world.start.is_deaf = True
    world.writer.write()
    world.kill()
    world.pass_time(away)
    world.open()


def test_many_that_never_began_and_are_in_time_begin_at_once(world: DeskWorld) -> None:
    never_begun(world, 20)

    assert len(world.desk.runner.runs) == 3


def test_many_that_never_began_and_are_late_do_not_begin_at_once(world: DeskWorld) -> None:
    never_begun(world, HOUR / 2)
    assert len(world.desk.runner.runs) == 1
    world.pass_time(20)

    assert len(world.desk.runner.runs) == 3


def test_what_is_late_begins_before_its_own_next_slot(world: DeskWorld) -> None:
    """Else that one would find it waiting."""
    never_begun(world, HOUR - 8)
    world.pass_time(7)

    assert len(world.desk.runner.runs) == 3


@pytest.mark.parametrize(("gone", "reason"), [(True, "edited"), (False, "disabled")])
def test_one_that_waited_and_may_not_begin_any_more(world: DeskWorld, gone: bool, reason: str) -> None:
    world.open(job(overlap="queueOne"))
    world.pass_until(AT + 2 * HOUR)
    world.end()
    world.kill()
    world.start.notes.clear()
    world.start.entries.clear()
    world.db.execute("UPDATE runs SET state = 'queued', started = NULL WHERE ended IS NULL")
    world.set(job(id="other") if gone else job(enabled=False, overlap="queueOne"))
    world.open()
    world.pass_time(30)

    assert world.reasons() == ["run", reason]
    assert world.states() == ["succeeded"]


def test_a_run_by_hand_that_never_began_is_cancelled(world: DeskWorld) -> None:
    world.open(job())
    world.db.execute(
        "INSERT INTO runs (id, schedule, plugin, trigger, claimed, due, state)"
        " VALUES ('r1', 'job', 'job', 'manual', 1, 1, 'claimed')"
    )
    world.kill().open()

    assert world.states() == ["cancelled"]


def test_what_was_decided_before_a_run_without_a_durable_claim_is_not_lost(world: DeskWorld) -> None:
    world.open(job())
    world.writer.is_held = world.writer.hangs = True
    Path(world.home.pause_file).touch()
    world.pass_until(AT + 2 * HOUR)
    Path(world.home.pause_file).unlink()
    world.pass_until(AT + 3 * HOUR + 10)
    assert world.run().unledgered
    world.kill().open()
    world.end()

    rows = [(row["nominal"] - AT, row["nominal_to"] - AT, row["reason"] or row["outcome"]) for row in world.slots()]
    assert rows == [(HOUR, 2 * HOUR, "missed"), (3 * HOUR, 3 * HOUR, "run")]


def test_who_follows_begins_once_though_no_claim_and_no_end_is_on_the_disk(world: DeskWorld) -> None:
    world.open(job(id="first"), job(after("first"), id="follows"))
    world.writer.is_held = world.writer.hangs = True
    world.pass_until(AT + HOUR + 3)
    world.end("first")
    world.pass_time(3)
    assert [run.schedule for run in world.desk.runner.runs.values() if run.unledgered] == ["follows"]
    world.kill()
    world.writer.is_held = world.writer.hangs = True
    world.open()
    world.pass_time(5)

    assert [run.schedule for run in world.desk.runner.runs.values()] == ["follows"]
    assert len(world.start.spawns()) == 2


@pytest.mark.parametrize(("pause", "runs"), [(5, 1), (3600, 0)])
def test_one_that_was_just_seen_first_runs_though_that_is_not_on_the_disk(
    world: DeskWorld, pause: float, runs: int
) -> None:
    """When it was seen is kept in another file. Much later it is the history that was deleted, and nothing runs."""
    world.writer.is_held = world.writer.hangs = True
    world.open(job(every(24 * HOUR)))
    world.kill()
    world.start.entries.clear()
    world.start.notes.clear()
    world.pass_time(pause)
    world.open()

    assert len(world.rows()) == runs
    assert [row["nominal"] for row in world.slots()] == [AT] * runs


# strays


def test_processes_that_belong_to_no_run_are_let_go_with_their_pipes(world: DeskWorld) -> None:
    begin(world)
    read, write = os.pipe()
    os.close(write)
    stray = dict(next(iter(world.start.entries.values())), key="run/rgone/1-get.1", out_read=read)
    world.start.entries["run/rgone/1-get.1"] = stray
    world.kill().open()

    assert list(world.start.entries) == [world.run().key]
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(read)


def test_a_desk_that_is_stopped_while_it_opens_ends_what_goes_on_and_begins_nothing(world: DeskWorld) -> None:
    begin(world, overlap="queueOne")
    world.pass_time(HOUR)
    world.kill()
    world.desk.stopping = True
    world.open()
    assert world.start.signals() == [15]
    world.end(signal=15)

    assert world.desk.all_gone
    assert world.states() == ["interrupted", "queued"]


def test_a_history_that_can_not_be_read_costs_no_run(world: DeskWorld) -> None:
    begin(world)
    world.kill().open(trouble="its disk does not answer")
    world.end()

    assert world.states() == ["succeeded"]
    assert world.kinds().count("run.succeeded") == 1
    assert "its disk does not answer; cool-downs" in world.texts("history.not_read")[0]


# killed between any two things that it does


class Killed(BaseException):
    """SIGKILL, after so many calls that have an effect outside."""


def mined(world: DeskWorld, calls: int) -> None:
    left = [calls]

    def mine(owner: Any, name: str) -> None:
        call: Callable[..., Any] = getattr(owner, name)

        def counted(*args: Any, **more: Any) -> Any:
            answer = call(*args, **more)
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return answer

        setattr(owner, name, counted)

    for name in ("spawn", "drop", "note"):
        mine(world.start, name)
    for name in ("put_claim", "run_started", "run_ended", "step_started", "step_ended", "write"):
        mine(world.writer, name)
    events = world.events.append
    world.desk.telling._bus.remove(events)

    def tell(event: Any) -> None:
        events(event)
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    world.desk.telling._bus.add(tell)


def defused(world: DeskWorld) -> None:
    for name in ("spawn", "drop", "note"):
        world.start.__dict__.pop(name, None)


def finish(world: DeskWorld) -> None:
    """Two steps, each ending as soon as it is there, and then some time."""
    world.pass_until(AT + HOUR + 15)
    for _ in range(4):
        for key in [key for key, entry in world.start.entries.items() if entry["status"] is None]:
            world.end(key)
    world.pass_time(60)


def test_wherever_it_is_killed_each_step_runs_once_and_the_run_ends_well(tmp_path: Path) -> None:
    number, killed = 0, True
    while killed:
        number += 1
        path = tmp_path / str(number)
        path.mkdir()
        with desk_world(path) as world:
            world.open(job(steps=("get", "push")))
            mined(world, number)
            try:
                finish(world)
                killed = False
            except Killed:
                defused(world)
                world.kill().open()
                finish(world)
            told = [kind for kind in world.kinds("job") if kind.startswith("run.")]
            assert world.states() == ["succeeded"], number
            assert world.reasons() == ["run"], number
            assert [key.rpartition("/")[2] for key in world.start.spawns()] == ["1-get.1", "2-push.1"], number
            assert told.count("run.succeeded") == 1, number
            assert (world.start.notes, world.start.entries) == ({}, {}), number
            assert (world.plan().total, world.plan().succeeded) == (1, 1), number
    assert number > 20
