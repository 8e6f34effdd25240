"""Between a claim and the beginning of its run: durable, slow, refused, taken before, or no longer wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, DAY, HOUR, DeskWorld, cron, every, job, pause

from supervisor.runs.resuming import resume
from supervisor.store.rows import SlotRow

EVERY_MINUTE = cron("* * * * *")


def test_nothing_begins_before_its_claim_is_on_the_disk(world: DeskWorld) -> None:
    world.open(job())
    world.writer.is_held = True
    world.pass_until(AT + HOUR + 1.9)
    assert world.start.spawns() == []

    world.writer.write()

    assert world.run().nominal == AT + HOUR
    assert not world.run().unledgered


def test_a_disk_that_does_not_answer_keeps_nobody_from_running(world: DeskWorld) -> None:
    world.open(job(), job(id="queued", overlap="queueOne"))
    world.writer.is_held = world.writer.hangs = True
    world.pass_until(AT + HOUR + 2.6)

    assert len(world.start.spawns()) == 2
    assert world.run().unledgered
    assert world.kinds("job")[:2] == ["run.unledgered", "run.started"]

    world.writer.write()
    world.end()
    world.writer.write()
    assert len(world.start.spawns()) == 2
    assert (world.states(), world.rows()[0]["unledgered"]) == (["succeeded"], 1)


@pytest.mark.parametrize("hangs", [True, False])
@pytest.mark.parametrize("how", ["pause", "disable"])
def test_a_pause_that_comes_while_a_slow_disk_has_its_claim_holds_it(world: DeskWorld, how: str, hangs: bool) -> None:
    world.open(job())
    world.writer.is_held, world.writer.hangs = True, hangs
    world.pass_until(AT + HOUR + 1)
    if how == "pause":
        Path(world.home.pause_file).touch()
    else:
        world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", False) else [])
    world.pass_time(0.5 if not hangs else 2)
    world.writer.is_held = world.writer.hangs = False
    world.writer.write()
    world.pass_time(2)

    assert world.start.spawns() == []
    assert (world.rows(), world.fates()) == ([], ["paused" if how == "pause" else "disabled"])
    assert not {"run.started", "run.unledgered"} & set(world.kinds("job"))


def stop_it(world: DeskWorld, how: str) -> None:
    """As somebody is answered."""
    if how == "disable":
        world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", False) else [])
    elif how == "settings":
        world.reload(job(enabled=False))
    elif how == "pause":
        pause(world)
    else:
        world.desk.pauses.pause_all("anna", "", "")


@pytest.mark.parametrize(
    ("how", "fate"),
    [("disable", "disabled"), ("settings", "disabled"), ("pause", "paused"), ("pause all", "paused")],
)
def test_what_was_claimed_just_before_somebody_was_answered_does_not_begin(
    world: DeskWorld, how: str, fate: str
) -> None:
    world.open(job())
    world.writer.is_held = True
    world.pass_until(AT + HOUR + 0.01)
    stop_it(world, how)
    world.writer.is_held = False
    world.writer.write()
    world.pass_time(1)

    assert world.start.spawns() == []
    assert (world.rows(), world.fates()) == ([], [fate])


def test_what_is_made_up_for_does_not_begin_in_the_next_pause(world: DeskWorld) -> None:
    world.open(job())
    pause(world, on_resume="once")
    world.pass_until(AT + HOUR + 60)
    world.writer.is_held = True
    resume(world.desk, ["job"], "anna")
    pause(world)
    world.writer.is_held = False
    world.writer.write()
    world.pass_time(1)

    assert world.start.spawns() == []
    assert world.states() == ["cancelled"]
    resume(world.desk, ["job"], "anna")
    world.pass_time(60)
    assert world.run().trigger == "catch_up"


def test_a_disk_that_hangs_while_the_clock_is_set_back_keeps_nobody_either(world: DeskWorld) -> None:
    world.open(job())
    world.writer.is_held = world.writer.hangs = True
    world.pass_until(AT + HOUR)
    world.clocks.jump_wall(-DAY)
    world.pass_time(3)

    assert len(world.start.spawns()) == 1


def test_where_the_ledger_is_required_the_slot_is_skipped_instead(world: DeskWorld) -> None:
    world.open(job(ledger="required"))
    world.writer.is_held = True
    world.pass_until(AT + HOUR + 2.5)
    world.writer.is_held = False
    world.writer.write()
    world.loop.run_soon()

    assert world.start.spawns() == []
    assert (world.reasons(), world.rows()) == (["ledger"], [])
    assert "slot.held" in world.kinds("job")


def test_where_it_is_required_and_on_its_way_it_is_waited_for(world: DeskWorld) -> None:
    world.open(job(ledger="required"))
    world.writer.is_held = world.writer.hangs = True
    world.pass_until(AT + HOUR + 60)
    assert world.start.spawns() == []

    world.writer.write()

    assert world.run().nominal == AT + HOUR


@pytest.mark.parametrize(("ledger", "spawns"), [("best", 1), ("required", 0)])
def test_a_claim_that_the_writer_does_not_take(world: DeskWorld, ledger: str, spawns: int) -> None:
    world.open(job(ledger=ledger))
    world.writer.refuses = True
    world.pass_until(AT + HOUR)

    assert len(world.start.spawns()) == spawns
    assert world.desk.claims.pending("job") == 0
    assert len(world.desk.claims) == 0
    world.writer.refuses = False
    world.pass_time(HOUR)
    assert world.outcomes()[-1][0] == AT + 2 * HOUR or spawns == 1


def test_after_a_refused_claim_the_next_slot_is_free(world: DeskWorld) -> None:
    world.open(job(ledger="required"))
    world.writer.refuses = True
    world.pass_until(AT + HOUR)
    world.writer.refuses = False
    world.pass_time(HOUR)

    assert world.run().nominal == AT + 2 * HOUR


@pytest.mark.parametrize("overlap", ["skip", "queueOne"])
def test_a_slot_that_was_decided_before_runs_no_second_time(world: DeskWorld, overlap: str) -> None:
    world.open(job(overlap=overlap))
    world.writer.skip([SlotRow("job", AT + HOUR, outcome="skipped", reason="paused")])
    world.pass_until(AT + HOUR + 5)

    assert (world.start.spawns(), world.reasons(), world.rows()) == ([], ["paused"], [])
    assert (world.desk.claims.pending("job"), world.plan().queued) == (0, ())
    world.pass_time(HOUR)
    assert world.run().nominal == AT + 2 * HOUR


# what waits is let go


def waiting(world: DeskWorld) -> None:
    """One runs, one waits, one waits whose claim is on its way."""
    world.open(job(EVERY_MINUTE, overlap="queueAll"))
    world.pass_time(120)
    world.writer.is_held = True
    world.pass_time(61)
    assert len(world.plan().queued) == 2


def settle(world: DeskWorld) -> None:
    world.writer.is_held = False
    world.writer.write()
    world.loop.run_soon()
    world.pass_time(5)


def test_another_rule_lets_go_of_all_that_wait_for_the_old_one(world: DeskWorld) -> None:
    waiting(world)
    world.reload(job(cron("30 * * * *"), overlap="queueAll"))
    settle(world)
    world.end()

    assert world.reasons() == ["run", "edited", "edited"]
    assert len(world.start.spawns()) == 1
    assert len(world.desk.claims) == 0


def test_a_schedule_that_is_removed_takes_along_all_that_wait_but_not_its_run(world: DeskWorld) -> None:
    waiting(world)
    run = world.run()
    world.reload(job(id="other"))
    settle(world)
    assert run.id in world.desk.runner.runs

    world.end(run.key)

    assert world.reasons() == ["run", "edited", "edited"]
    assert world.states() == ["succeeded"]
    assert len(world.start.spawns()) == 1


def test_other_settings_under_the_same_rule_let_all_go_on_that_wait(world: DeskWorld) -> None:
    waiting(world)
    world.reload(job(EVERY_MINUTE, overlap="queueAll", stop_grace=3.0))
    settle(world)
    for _ in range(3):
        world.end()

    assert world.reasons() == ["run"] * 3
    assert len(world.start.spawns()) == len(set(world.start.spawns())) == 3


def test_a_timer_of_a_queue_does_not_outlive_a_reload(world: DeskWorld) -> None:
    """Else a run would begin once out of the old queue and once out of the new one."""
    world.load.memory = 2.0
    schedule = job(safety={"max_memory_mb": 1})
    world.open(schedule)
    world.pass_until(AT + HOUR + 5)
    world.desk.take_catalogue(world.catalogue)
    world.load.memory = 0.0
    world.clocks.time += 40  # the old timer is due before anything else
    world.loop.run_soon()
    world.pass_time(40)

    assert len(world.start.spawns()) == 1


@pytest.mark.parametrize("queue", [False, True])
def test_a_claim_on_its_way_while_its_schedule_goes(world: DeskWorld, queue: bool) -> None:
    world.open(job(overlap="queueOne"))
    if queue:
        world.load.memory = 2.0
        world.reload(job(overlap="queueOne", safety={"max_memory_mb": 1}))
    world.writer.is_held = True
    world.pass_until(AT + HOUR)
    world.reload(job(id="other"))
    settle(world)

    assert world.start.spawns() == []
    assert (world.reasons(), world.rows()) == (["edited"], [])


def test_a_claim_on_its_way_through_a_reload_begins_under_the_new_settings(world: DeskWorld) -> None:
    world.open(job())
    world.writer.is_held = True
    world.pass_until(AT + HOUR)
    world.reload(job(jitter=5.0))
    settle(world)
    world.end()

    assert (world.plan().cycle, world.plan().total) == (1, 1)


def test_one_that_waits_can_be_cancelled_also_while_its_claim_is_on_its_way(world: DeskWorld) -> None:
    waiting(world)
    ended: list[str] = []
    for run in world.plan().queued:
        world.desk.outcomes.when_ended(run.id, lambda run: ended.append(run.progress.state))
        assert world.desk.end_run(run.id, "anna") == "cancelled"
    world.pass_time(3)
    assert "run.unledgered" not in world.kinds()
    settle(world)
    world.end()

    assert ended == ["cancelled", "cancelled"]
    assert world.states() == ["succeeded", "cancelled", "cancelled"]
    assert {row["cause"] for row in world.rows()[1:]} == {"cancelled by anna"}
    assert len(world.start.spawns()) == 1
    assert world.plan().total == 3


def test_whoever_waits_for_a_run_that_never_begins_is_told(world: DeskWorld) -> None:
    waiting(world)
    ended: list[str] = []
    for run in world.plan().queued:
        world.desk.outcomes.when_ended(run.id, lambda run: ended.append(run.progress.cause))
    world.reload()
    settle(world)

    assert ended == ["the schedule has been removed"] * 2


def test_pausing_lets_go_of_what_waits_when_its_turn_comes(world: DeskWorld) -> None:
    waiting(world)
    settle(world)
    Path(world.home.pause_file).touch()
    world.end()

    assert world.fates() == ["run", "paused", "paused"]
    assert len(world.start.spawns()) == 1


# the breaker, and runs that never begin


def open_breaker(world: DeskWorld, **policy: Any) -> None:
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 90.0}, **policy))
    world.pass_time(60)
    world.end(code=1)
    assert world.plan().breaker.state == "open"
    world.pass_time(60)
    assert world.reasons() == ["run", "cooldown"]


def test_a_probe_that_has_to_wait_is_not_held_by_itself(world: DeskWorld) -> None:
    open_breaker(world)
    world.load.memory = 2.0
    world.reload(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": 90.0, "max_memory_mb": 1}))
    world.pass_time(65)
    world.load.memory = 0.0
    world.pass_time(30)

    assert world.plan().breaker.state == "half_open"
    world.end()
    assert world.plan().breaker.state == "closed"


@pytest.mark.parametrize("how", ["taken", "required"])
def test_a_probe_whose_claim_fails_leaves_the_place_to_the_next(world: DeskWorld, how: str) -> None:
    open_breaker(world, ledger="required")
    if how == "taken":
        world.writer.skip([SlotRow("job", AT + 180, outcome="skipped", reason="paused")])
    else:
        world.writer.refuses = True
    world.pass_time(60)
    world.writer.refuses = False
    assert world.running() == []
    assert world.plan().breaker.state == "open"
    world.pass_time(60)

    assert world.run().nominal == AT + 240


def test_a_stop_leaves_claims_to_the_next_scheduler(world: DeskWorld) -> None:
    world.open(job(), job(every(HOUR), id="waits", group="g"))
    world.end("waits")
    world.writer.is_held = True
    world.pass_until(AT + HOUR)
    world.desk.stop_all()
    settle(world)
    assert len(world.start.spawns()) == 1
    world.kill().open()
    world.pass_time(25)

    assert world.run().nominal == AT + HOUR
    assert world.run("waits").nominal == AT + HOUR


def test_one_that_waits_longer_than_it_may_be_late_is_told_once(world: DeskWorld) -> None:
    world.open(job(cron("0,30 * * * *"), overlap="queueAll"))
    world.pass_until(AT + HOUR + 30)
    assert len(world.plan().queued) == 1  # that of half an hour ago goes on
    world.beat()
    assert world.texts("run.not_started") == []

    for _ in range(20):
        world.pass_time(30)
        world.beat()
    (text,) = world.texts("run.not_started")

    assert text.startswith("job: has not started for 3m")
    assert "the run before it is still going" in text
    world.end(world.running()[0])
    assert len(world.running()) == 1
