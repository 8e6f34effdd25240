"""What follows from the end of a run: rows, the breaker, followers, another try, and what is unusual."""

from __future__ import annotations

from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, after, cron, every, job

from supervisor.model.run import RunState, Trigger
from supervisor.runs import columns
from supervisor.runs.run import Run
from supervisor.store.rows import RunRow

EVERY_MINUTE = cron("* * * * *")
NEVER = cron("0 0 1 1 *")


def minute(world: DeskWorld, code: int = 0, **more: object) -> None:
    """One slot, and its run to its end."""
    world.pass_until((world.now // 60 + 1) * 60)
    world.end(code=code, **more)  # type: ignore[arg-type]


# what is counted


def test_runs_are_counted_here_as_in_the_history(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    for code in (0, 1, 0, 1, 1):
        minute(world, code)
    plan = world.plan()
    known = (plan.total, plan.succeeded, plan.failed, plan.breaker.streak, plan.cycle, plan.last_result)
    assert known == (5, 2, 3, 2, 5, "failed")

    world.kill().open()

    plan = world.plan()
    assert known == (plan.total, plan.succeeded, plan.failed, plan.breaker.streak, plan.cycle, plan.last_result)


def test_the_last_figures_that_were_good_are_kept_through_failures_and_restarts(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"rollback_on_degradation": True}, steps=("process",)))
    minute(world, result='{"quality": 0.9}')
    minute(world, result='{"quality": 0.8}')
    assert world.states() == ["succeeded", "rejected"]
    world.kill().open()
    minute(world, result='{"quality": 0.85}')
    minute(world, result='{"quality": 0.95}')

    assert world.states()[2:] == ["rejected", "succeeded"]
    assert world.plan().accepted == {"quality": 0.95}


def test_what_was_tried_out_and_did_not_go_out_is_no_standard(world: DeskWorld) -> None:
    """A person ran `process` alone, and its figures were better than they usually are."""
    world.open(job(EVERY_MINUTE, safety={"rollback_on_degradation": True}, steps=("process", "push")))
    world.pass_time(60)
    alone = world.run()
    alone.progress.steps = ["process"]
    world.end(result='{"quality": 0.99}')
    world.pass_time(60)
    world.end(result='{"quality": 0.95}')
    world.end()

    assert world.states() == ["succeeded", "succeeded"]
    assert world.plan().accepted == {"quality": 0.95}


# the breaker


def test_after_too_many_failures_it_is_held_then_one_may_try(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 2, "cooldown": 150.0}))
    for _ in range(2):
        minute(world, 1)
    world.pass_time(150)
    assert world.fates() == ["run", "run", "cooldown", "cooldown"]
    minute(world)

    assert world.plan().breaker.state == "closed"
    assert [kind for kind in world.kinds() if kind.startswith("breaker")] == ["breaker.opened", "breaker.closed"]


def test_a_probe_that_fails_is_held_for_twice_as_long(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 2, "cooldown": 150.0}))
    for _ in range(2):
        minute(world, 1)
    world.pass_time(150)
    minute(world, 1)

    assert world.plan().breaker.until == world.now + 300


def test_while_a_probe_goes_no_other_may(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 50.0}, overlap="allow"))
    minute(world, 1)
    world.pass_time(180)

    assert len(world.running()) == 1
    assert world.fates() == ["run", "claimed", "cooldown", "cooldown"]


def test_a_probe_that_is_cancelled_leaves_it_to_the_next(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 50.0}))
    minute(world, 1)
    world.pass_time(60)
    world.desk.end_run(world.run().id, "anna")
    world.end(signal=15)
    assert world.plan().breaker.state == "open"
    minute(world)

    assert world.plan().breaker.state == "closed"


def test_a_breaker_outlives_a_restart(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 150.0}))
    minute(world, 1)
    until = world.plan().breaker.until
    world.kill().open()
    assert (world.plan().breaker.state, world.plan().breaker.until, world.plan().breaker.opens) == ("open", until, 1)
    world.pass_time(150)
    minute(world, 1)

    assert world.plan().breaker.until == world.now + 300


def test_a_probe_of_which_nothing_is_left_is_forgotten(world: DeskWorld) -> None:
    world.writer.schedule_state("job", breaker="half_open", breaker_until=1, breaker_opens=1)
    world.loop.run_soon()
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 150.0}))
    world.pass_time(60)

    assert len(world.running()) == 1


@pytest.mark.parametrize(("code", "streak"), [(0, 0), (1, 1)])
def test_only_ends_that_say_something_are_counted(world: DeskWorld, code: int, streak: int) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 1.0}, stop_grace=1.0))
    world.pass_time(60)
    world.desk.runner.end(world.run(), RunState.CANCELLED, "asked")
    world.end(code=9)
    assert world.plan().breaker.streak == 0
    minute(world, code)

    assert world.plan().breaker.streak == streak


