"""From a due slot to a run, to its place in a queue, or to the row that says why there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, after, at, cron, every, job

NINE_TO_TEN = [[None, 9 * HOUR, 10 * HOUR]]
EVERY_MINUTE = cron("* * * * *")


def test_each_gate_that_is_shut_leaves_one_row_that_says_so(world: DeskWorld) -> None:
    world.catalogue.calendars["xmas"] = [{"dates": ["2025-10-09"]}]
    world.open(
        job(id="disabled", enabled=False),
        job(id="hours", active_hours=NINE_TO_TEN, outside="skip"),
        job(id="blackout", blackouts=("xmas",)),
        job(id="unreachable", check="no-such-check"),
        job(id="safety", safety={"max_memory_mb": 1}, grace=1.0),
        job(id="free"),
    )
    world.load.memory = 2.0
    world.pass_until(AT + HOUR)

    reasons = {name: world.reasons(name) for name in world.desk.plans}
    assert reasons == {
        "disabled": ["disabled"], "hours": ["active_hours"], "blackout": ["blackout"], "unreachable": ["unreachable"],
        "safety": ["safety"], "free": ["claimed"],
    }  # fmt: skip
    assert world.slots("blackout")[0]["until"] == (AT + 15 * HOUR) * 1000
    assert len(world.start.spawns()) == 1


def test_that_it_is_held_is_said_once_for_a_stretch_and_anew_after_a_run(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    flag = Path(world.home.pause_file)
    for _ in range(2):
        flag.touch()
        world.pass_time(300)
        flag.unlink()
        world.pass_time(60)
        world.end()

    assert world.fates() == (["paused"] * 5 + ["run"]) * 2
    assert world.kinds().count("slot.held") == 2


def test_one_whose_check_keeps_failing_says_so_once(world: DeskWorld) -> None:
    """Each slot waits for the answer in the queue first."""
    world.catalogue.checks["net"] = {"argv": ["ping"], "timeout": 5.0, "fresh": 30.0, "exec": True}
    world.open(job(EVERY_MINUTE, check="net"))
    for _ in range(3):
        world.pass_until((world.now // 60 + 1) * 60)
        world.end(world.start.spawns()[-1], 1)
        world.pass_time(1)

    assert world.fates() == ["unreachable"] * 3
    assert world.kinds().count("slot.held") == 1


# overlap


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        ("skip", ["claimed", "overlap", "overlap", "overlap"]),
        ("queueOne", ["claimed", "claimed", "overlap", "overlap"]),
        ("queueAll", ["claimed", "claimed", "claimed", "overlap"]),
        ("allow", ["claimed", "claimed", "overlap", "overlap"]),
    ],
)
def test_slots_that_find_a_run_going_on(world: DeskWorld, kind: str, reasons: list[str]) -> None:
    world.open(job(EVERY_MINUTE, overlap=kind, overlap_max=2))
    world.pass_time(240)

    assert world.fates() == reasons
    assert len(world.running()) == (2 if kind == "allow" else 1)


def test_those_that_wait_go_in_order_each_after_the_end_of_the_one_before(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, overlap="queueAll", overlap_max=2))
    world.pass_time(200)
    begun = []
    for _ in range(3):
        begun.append(world.run().nominal)
        world.end()

    assert begun == [AT + 60, AT + 120, AT + 180]
    assert world.running() == []
    assert world.reasons() == ["run"] * 3


@pytest.mark.parametrize(("kind", "signal"), [("cancelOther", 15), ("killOther", 9)])
def test_the_next_slot_takes_the_place_of_the_one_before(world: DeskWorld, kind: str, signal: int) -> None:
    world.open(job(EVERY_MINUTE, overlap=kind))
    world.pass_time(120)
    assert world.start.signals() == [signal]
    assert world.run().nominal == AT + 60

    world.end(signal=signal)

    assert world.run().nominal == AT + 120
    assert world.states() == ["cancelled", "running"]


def test_of_those_that_take_its_place_only_the_newest_does(world: DeskWorld) -> None:
    """The one before it takes long to end."""
    world.open(job(EVERY_MINUTE, overlap="cancelOther", stop_grace=500.0))
    world.pass_time(240)
    world.end(signal=15)

    assert world.run().nominal == AT + 240
    assert world.fates() == ["run", "overlap", "overlap", "claimed"]
    assert world.plan().queued == ()


# groups


def group_of(world: DeskWorld, size: int, names: str = "abcd", **policy: Any) -> None:
    world.catalogue.groups["g"] = size
    world.open(*(job(id=name, group="g", **policy) for name in names))


def test_so_many_of_a_group_run_at_a_time(world: DeskWorld) -> None:
    group_of(world, 2)
    world.pass_until(AT + HOUR)
    assert sorted(run.schedule for run in world.desk.runner.runs.values()) == ["a", "b"]

    world.end("b")

    assert sorted(run.schedule for run in world.desk.runner.runs.values()) == ["a", "c"]


def test_in_a_group_who_waits_longest_is_first(world: DeskWorld) -> None:
    world.catalogue.groups["g"] = 1
    world.open(job(EVERY_MINUTE, id="a", group="g", overlap="queueOne"), job(cron("1 * * * *"), id="b", group="g"))
    world.pass_time(150)
    assert world.plan("a").queued
    assert world.plan("b").queued

    world.end("a")

    assert [run.schedule for run in world.desk.runner.runs.values()] == ["b"]


def test_a_full_group_makes_no_queue_without_end(world: DeskWorld) -> None:
    world.catalogue.groups["g"] = 1
    world.open(job(id="holder", group="g"), job(EVERY_MINUTE, id="busy", group="g", overlap="allow", overlap_max=3))
    world.pass_until(AT + HOUR - 70)
    for run in world.running("busy"):
        world.end(run)
    world.pass_until(AT + 3 * HOUR)

    assert len(world.plan("busy").queued) + len(world.running("busy")) <= 3


# what waits


def test_a_shortage_is_waited_for_until_the_grace_is_over(world: DeskWorld) -> None:
    world.load.memory = 2.0
    world.open(job(safety={"max_memory_mb": 1}))
    world.pass_until(AT + HOUR + 100)
    assert world.plan().queued
    world.load.memory = 0.5
    world.pass_time(30)

    assert world.run().nominal == AT + HOUR


def test_a_shortage_that_lasts_skips_the_slot(world: DeskWorld) -> None:
    world.load.memory = 2.0
    world.open(job(safety={"max_memory_mb": 1}))
    world.pass_until(AT + HOUR + 301)

    assert world.reasons() == ["safety"]
    assert world.rows() == []
    assert world.plan().queued == ()


def test_what_is_made_up_for_outside_the_active_hours_waits_for_them(world: DeskWorld) -> None:
    """Down from 09:30 to 11:00; open from 09:00 to 10:00."""
    world.open(job(at(9 * HOUR + 2400), active_hours=NINE_TO_TEN))
    world.kill()
    world.clocks.time += 2 * HOUR
    world.open()
    assert world.running() == []
    world.pass_until(AT + 24 * HOUR - 1)
    assert world.running() == []
    world.pass_time(31)

    assert world.run().nominal == AT + 2400


def test_what_has_waited_longer_than_is_made_up_for_does_not_begin(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, overlap="queueOne", window=600.0))
    world.pass_time(2000)
    world.end()

    # the first to wait is too old; the one after it was not waiting, and the next minute's runs
    assert world.outcomes()[1] == (AT + 120, "not_started")
    assert world.running() == []
    world.pass_time(60)
    assert world.running()


def test_a_run_that_may_begin_does_not_wait_for_one_whose_time_is_yet_to_come(world: DeskWorld) -> None:
    world.load.memory = 2.0
    world.open(
        job(id="first"),
        job(after("first", delay=10 * HOUR), cron("30 * * * *"), overlap="queueAll", safety={"max_memory_mb": 1}),
    )
    world.pass_until(AT + HOUR)
    world.end("first")
    world.pass_until(AT + 1.5 * HOUR + 20)
    assert [run.not_before > world.now for run in world.plan().queued] == [True, False]
    world.load.memory = 0.5
    world.pass_time(30)

    assert world.run().nominal == AT + 1.5 * HOUR


# by hand


def test_by_hand_it_passes_the_same_gates(world: DeskWorld) -> None:
    from supervisor.model.run import Trigger
    from supervisor.runs.slot import Slot

    world.open(job(every(HOUR), active_hours=[[None, 0, HOUR]], outside="skip", overlap="cancelOther"))
    slot = Slot(world.plan(), None, world.now, Trigger.MANUAL)

    held = world.desk.admission.held_by_hand(slot)

    assert [each.gate for each in held] == ["active hours"]


def test_whoever_only_looks_asks_no_check(world: DeskWorld) -> None:
    world.catalogue.checks["net"] = {"argv": ["ping"], "timeout": 5.0, "fresh": 30.0, "exec": True}
    world.open(job(check="net"))

    assert world.desk.admission.standing_quietly(world.plan()).check_ok is True
    assert world.start.spawns() == []


def test_a_plugin_that_has_lost_its_command_fails_and_says_so(world: DeskWorld) -> None:
    world.open(job())
    world.catalogue.commands["job"] = {}
    world.pass_until(AT + HOUR)

    assert world.states() == ["failed"]
    assert "has no command get any more" in str(world.rows()[0]["cause"])
    assert world.desk.runner.runs == {}
