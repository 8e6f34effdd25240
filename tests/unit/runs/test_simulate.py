"""A year in a moment, by the planner's own decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from support.desk import AT, DAY, HOUR, DeskWorld, after, at, cron, every, job

from supervisor.base import zones
from supervisor.base.clock import iso
from supervisor.model.schedule import Catalogue, Schedule
from supervisor.runs.cursors import anchor_of, see_first
from supervisor.runs.plan import Maker
from supervisor.runs.simulate import simulate

YEAR = 365 * DAY
CALENDARS: dict[str, list[dict[str, Any]]] = {
    "noon": [{"weekdays": None, "start": 12 * HOUR, "end": 13 * HOUR}],
    "day": [{"dates": ["2025-10-11"]}],
}


def run(
    *schedules: Schedule, start: int = AT, seconds: int = DAY, seed: str = "", seen: int | None = None,
    took: float = 0.0,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Seen first at the start, or at `seen`; nothing of them was decided before."""
    catalogue = Catalogue(None)
    catalogue.zone = "UTC"
    catalogue.calendars.update(CALENDARS)
    maker, plans = Maker(catalogue, zones.zone, seed), []
    for schedule in schedules:
        anchor, is_new = anchor_of(schedule, seen, start)
        plans.append(maker.plan(schedule, anchor))
        see_first(plans[-1], start, is_new=is_new)
    off = [schedule.id for schedule in schedules if not schedule.enabled]
    lengths = {schedule.id: took for schedule in schedules}
    return simulate(plans, maker, start=start, end=start + seconds, took=lengths, disabled=off)


def test_a_day_of_an_hourly_schedule() -> None:
    facts = run(job())["job"]

    assert (facts["runs"], facts["skipped"], facts["longest_gap_s"]) == (23, {}, 3600.0)
    assert facts["first"][0] == "2025-10-09T10:00:00.000Z"
    assert len(facts["first"]) == 5


def test_an_interval_begins_with_its_first_sight() -> None:
    assert run(job(every(HOUR)))["job"]["runs"] == 24
    assert run(job(every(HOUR), run_at_start=False))["job"]["runs"] == 23


def test_an_interval_that_was_seen_goes_on_as_it_is() -> None:
    seen = AT - 10_000  # no whole number of hours ago
    assert run(job(every(HOUR)), seen=seen)["job"]["first"][0] == iso(seen + 3 * HOUR)


def test_the_jitter_is_that_of_the_home() -> None:
    def first(seed: str) -> list[str]:
        found: list[str] = run(job(jitter=1800.0), seed=seed)["job"]["first"]
        return found

    its = Maker(Catalogue(None), zones.zone, "a").plan(job(jitter=1800.0), AT).rule
    assert first("a")[0] == iso(AT + HOUR + its.delay(AT + HOUR))
    assert first("a") != first("b")


def test_one_that_follows_another_says_so() -> None:
    found = run(job(id="a"), job(after("a"), id="b"), job(after("a"), cron("0 * * * *"), id="c"))

    assert [found[name]["follows"] for name in found] == [[], ["after a has succeeded"], ["after a has succeeded"]]
    assert [found[name]["runs"] for name in found] == [23, 0, 23]


def test_a_year_of_a_night_job_knows_the_change_of_the_clock() -> None:
    start = int(datetime.fromisoformat("2025-01-01T00:00+00:00").timestamp())
    facts = run(job(cron("30 2 * * *"), zone="Europe/Berlin"), start=start, seconds=YEAR)["job"]

    assert facts["runs"] == 365
    assert facts["dst"][:2] == [
        "2025-03-30T01:00:00.000Z: the clocks go forward by 60 min",
        "2025-10-26T01:00:00.000Z: the clocks go back by 60 min",
    ]
    assert "02:30 does not exist" in facts["dst"][2]
    assert facts["clock_rules"] == [
        "vixie, for a fixed time: once, at the end of the gap or the first time where it comes twice"
    ]


def test_each_rule_of_dst_is_told_once_and_an_interval_has_none() -> None:
    both = run(job(cron("30 2 * * *"), cron("0 9 * * *"), cron("*/5 * * * *"), every(HOUR)))["job"]["clock_rules"]

    assert [text.partition(":")[0] for text in both] == ["vixie, for a fixed time", "vixie, for a rhythm"]
    assert run(job(at(0), dst="skip"))["job"]["clock_rules"] == ["skip: not in a gap, once where it comes twice"]
    assert run(job(every(HOUR)))["job"]["clock_rules"] == []


