"""The sentences about schedules and runs, and what stands beside them."""

from __future__ import annotations

import json

from support.desk import AT, DAY, HOUR, DeskWorld, cron, job, pause

from supervisor.model.run import RunState, Trigger
from supervisor.runs.telling import LEVELS, WHY

EVERY_MINUTE = cron("* * * * *")


def test_every_cause_and_every_end_has_its_words() -> None:
    assert set(WHY) == set(Trigger)
    assert set(LEVELS) < set(RunState)


def test_a_run_from_its_beginning_to_its_end(world: DeskWorld) -> None:
    world.open(job(steps=("get", "push")))
    world.pass_until(AT + HOUR)
    run = world.run().id
    world.end(used=(1250, 3 << 20))
    world.pass_time(90)
    world.end(used=(0, 0))

    assert [event.text for event in world.events] == [
        f"job: cycle 1 started: get, push (run {run})",
        "job: get started: get",
        "job: get ended well after 0 s, 1.25 s of processor, 3 MiB",
        "job: push started: push",
        "job: push ended well after 1m 30s, 0.00 s of processor, 0 MiB",
        f"job: succeeded in 1m 30s (run {run})",
    ]
    end = world.events[-1]
    assert end.data is not None
    assert end.data["summary"] == [
        "Stats: 1 successes, 0 failures", "Next cycle: 2025-10-09 11:00:00 UTC", "Sleeping for 58m 30s",
        "Used: 1.25 s of processor, 3 MiB",
    ]  # fmt: skip


def test_a_failure_is_an_error_with_its_last_words(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(AT + HOUR)
    with open(world.run().log, "a") as log:
        log.write("boom\n")
    world.end(code=2)
    end = next(event for event in world.events if event.kind == "run.failed")

    assert end.level == "error"
    assert end.data is not None
    assert (end.data["cause"], end.data["words"]) == ("get: exit code 2", ["boom"])


def test_every_event_can_be_written_down(world: DeskWorld) -> None:
    world.open(
        job(EVERY_MINUTE, retry={"times": 1, "delay": 5.0}, safety={"max_failures": 1, "cooldown": 100.0}),
        job(EVERY_MINUTE, id="b", enabled=False),
    )
    world.pass_time(60)
    world.end(code=1)
    world.pass_time(5)
    world.end(code=1)
    world.jump_wall(HOUR)
    world.jump_wall(10 * DAY)
    world.sleep(100)
    world.desk.pauses.pause_all("anna", "why not", "")
    world.desk.pauses.resume_all()
    world.desk.telling.history_trouble("the disk is full")
    world.desk.telling.history_recovered("again", 3)
    world.desk.telling.enabled("job", "anna", enabled=False)

    kinds = {event.kind for event in world.events}
    assert kinds >= {
        "run.started", "step.started", "step.ended", "step.retried", "run.failed", "breaker.opened", "slot.held",
        "slot.passed", "clock.stepped", "clock.slept", "schedules.paused", "schedules.resumed", "history.failed",
        "history.recovered", "schedule.disabled",
    }  # fmt: skip
    for event in world.events:
        json.dumps(event.data)
        assert "\n" not in event.text


def test_a_stretch_that_was_passed_over_is_one_sentence(world: DeskWorld) -> None:
    world.open(job(missed="skip"))
    world.kill()
    world.clocks.time += 5.5 * HOUR
    world.open()

    assert world.texts("slot.passed") == [
        "job: did not start at 2025-10-09 10:00:00 UTC to 2025-10-09 14:00:00 UTC, 5 times: missed, and not made up for"
    ]


def test_until_when_it_is_held_is_said_once(world: DeskWorld) -> None:
    """A pause says so itself; a cool-down does not."""
    world.open(job(EVERY_MINUTE), job(EVERY_MINUTE, id="b", safety={"max_failures": 1, "cooldown": 600.0}))
    world.pass_time(60)
    world.end("b", code=1)
    pause(world, until=AT + HOUR)
    world.pass_time(60)

    paused, cooling = world.texts("slot.held")
    since = "2025-10-09 09:01:00 UTC by anna: disk"
    assert paused == f"job: did not start: paused since {since}, until 2025-10-09 10:00:00 UTC"
    assert cooling == "b: did not start: cooling down after failures in a row, until 2025-10-09 09:11:00 UTC"