# those that follow


@pytest.mark.parametrize(("code", "begun"), [(0, ["done", "succeeded"]), (1, ["done", "failed"])])
def test_others_follow_its_end(world: DeskWorld, code: int, begun: list[str]) -> None:
    world.open(job(), *(job(after("job", when), id=when) for when in ("succeeded", "failed", "done")))
    world.pass_until(AT + HOUR + 5)
    world.end(code=code)

    assert sorted(run.schedule for run in world.desk.runner.runs.values()) == begun
    run = next(iter(world.desk.runner.runs.values()))
    assert (run.trigger, run.nominal) == ("after", AT + HOUR + 5)


@pytest.mark.parametrize("state", ["interrupted", "lost"])
def test_one_that_was_cut_off_is_done_and_neither_succeeded_nor_failed(world: DeskWorld, state: str) -> None:
    """A follower that tidies up is wanted then most of all. It begins with the next scheduler."""
    world.open(job(), *(job(after("job", when), id=when) for when in ("succeeded", "failed", "done")))
    world.pass_until(AT + HOUR)
    cut_off(world, state)

    assert [run.schedule for run in world.desk.runner.runs.values()] == ["done"]


@pytest.mark.parametrize("state", ["interrupted", "lost"])
def test_one_that_is_done_again_is_done_once(world: DeskWorld, state: str) -> None:
    world.open(job(interrupted="rerun"), job(after("job", "done"), id="done"))
    world.pass_until(AT + HOUR)
    cut_off(world, state)
    assert (world.run().trigger, world.slots("done")) == ("rerun", [])
    world.end()

    assert world.run("done").trigger == "after"


def cut_off(world: DeskWorld, state: str) -> None:
    if state == "interrupted":
        world.desk.stop_all()
        world.end(signal=15)
    else:  # with `start`, which knew its process and had its note
        world.start.entries.clear()
        world.start.notes.clear()
    world.kill().open()
    world.pass_time(1)
    assert world.states()[0] == state


def test_nobody_follows_one_that_was_cancelled(world: DeskWorld) -> None:
    """Whoever takes a run back wants nothing of what hangs on it; after that of `cancelOther` comes another one."""
    world.open(job(), *(job(after("job", when), id=when) for when in ("succeeded", "failed", "done")))
    world.pass_until(AT + HOUR)
    world.desk.end_run(world.run().id, "")
    world.end(signal=15)

    assert world.desk.runner.runs == {}


def test_a_follower_may_wait_for_a_while_also_through_a_restart(world: DeskWorld) -> None:
    world.open(job(), job(after("job", delay=3600.0), id="later"))
    world.pass_until(AT + HOUR)
    world.end()
    world.pass_time(1000)
    assert world.running("later") == []
    world.kill().open()
    world.pass_time(2599)
    assert world.running("later") == []
    world.pass_time(31)

    assert world.run("later").nominal == AT + 2 * HOUR


def test_a_follower_that_also_has_times_of_its_own_loses_none_by_a_restart(world: DeskWorld) -> None:
    """Its newest row is that of the end, which lies behind a slot that is not due yet, and before one to come."""
    mixed = job(after("job"), cron("0 * * * *"), id="mixed", jitter=1800.0, overlap="allow")
    world.open(job(cron("1 * * * *")), mixed)
    delay = world.plan("mixed").rule.delay(AT)
    assert delay > 60, "another seed, please"
    world.pass_until(AT + HOUR + 60)
    world.end()
    assert [nominal for nominal, _ in world.outcomes("mixed")] == [AT + HOUR + 60]
    world.kill().open()
    world.pass_until(AT + HOUR + delay)

    assert [nominal for nominal, _ in world.outcomes("mixed")] == [AT + HOUR, AT + HOUR + 60]


def test_a_follower_with_a_long_wait_keeps_its_own_times(world: DeskWorld) -> None:
    world.open(job(cron("1 * * * *")), job(after("job", delay=7200.0), cron("30 * * * *"), id="mixed"))
    world.pass_until(AT + 60)
    world.end()
    world.kill().open()
    world.pass_until(AT + 1800)

    assert world.run("mixed").nominal == AT + 1800


# again


def test_one_that_was_cut_off_is_done_again_where_that_is_wanted(world: DeskWorld) -> None:
    world.open(job(interrupted="rerun"), job(id="not"))
    world.pass_until(AT + HOUR)
    first = world.run()
    world.desk.stop_all()
    world.end("job", signal=15)
    world.end("not", signal=15)
    assert world.desk.all_gone
    assert world.states() == ["interrupted", "queued"]
    assert world.rows()[1]["retry_of"] == first.id
    world.kill().open()

    again = world.run()
    assert (again.trigger, again.retry_of, again.correlation) == ("rerun", first.id, first.id)
    assert again.nominal == first.nominal == AT + HOUR  # it does the work of that time, and has no slot of its own
    assert [slot["run"] for slot in world.slots() if slot["nominal"] == AT + HOUR and slot["schedule"] == "job"] == [
        first.id
    ]
    assert world.running("not") == []