def test_what_does_not_run_is_counted_by_its_reason() -> None:
    hours = [[None, 9 * HOUR, 17 * HOUR]]

    assert run(job(active_hours=hours, outside="skip"))["job"]["skipped"] == {"active_hours": 16}
    assert run(job(blackouts=("noon",)))["job"]["skipped"] == {"blackout": 1}
    assert run(job(enabled=False))["job"]["skipped"] == {"disabled": 23}


def test_a_check_of_whom_nobody_knows_the_answer_opens_no_other_gate() -> None:
    noon = run(job(blackouts=("noon",)), seconds=10 * DAY)["job"]

    assert noon["skipped"] == {"blackout": 10}
    assert run(job(blackouts=("noon",), check="gh"), seconds=10 * DAY)["job"] == noon
    assert run(job(enabled=False, check="gh"))["job"]["skipped"] == {"disabled": 23}
    assert run(job(check="gh"), took=5000.0)["job"]["skipped"] == {"overlap": 11}


def test_runs_that_take_too_long_meet_the_next_slot() -> None:
    assert run(job(), took=5000.0)["job"]["skipped"] == {"overlap": 11}
    assert run(job(overlap="queueOne"), took=5000.0)["job"]["skipped"] == {}


def together(*lines: str, start: int = AT, seconds: int = DAY) -> dict[str, list[tuple[str, int, str]]]:
    """Schedules `a`, `b`, ... by their cron lines: with whom each starts, how often, and when first."""
    rules = [{**cron(line), "seconds": line.count(" ") == 5} for line in lines]
    made = [job(rule, id="abc"[number]) for number, rule in enumerate(rules)]
    found = run(*made, start=start, seconds=seconds)
    return {
        id: [(each["with"], each["count"], each["first"][11:19]) for each in facts["collisions"]]
        for id, facts in found.items()
    }


def test_who_starts_together_is_told() -> None:
    found = together("0 * * * *", "0 */2 * * *", "30 * * * *")

    assert found == {"a": [("b", 12, "10:00:00")], "b": [("a", 12, "10:00:00")], "c": []}


@pytest.mark.parametrize("later", [0, 1, 23, 37, 59])
def test_the_first_start_together_is_told_as_it_is(later: int) -> None:
    """Wherever in a minute it is looked from."""
    found = together("0 7 * * *", "0 7,19 * * *", start=AT + later)

    assert found == {"a": [("b", 1, "07:00:00")], "b": [("a", 1, "07:00:00")]}


@pytest.mark.parametrize("later", [0, 1, 23, 37, 59])
def test_starts_meet_over_any_edge_if_they_are_less_than_a_minute_apart(later: int) -> None:
    second = together("59 59 6 * * *", "0 0 7 * * *", start=AT + later)
    assert second == {"a": [("b", 1, "06:59:59")], "b": [("a", 1, "07:00:00")]}

    most = together("10 59 6 * * *", "59 59 6 * * *", start=AT + later)
    assert most == {"a": [("b", 1, "06:59:10")], "b": [("a", 1, "06:59:59")]}

    assert together("0 7 * * *", "1 7 * * *", start=AT + later) == {"a": [], "b": []}


def test_of_two_that_start_together_the_rarer_one_says_how_often() -> None:
    found = together("*/5 * * * * *", "30 12 * * *", "* * * * *")

    assert found["a"] == [("c", 1439, "09:01:00"), ("b", 1, "12:30:00")]
    assert found["b"] == [("a", 1, "12:30:00"), ("c", 1, "12:30:00")]
    assert found["c"] == [("a", 1439, "09:01:00"), ("b", 1, "12:30:00")]


def test_after_finish_goes_by_how_long_a_run_takes() -> None:
    assert run(job(every(HOUR, after_finish=True)), took=HOUR)["job"]["runs"] == 12


DAYTIME = [[None, 7 * HOUR, 17 * HOUR]]


