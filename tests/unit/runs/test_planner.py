"""R16: when schedules wake, what is missed, and what becomes of it when a clock is set or the machine sleeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.desk import AT, DAY, HOUR, DeskWorld, at, cron, every, job

from supervisor.runs.takeover import Left
from supervisor.store.rows import Loaded


def run_to_its_end(world: DeskWorld, name: str = "job") -> None:
    """Whatever goes on ends well at once, for as long as something begins at this moment."""
    while world.running(name):
        world.end(world.running(name)[0])


def live(world: DeskWorld, seconds: float, step: float = 60.0) -> None:
    """Runs end within a minute."""
    end = world.now + seconds
    while world.now < end:
        world.pass_time(min(step, end - world.now))
        for name in list(world.desk.plans):
            run_to_its_end(world, name)


def test_a_slot_runs_at_its_time_and_no_sooner(world: DeskWorld) -> None:
    world.open(job())
    world.pass_until(AT + HOUR - 0.5)
    assert world.start.spawns() == []

    world.pass_time(0.5)

    assert world.run().nominal == AT + HOUR
    assert world.rows()[0]["late_ms"] == 0


def test_a_cron_schedule_that_is_seen_first_begins_with_what_comes(world: DeskWorld) -> None:
    world.open(job())
    world.pass_time(60)

    assert world.slots() == []


@pytest.mark.parametrize(("at_start", "spawns"), [(True, 1), (False, 0)])
def test_an_interval_is_due_when_it_is_seen_first_unless_it_says_otherwise(
    world: DeskWorld, at_start: bool, spawns: int
) -> None:
    world.open(job(every(HOUR), run_at_start=at_start))

    assert len(world.start.spawns()) == spawns
    assert world.keeps.saved["job"]["first_seen"] == AT


def test_those_that_are_seen_first_begin_ten_seconds_apart(world: DeskWorld) -> None:
    world.open(*(job(every(HOUR), id=name) for name in "abc"))
    begun = []
    for _ in range(25):
        begun.append(len(world.start.spawns()))
        world.pass_time(1)

    assert begun[0] == 1
    assert begun[9:12] == [1, 2, 2]
    assert begun[19:22] == [2, 3, 3]


def test_an_interval_keeps_its_phase_through_a_restart_and_a_long_run(world: DeskWorld) -> None:
    world.open(job(every(HOUR)))
    world.pass_time(1.5 * HOUR)
    world.end()
    world.kill().open()
    live(world, HOUR)

    assert [nominal for nominal, _ in world.outcomes()] == [AT, AT + HOUR, AT + 2 * HOUR]
    assert world.reasons() == ["run", "overlap", "run"]


def test_once_runs_once_and_never_again(world: DeskWorld) -> None:
    world.open(job({"kind": "once", "at": AT + 100}))
    live(world, DAY, HOUR)
    world.kill().open()
    live(world, DAY, HOUR)

    assert world.outcomes() == [(AT + 100, "run")]
    assert world.plan().wake is None


# missed


def go_down(world: DeskWorld, seconds: float) -> None:
    world.kill()
    world.clocks.time += seconds


def test_a_first_slot_that_comes_while_the_scheduler_is_down_is_made_up_for(world: DeskWorld) -> None:
    """Nothing of it stood in the history but that it had been seen."""
    world.open(job())
    go_down(world, HOUR + 600)
    world.open()

    assert world.run().nominal == AT + HOUR
    assert world.run().trigger == "catch_up"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"missed": "skip"}, [(1, "missed", 5)]),
        ({"missed": "latest"}, [(1, "missed", 4), (5, "run", 1)]),
        ({"missed": "earliest"}, [(1, "run", 1), (2, "missed", 4)]),
        ({"missed": "all"}, [(hour, "run", 1) for hour in range(1, 6)]),
        ({"missed": "all", "max_catchup": 2}, [(1, "missed", 3), (4, "run", 1), (5, "run", 1)]),
        ({"missed": "all", "window": 2.6 * HOUR}, [(1, "window", 2), (3, "run", 1), (4, "run", 1), (5, "run", 1)]),
        ({"missed": "latest", "window": 2.6 * HOUR}, [(1, "window", 2), (3, "missed", 2), (5, "run", 1)]),
        ({"missed": "earliest", "window": 2.6 * HOUR}, [(1, "window", 2), (3, "run", 1), (4, "missed", 2)]),
        ({"missed": "latest", "window": 60.0}, [(1, "window", 5)]),
    ],
)
def test_what_was_missed(world: DeskWorld, policy: dict[str, Any], expected: list[tuple[int, str, int]]) -> None:
    """Five slots while it was down."""
    world.open(job(overlap="queueAll", **policy))
    go_down(world, 5.5 * HOUR)
    world.open()
    live(world, 120, 5)

    rows = [((row["nominal"] - AT) // HOUR, row["reason"] or row["outcome"], row["count"]) for row in world.slots()]
    assert rows == expected


def test_what_was_missed_begins_as_far_apart_as_the_settings_say(world: DeskWorld) -> None:
    world.open(job(missed="all", spread=30.0, overlap="allow"))
    go_down(world, 3.5 * HOUR)
    world.open()
    world.pass_time(100)

    starts = [run.started - world.clocks.wall() + 100 for run in world.running()]
    assert starts == pytest.approx([0, 30, 60])


def test_late_but_within_the_grace_is_in_time(world: DeskWorld) -> None:
    world.open(job())
    go_down(world, HOUR + 299)
    world.open()

    assert world.run().trigger == "schedule"
    assert world.rows()[0]["late_ms"] == 299_000
    assert "run.late" not in world.kinds()


def test_ten_years_away_cost_a_moment_and_one_run(world: DeskWorld) -> None:
    world.open(job(every(60)))
    run_to_its_end(world)
    go_down(world, 10 * 365.25 * DAY)
    world.open()
    live(world, 30, 5)

    assert len(world.start.spawns()) == 2
    assert [row["count"] for row in world.slots()][1:3] == [5_258_160, 1438]
    assert world.reasons()[:3] == ["run", "window", "missed"]


# the clock


def test_a_step_of_two_hours_is_like_a_pause_of_the_machine(world: DeskWorld) -> None:
    world.open(job())
    world.jump_wall(2 * HOUR + 600)

    assert world.kinds().count("clock.stepped") == 1
    assert world.run().nominal == AT + 2 * HOUR
    assert world.outcomes()[0] == (AT + HOUR, "missed")


def test_a_large_step_forward_sets_the_clock_right_and_runs_nothing(world: DeskWorld) -> None:
    world.open(job())
    world.jump_wall(10 * 365.25 * DAY)

    assert world.start.spawns() == []
    assert world.reasons() == ["clock"]
    assert world.plan().wake == pytest.approx(world.now + HOUR - world.now % HOUR)


def test_a_day_back_runs_no_slot_twice(world: DeskWorld) -> None:
    world.open(job())
    live(world, 5 * HOUR)
    before = world.start.spawns()
    world.jump_wall(-4 * HOUR)
    live(world, 5 * HOUR)

    assert len(world.start.spawns()) == len(before) + 1
    assert len({nominal for nominal, _ in world.outcomes()}) == 6


def test_a_small_step_back_holds_until_the_time_comes_again(world: DeskWorld) -> None:
    world.open(job())
    live(world, 2.5 * HOUR)
    world.jump_wall(-HOUR)
    live(world, 1.9 * HOUR)

    assert [nominal - AT for nominal, _ in world.outcomes()] == [HOUR, 2 * HOUR, 3 * HOUR]


def test_a_clock_that_was_years_ahead_and_is_set_right_does_not_hold_anything(world: DeskWorld) -> None:
    """Not the cursor, nor the spread, nor a cool-down, nor the end that an interval is counted from."""
    ahead = 10 * 365 * DAY
    world.clocks.jump_wall(ahead)
    finish = job(every(HOUR, after_finish=True), id="finish")
    breaks = job(cron("0 * * * *"), id="breaks", safety={"max_failures": 1, "cooldown": 100.0})
    world.open(job(), finish, breaks, job(every(60), id="interval"))
    world.pass_time(20)
    world.end("finish")
    world.pass_until(AT + ahead + HOUR)
    world.end("breaks", 1)
    world.jump_wall(-ahead)
    spawns = len(world.start.spawns())
    live(world, 2.5 * HOUR)

    begun = [key.split("/")[1] for key in world.start.spawns()[spawns:]]
    names = [row["schedule"] for name in world.desk.plans for row in world.rows(name) if row["id"] in begun]
    assert {name: names.count(name) >= 2 for name in ("job", "finish", "breaks", "interval")} == {
        "job": True, "finish": True, "breaks": True, "interval": True,
    }  # fmt: skip


def test_who_waits_does_so_no_longer_for_a_clock_that_was_set_back(world: DeskWorld) -> None:
    world.open(*(job(every(HOUR), id=name) for name in "abc"))
    world.jump_wall(-HOUR)
    world.pass_time(21)

    assert len(world.desk.runner.runs) == 3


@pytest.mark.parametrize("restarted", [False, True])
def test_slots_that_a_clock_ahead_has_passed_over_come_all_the_same(world: DeskWorld, restarted: bool) -> None:
    ahead = 10 * 365 * DAY
    world.open(job())
    world.jump_wall(ahead)
    live(world, 1.5 * HOUR)
    if restarted:
        world.kill()
        world.clocks.jump_wall(-ahead)
        world.open()
    else:
        world.jump_wall(-ahead)
    live(world, 2 * HOUR)

    assert [what for what in world.outcomes() if what[0] < AT + DAY][-2:] == [
        (AT + 2 * HOUR, "run"), (AT + 3 * HOUR, "run"),
    ]  # fmt: skip


@pytest.mark.parametrize("restarted", [False, True])
def test_a_clock_that_is_set_back_makes_no_slot_run_again(world: DeskWorld, restarted: bool) -> None:
    def runs_in(hours: float) -> int:
        before = len(world.start.spawns())
        live(world, hours * HOUR)
        return len(world.start.spawns()) - before

    world.open(job(cron("*/5 * * * *")))
    assert runs_in(8) > 90
    if restarted:
        world.kill()
        world.clocks.jump_wall(-6 * HOUR)
        world.open()
    else:
        world.jump_wall(-6 * HOUR)

    assert runs_in(5) == 0
    assert runs_in(4) > 30


def test_what_a_clock_ahead_has_noted_does_not_hold_a_successor(world: DeskWorld) -> None:
    ahead = 10 * 365 * DAY
    world.clocks.jump_wall(ahead)
    world.open(job(), job(every(HOUR), id="interval"))
    live(world, 2.5 * HOUR)
    world.kill()
    world.clocks.jump_wall(-ahead)
    spawns = len(world.start.spawns())
    world.open()
    live(world, 2 * HOUR)

    assert len(world.start.spawns()) >= spawns + 4


def test_a_night_of_sleep_is_no_storm(world: DeskWorld) -> None:
    world.open(*(job(cron("*/5 * * * *"), id=f"j{number}") for number in range(30)))
    live(world, 600)
    spawns = len(world.start.spawns())
    world.sleep(8 * HOUR)
    assert "clock.slept" in world.kinds()
    assert "clock.stepped" not in world.kinds()
    live(world, 10, 1)
    at_once = len(world.start.spawns()) - spawns
    live(world, 280, 5)

    # 08:40 and 08:45 are within the grace of five minutes at most: nothing older runs more than once a schedule
    assert at_once <= 60
    assert len(world.start.spawns()) - spawns <= 60
    assert all("missed" in world.reasons(f"j{number}") for number in range(30))


def test_a_thousand_that_are_due_at_once_all_begin(world: DeskWorld) -> None:
    world.open(*(job(id=f"j{number}", group="g" if number % 2 else "") for number in range(1000)))
    world.desk.catalogue.groups["g"] = 1000
    world.pass_until(AT + HOUR)

    assert len(world.desk.runner.runs) == 1000


# the end of the last run


def test_after_finish_is_counted_from_the_end_of_the_run_before(world: DeskWorld) -> None:
    world.open(job(every(600, after_finish=True)))
    assert world.run().nominal == AT
    world.pass_time(50)
    world.end()
    assert world.plan().wake == AT + 650
    world.pass_time(599.5)
    assert world.running() == []
    world.pass_time(1)

    assert world.run().nominal == AT + 650


def test_after_finish_goes_on_after_a_slot_that_was_held(world: DeskWorld) -> None:
    world.open(job(every(600, after_finish=True)))
    world.end()
    Path(world.home.pause_file).touch()
    world.pass_time(700)
    assert world.fates() == ["run", "paused"]
    Path(world.home.pause_file).unlink()
    world.pass_time(600)

    assert world.run().nominal == AT + 1200


def test_after_finish_is_counted_anew_where_its_slot_was_held_late(world: DeskWorld) -> None:
    world.open(job(every(600, after_finish=True)))
    world.end()
    world.kill()
    Path(world.home.pause_file).touch()
    world.clocks.time += 5000
    world.open()
    world.pass_time(590)
    assert world.fates() == ["run", "paused"]
    world.pass_time(20)

    assert world.fates() == ["run", "paused", "paused"]


def test_after_finish_keeps_to_its_dates_and_leaves_out_the_days_that_are_excluded(world: DeskWorld) -> None:
    day = (AT // 86400 + 1) * 86400
    world.open(job(every(HOUR, after_finish=True), exclude=("2025-10-09",), valid_until=day + 2 * HOUR))
    assert world.plan().wake == day
    for number in range(3):
        world.pass_until(day + number * HOUR)
        world.end()

    assert world.fates() == ["run"] * 3
    assert world.plan().wake is None


def test_after_finish_waits_its_first_time_where_it_is_not_to_run_at_start(world: DeskWorld) -> None:
    world.open(job(every(600, after_finish=True), run_at_start=False))
    world.pass_time(599)
    assert world.slots() == []
    world.pass_time(1)

    assert world.run().nominal == AT + 600


@pytest.mark.parametrize("way", ["as it is", "after an edit"])
def test_after_finish_is_due_at_the_same_time_after_a_restart(world: DeskWorld, way: str) -> None:
    """From when it was considered, or changed, nothing is counted."""
    first = AT + 2 * HOUR
    its = {"active_hours": [[None, 11 * HOUR, 20 * HOUR]], "outside": "defer", "valid_from": first}
    world.open(job(every(5 * HOUR, after_finish=True), **its))
    if way == "after an edit":
        world.pass_until(first)
        world.end()
        world.pass_time(600)
        world.reload(job(every(4 * HOUR, after_finish=True), **its))
        world.pass_time(60)
    wake = world.plan().wake
    for _ in range(2):
        world.kill().open()
        assert world.plan().wake == wake == (first if way == "as it is" else first + 4 * HOUR)


def test_a_slot_that_was_held_late_is_not_made_up_for_after_a_restart(world: DeskWorld) -> None:
    """What after-finish is counted from is when it was held, whoever counts."""
    world.open(job(every(600, after_finish=True)))
    world.end()
    world.kill()
    Path(world.home.pause_file).touch()
    world.clocks.time += 5000
    world.open()
    assert world.fates() == ["run", "paused"]
    world.kill()
    Path(world.home.pause_file).unlink()
    world.open()

    assert (world.running(), world.plan().wake) == ([], AT + 5600)


def test_after_finish_is_counted_from_when_its_slot_was_given_up(world: DeskWorld) -> None:
    """It had waited for its hours, and came into a blackout."""
    world.catalogue.calendars["noon"] = [{"weekdays": None, "start": 11 * HOUR, "end": 11 * HOUR + 100}]
    hours = [[None, 11 * HOUR, 20 * HOUR]]
    world.open(job(every(600, after_finish=True), active_hours=hours, outside="defer", blackouts=("noon",)))
    world.pass_until(AT + 2 * HOUR + 30)
    assert world.fates() == ["blackout"]
    for _ in range(2):
        assert world.plan().wake == AT + 2 * HOUR + 600
        world.kill().open()


def test_without_its_history_after_finish_does_not_run_for_that(world: DeskWorld) -> None:
    world.open(job(every(600, after_finish=True)))
    world.end()
    world.kill()
    for table in ("slots", "runs", "steps", "schedules"):
        world.db.execute(f"DELETE FROM {table}")
    world.clocks.time += 5000
    for _ in range(2):
        world.open()
        assert world.running() == []
        assert world.plan().wake == int(AT + 5600)
        world.pass_time(1)
        world.kill()


def test_after_finish_goes_on_after_a_restart(world: DeskWorld) -> None:
    world.open(job(every(600, after_finish=True)))
    world.end()
    world.pass_time(300)
    world.kill().open()
    world.pass_time(301)

    assert world.run().nominal == AT + 600


def test_after_finish_and_times_of_the_day_go_together(world: DeskWorld) -> None:
    world.open(job(every(2 * HOUR, after_finish=True), at(10 * HOUR)))
    live(world, 3.5 * HOUR)

    nominals = [nominal - AT for nominal, _ in world.outcomes()]
    assert nominals[0] == 0
    assert HOUR in nominals
    assert len(nominals) == 3


def test_old_places_in_the_heap_do_not_add_up(world: DeskWorld) -> None:
    # Below the first one, which is due sooner, nobody looks for long.
    schedules = [job(id="sooner"), *(job(cron("0 0 1 1 *"), id=f"j{number}") for number in range(50))]
    world.open(*schedules)
    for _ in range(100):
        world.reload(*schedules)

    assert len(world.desk.planner._heap) <= 1200


@pytest.mark.parametrize(("missed", "expected"), [("latest", [8]), ("earliest", [4]), ("all", [4, 5, 8]), ("skip", [])])
def test_what_was_missed_in_a_blackout_is_not_made_up_for(world: DeskWorld, missed: str, expected: list[int]) -> None:
    """It would not have run at its own time either."""
    world.catalogue.calendars["hold"] = [{"from": "2025-10-09T14:59", "to": "2025-10-09T16:01"}]
    world.catalogue.calendars["then"] = [{"from": "2025-10-09T17:59", "to": "2025-10-09T18:01"}]
    world.open(job(missed=missed, blackouts=("hold", "then"), overlap="queueAll", spread=0.0))
    world.pass_until(AT + 3 * HOUR + 10)
    for _ in range(3):
        run_to_its_end(world)
    before = len(world.rows())
    go_down(world, 6 * HOUR + 600)
    world.open()
    run_to_its_end(world)

    made_up = [(row["nominal"] - AT) // HOUR for row in world.rows()[before:]]
    assert sorted(made_up) == expected


def test_a_heartbeat_before_it_has_begun_takes_no_clock_for_set(world: DeskWorld) -> None:
    """The desk opens in one turn of the loop, and the planner begins at the end of it."""
    world.set(job())
    world.desk.open(world.catalogue, Left(), Loaded.empty())
    world.desk.beat()
    world.loop.run_soon()

    assert world.texts("clock.stepped") == []
    world.pass_until(AT + HOUR)
    assert len(world.running()) == 1


def test_a_defect_in_one_turn_is_not_the_end_of_all_schedules(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.open(job())
    tries: list[float] = []

    def fail() -> None:
        tries.append(world.now)
        raise RuntimeError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(world.desk.runner, "hear", fail)
        with pytest.raises(RuntimeError):
            world.pass_until(AT + HOUR + 0.5)
    world.pass_until(AT + HOUR + 2)

    assert (tries, len(world.start.spawns())) == ([AT + HOUR], 1)


def test_a_turn_that_fails_late_leaves_one_timer(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.open(job(), job(id="other"))

    def fail(_now: float) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(world.desk.planner, "_look_ahead", fail)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                world.pass_until(world.now + HOUR)
    wakes = [timer for _, _, timer in world.loop._timers if timer.call == world.desk.planner._wake]

    assert len(wakes) == 1