def by_hand(world: DeskWorld, **given: Any) -> Run:
    """One command of two."""
    desk = world.desk
    run = Run(desk.ids.draw(world.now), "job", "job", ["push"], trigger=Trigger.MANUAL, due=world.now)
    run.claimed, run.args, run.env = world.now, given.get("args", []), given.get("env", {})
    row = RunRow(run.id, "job", **columns.of_claim(run), state="claimed")
    desk.writer.claim([], row, lambda _ok: None)
    desk.claims.begin(run, world.plan())
    world.pass_time(1)
    return run


@pytest.mark.parametrize("lives", [1, 2])
def test_what_a_person_asked_for_is_done_again_as_it_was_asked_for(world: DeskWorld, lives: int) -> None:
    world.open(job(steps=("get", "push"), interrupted="rerun"))
    for _ in range(lives):
        run = world.run() if world.running() else by_hand(world, args=["--full"])
        world.desk.stop_all()
        world.end(run, signal=15)
        world.kill().open()

    again = world.run()
    assert (again.trigger, again.progress.steps, again.args) == ("rerun", ["push"], ["--full"])


def test_what_is_not_kept_can_not_be_done_again(world: DeskWorld) -> None:
    world.open(job(steps=("get", "push"), interrupted="rerun"))
    run = by_hand(world, env={"TOKEN": "x"})
    world.desk.stop_all()
    world.end(run, signal=15)
    world.kill().open()

    assert world.running() == []
    [said] = world.texts("run.not_done_again")
    assert f"sbctl retry {run.id}" in said


# what is unusual


def usual(world: DeskWorld, took: float) -> None:
    world.open(job(EVERY_MINUTE))
    for _ in range(6):
        world.pass_until((world.now // 60 + 1) * 60)
        world.pass_time(took)
        world.end()
    world.pass_until((world.now // 60 + 1) * 60)


def test_one_that_takes_much_longer_than_usual_is_told_once_while_it_goes(world: DeskWorld) -> None:
    usual(world, 5.0)
    world.pass_time(24)
    assert "run.too_long" not in world.kinds()
    world.pass_time(300)

    assert world.kinds().count("run.too_long") == 1


def test_one_that_ends_in_the_usual_time_leaves_no_timer_behind(world: DeskWorld) -> None:
    usual(world, 5.0)
    world.end()
    world.pass_time(59)

    assert "run.too_long" not in world.kinds()


def test_one_that_is_over_at_once_is_told(world: DeskWorld) -> None:
    usual(world, 20.0)
    world.end()

    assert world.kinds().count("run.too_short") == 1


def test_one_that_begins_late_is_told(world: DeskWorld) -> None:
    world.open(job(overlap="queueOne", grace=30.0), job(NEVER, id="other"))
    world.pass_until(AT + HOUR)
    world.pass_time(HOUR + 60)
    world.end()

    assert world.kinds().count("run.late") == 1


# what goes away


def test_a_run_of_a_schedule_that_is_no_more_ends_in_order(world: DeskWorld) -> None:
    world.open(job(), job(after("job"), id="next"))
    world.pass_until(AT + HOUR)
    run = world.run()
    world.reload(job(after("job"), id="next"))
    world.end(run.key)

    assert world.states() == ["succeeded"]
    assert world.run("next").trigger == "after"
    assert f"run/{run.id}" not in world.start.notes


def test_watchers_are_called_once_and_can_be_taken_back(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(AT + HOUR)
    told: list[str] = []
    run = world.run()
    world.desk.outcomes.when_ended(run.id, lambda run: told.append("a"))
    take_back = world.desk.outcomes.when_ended(run.id, lambda run: told.append("b"))
    take_back()
    take_back()
    world.end()

    assert told == ["a"]


def test_nothing_is_left_of_a_day_of_runs(world: DeskWorld) -> None:
    world.open(job(every(600), overlap="queueOne", retry={"times": 1, "delay": 5.0}, run_timeout=100.0))
    for number in range(144):
        world.pass_until(AT + 600 * (number + 1) - 1)
        while world.running():
            world.end(code=number % 2) if world.run().progress.phase == "stepping" else world.pass_time(5)
    desk = world.desk
    timers = [timer for _, _, timer in world.loop._timers if timer.call is not None]

    assert len(timers) <= 3  # the planner's, the pruning of the history
    assert (desk.runner.runs, len(desk.claims), len(desk.turns), desk.outcomes._long) == ({}, 0, 0, {})
    assert (desk.runner._contexts, desk.runner._of, desk.claims._of, desk.outcomes._ended_watchers) == ({}, {}, {}, {})
    assert (world.start.entries, world.start.notes) == ({}, {})
