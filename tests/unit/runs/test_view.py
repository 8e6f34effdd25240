"""What the desk shows of its schedules, of what comes next, and of why one does not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, HOUR, DeskWorld, after, at, cron, every, job

from supervisor.base.clock import iso
from supervisor.runs import view

EVERY_MINUTE = cron("* * * * *")


def row(world: DeskWorld, name: str = "job") -> dict[str, Any]:
    return view.row(world.desk, world.plan(name))


def test_a_row_of_one_that_waits_for_its_time(world: DeskWorld) -> None:
    world.open(job(jitter=600.0))
    shown = row(world)

    assert (shown["status"], shown["next_run"], shown["next_reason"]) == ("active", iso(AT + HOUR), "")
    assert shown["next_run"] < shown["next_due"] <= iso(AT + HOUR + 600)
    assert (shown["total_runs"], shown["last_run"], shown["average_s"]) == (0, None, None)


def test_a_row_of_one_that_has_run(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    for code, took in ((0, 10), (0, 20), (1, 5)):
        world.pass_until((world.now // 60 + 1) * 60)
        world.pass_time(took)
        world.end(code=code)
    shown = row(world)

    assert (shown["total_runs"], shown["successful_runs"], shown["failed_runs"]) == (3, 2, 1)
    assert (shown["average_s"], shown["last_duration_s"], shown["last_result"]) == (15.0, 5.0, "failed")
    assert shown["consecutive_failures"] == 1


def test_each_status(world: DeskWorld) -> None:
    breaks = {"max_failures": 1, "cooldown": 5000.0}
    world.open(
        job(EVERY_MINUTE, id="running"), job(id="active"), job(id="disabled", enabled=False), job(id="paused"),
        job(EVERY_MINUTE, id="cooldown", safety=breaks), job({"kind": "once", "at": AT + 60}, id="finished"),
        job(after("active"), id="follows"), job(every(600, after_finish=True), id="finish", run_at_start=False),
    )  # fmt: skip
    wish = {"at": 1.0, "by": "", "reason": "", "until": None, "on_resume": "next"}
    world.desk.change_wishes(lambda wishes: ["paused"] if wishes.pause("paused", wish) else [])
    world.pass_time(60)
    world.end("cooldown", 1)
    world.end("finished")

    shown = {name: row(world, name)["status"] for name in world.desk.plans}
    assert shown == {name: name for name in shown} | {"follows": "active", "finish": "active"}
    assert row(world, "finish")["next_run"] == row(world, "finish")["next_due"] == iso(AT + 600)
    assert row(world, "finished")["next_due"] is None
    assert row(world, "paused")["next_reason"].startswith("paused since")


def test_the_reason_of_the_next_slot_is_what_will_hold_then(world: DeskWorld) -> None:
    """What holds now may be over by then: its hours open, the run before it ends, the group has room."""
    world.catalogue.calendars["noon"] = [{"weekdays": None, "start": 12 * HOUR, "end": 13 * HOUR}]
    world.catalogue.calendars["now"] = [{"weekdays": None, "start": 9 * HOUR, "end": 9 * HOUR + 1800}]
    world.open(
        job(at(12 * HOUR), id="hours", active_hours=[[None, 12 * HOUR, 13 * HOUR]]),
        job(at(12 * HOUR), id="noon", blackouts=("noon",)), job(at(12 * HOUR), id="now", blackouts=("now",)),
        job(at(12 * HOUR), id="off", enabled=False), job(EVERY_MINUTE, id="going"),
        job(EVERY_MINUTE, id="first", group="g"), job(at(12 * HOUR), id="second", group="g"),
    )  # fmt: skip
    world.pass_time(60)

    assert {name: row(world, name)["next_reason"] for name in world.desk.plans} == {
        "hours": "", "noon": "in the blackout noon", "now": "", "off": "it is disabled", "going": "", "first": "",
        "second": "",
    }  # fmt: skip
    assert view.why(world.desk, world.plan("second"))["lines"] == ["1 of the group g are running"]
    assert view.why(world.desk, world.plan("hours"))["lines"] == ["outside its active hours"]


@pytest.mark.parametrize(("hours", "holds"), [(0.5, False), (2, True), (None, True)])
def test_a_pause_is_the_reason_of_a_slot_before_its_end(world: DeskWorld, hours: float | None, holds: bool) -> None:
    world.open(job())
    until = None if hours is None else AT + hours * HOUR
    wish = {"at": 1.0, "by": "", "reason": "", "until": until, "on_resume": "next"}
    world.desk.change_wishes(lambda wishes: ["job"] if wishes.pause("job", wish) else [])

    assert row(world)["next_reason"].startswith("paused") is holds


@pytest.mark.parametrize(
    ("cooldown", "last", "next_due", "reason"),
    [
        (30.0, None, 120, ""),
        (5000.0, None, 5100, ""),
        (5000.0, AT + 300, 120, "cooling down after failures in a row"),
    ],
)
def test_the_next_slot_is_one_after_the_cooldown(
    world: DeskWorld, cooldown: float, last: int | None, next_due: int, reason: str
) -> None:
    """Where there is none it is the next one, and that is the reason why it will not run."""
    world.open(job(EVERY_MINUTE, safety={"max_failures": 1, "cooldown": cooldown}, valid_until=last or 0))
    world.pass_time(60)
    world.end(code=1)

    shown = row(world)
    assert (shown["status"], shown["next_due"], shown["next_reason"]) == ("cooldown", iso(AT + next_due), reason)


def test_one_without_further_slots_has_no_reason(world: DeskWorld) -> None:
    world.open(job({"kind": "once", "at": AT + 60}))
    world.pass_time(60)

    assert (row(world)["next_due"], row(world)["next_reason"]) == (None, "")


def test_the_whole(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE), job(id="b", enabled=False))
    world.pass_time(60)
    counts = view.Counts(world.desk)
    for plan in world.desk.plans.values():
        counts.add(plan)
    system = view.system(world.desk, counts)

    assert (system["total_schedules"], system["active_schedules"], system["running_tasks"]) == (2, 1, 1)
    assert (system["cycle"], system["paused"]) == (1, None)
    Path(world.home.pause_file).touch()
    world.beat()
    assert view.system(world.desk, counts)["paused"]["by"] == "pause.flag"


def test_why_it_does_not_run(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE, overlap="queueOne", enabled=True))
    world.pass_time(130)
    told = view.why(world.desk, world.plan())
    assert {gate["gate"]: gate["open"] for gate in told["gates"]}["overlap"] is False
    assert told["lines"] == [
        f"running for 1m 10s: get of run {world.run().id}",
        f"run {world.plan().queued[0].id} waits: the run before it is still going",
    ]  # fmt: skip
    world.desk.change_wishes(lambda wishes: ["job"] if wishes.enable("job", False) else [])
    world.end()

    told = view.why(world.desk, world.plan())
    assert told["lines"] == ["it is disabled"]
    assert [gate["gate"] for gate in told["gates"] if not gate["open"]] == ["enabled"]


def test_a_run_in_the_words_of_the_history(world: DeskWorld) -> None:
    world.open(job(EVERY_MINUTE))
    world.pass_time(60)
    shown = view.run_row(world.run())

    assert (shown["schedule"], shown["state"], shown["step"], shown["ended"]) == ("job", "running", "get", None)


def test_remarks_of_the_whole(world: DeskWorld) -> None:
    world.open(job())
    assert view.remarks(world.desk) == []

    Path(world.home.pause_file).touch()
    world.beat()
    world.writer.trouble = "history.db can't be written: its disk is full"
    world.writer.is_held = True
    world.writer.cut(0)
    first, second = view.remarks(world.desk)
    assert first.startswith("all schedules are paused since ")
    assert first.endswith(" by pause.flag; sbctl resume")
    assert second == "history.db can't be written: its disk is full: 1 row for it still to be written"

    world.writer.dropped = 3
    assert view.remarks(world.desk)[1].endswith(" still to be written, 3 were lost")


def test_a_pause_of_nothing_is_no_remark(world: DeskWorld) -> None:
    world.open()
    Path(world.home.pause_file).touch()
    world.beat()

    assert view.remarks(world.desk) == []