@pytest.mark.parametrize(
    ("triggers", "keys"),
    [
        ([every(HOUR, after_finish=True)], {}),
        ([every(HOUR, after_finish=True)], {"active_hours": DAYTIME, "outside": "defer"}),
        ([every(HOUR, after_finish=True)], {"active_hours": DAYTIME, "outside": "skip"}),
        ([every(HOUR, after_finish=True)], {"active_hours": DAYTIME, "outside": "run"}),
        ([every(HOUR, after_finish=True)], {"active_hours": DAYTIME, "outside": "defer", "blackouts": ("noon",)}),
        ([every(HOUR, after_finish=True)], {"active_hours": DAYTIME, "outside": "run", "blackouts": ("noon", "day")}),
        ([every(HOUR, after_finish=True)], {"enabled": False}),
        ([every(HOUR, after_finish=True)], {"exclude": ("2025-10-10",)}),
        ([every(HOUR, after_finish=True)], {"exclude": ("2025-10-09",), "active_hours": DAYTIME, "outside": "defer"}),
        ([every(HOUR, after_finish=True)], {"valid_until": AT + 30 * HOUR, "exclude": ("2025-10-09",)}),
        ([every(HOUR, after_finish=True)], {"valid_from": AT + 9 * HOUR + 100, "valid_until": AT + 30 * HOUR}),
        ([every(HOUR, after_finish=True), cron("5 * * * *")], {"exclude": ("2025-10-10",)}),
        ([every(HOUR, after_finish=True)], {"run_at_start": False, "group": "heavy"}),
        ([every(HOUR, after_finish=True), cron("15 */4 * * *")], {}),
        ([every(HOUR, after_finish=True), cron("5 * * * *")], {"active_hours": DAYTIME, "outside": "defer"}),
        ([every(HOUR, after_finish=True), cron("0 7 * * *")], {"active_hours": DAYTIME, "outside": "defer"}),
        (
            [every(HOUR, after_finish=True), cron("0 7 * * *")],
            {"active_hours": DAYTIME, "outside": "defer", "overlap": "queueOne"},
        ),
        (
            [every(13 * HOUR, after_finish=True)],
            {"active_hours": DAYTIME, "outside": "defer", "valid_until": AT + 14 * HOUR},
        ),
        (
            [every(13 * HOUR, after_finish=True)],
            {"active_hours": DAYTIME, "outside": "defer", "exclude": ("2025-10-10",)},
        ),
        (
            [every(5 * HOUR, after_finish=True), at(7 * HOUR, 21 * HOUR)],
            {"active_hours": DAYTIME, "outside": "defer", "jitter": 1800.0, "jitter_kind": "stable"},
        ),
        ([every(2 * HOUR, after_finish=True), at(12 * HOUR, 3 * HOUR)], {"active_hours": DAYTIME, "outside": "skip"}),
        ([every(5 * HOUR, after_finish=True), every(3 * HOUR)], {"blackouts": ("noon",)}),
        ([every(HOUR, after_finish=True), cron("0 * * * *")], {"enabled": False}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("took", [1234, pytest.param(7, marks=pytest.mark.slow)])
def test_after_finish_meets_the_gates_as_the_planner_has_it(
    world: DeskWorld, triggers: list[dict[str, Any]], keys: dict[str, Any], took: int
) -> None:
    schedule = job(*triggers, **keys)
    facts = run(schedule, seconds=3 * DAY, took=float(took), seed="seed")["job"]

    world.catalogue.calendars, world.catalogue.groups = dict(CALENDARS), {"heavy": 1}
    started: list[float] = []

    def spawned(key: str) -> None:
        started.append(world.now)
        world.loop.after(took, lambda: world.end(key))

    world.start.on_spawn = spawned
    world.open(schedule)
    world.pass_until(AT + 3 * DAY - 1)
    rows = world.db.execute("SELECT reason, sum(count) FROM slots WHERE outcome = 'skipped' GROUP BY reason")
    skipped = dict(rows.fetchall())

    assert (facts["runs"], facts["skipped"]) == (len(started), skipped)
    assert facts["first"] == [iso(at) for at in started[:5]]


def test_after_finish_beside_another_that_was_put_off_is_one_run() -> None:
    its = job(every(HOUR, after_finish=True), cron("0 7 * * *"), active_hours=DAYTIME, outside="defer")
    assert run(its)["job"]["skipped"] == {"overlap": 1}


def test_the_longest_silence_is_found_also_at_the_end() -> None:
    facts = run(job({"kind": "once", "at": AT + HOUR}), seconds=10 * HOUR)["job"]

    assert (facts["runs"], facts["longest_gap_s"]) == (1, 9 * HOUR)
    assert run(job(at(0)), seconds=HOUR)["job"]["longest_gap_s"] == HOUR
