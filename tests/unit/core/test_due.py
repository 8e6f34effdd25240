"""When a slot is due, what is in time, and what becomes of that which is not."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.base.zones import zone
from supervisor.core.due import COUNT_AT_MOST, IN_TIME_AT_MOST, Judged, Rule, grace_of, judge
from supervisor.core.hours import Hours
from supervisor.core.timeline import Timeline
from supervisor.core.trigger import build
from supervisor.model.run import Skip
from supervisor.model.schedule import Policy, Schedule

UTC = zone("UTC")
DAY0 = 1_760_054_400  # midnight
HOUR = 3600
HOURLY = {"kind": "cron", "expr": "0 * * * *"}
NINE_TO_FIVE = [[None, 9 * HOUR, 17 * HOUR]]


def rule(*triggers: dict[str, Any], id: str = "one", seed: str = "", anchor: int = DAY0, **policy: Any) -> Rule:
    schedule = Schedule(id=id, plugin="p", steps=("get",), triggers=list(triggers), policy=Policy(**policy))
    built = [build(each, zone=UTC, zones=zone, key=id, anchor=anchor) for each in triggers or (HOURLY,)]
    return Rule(schedule, Timeline(built, zone=UTC), Hours(schedule.policy.active_hours, UTC), seed, anchor)


def due(its: Rule, hour: float) -> tuple[float, bool, bool]:
    fire = its.times.next(DAY0 + int(hour * HOUR) - 1)
    assert fire is not None
    found = its.due(fire)
    return (found.at - DAY0) / HOUR, found.moved, found.passed


def told(judged: Judged) -> tuple[list[int], list[tuple[int, int, int | None, str]]]:
    """In hours since midnight: what runs, and what does not."""
    chosen = [(each.fire.at - DAY0) // HOUR for each in judged.chosen]
    passed = [
        ((each.first - DAY0) // HOUR, (each.last - DAY0) // HOUR, each.count, each.reason.value)
        for each in judged.passed
    ]
    return chosen, passed


# due


def test_without_more_a_slot_is_due_when_it_says() -> None:
    assert due(rule(), 3) == (3.0, False, False)


def test_the_delay_is_less_than_the_jitter_and_the_same_whenever_it_is_asked_for() -> None:
    its = rule(jitter=600.0, jitter_kind="perRun", seed="box")
    delays = [its.delay(DAY0 + hour * HOUR) for hour in range(1, 200)]

    assert delays == [
        rule(jitter=600.0, jitter_kind="perRun", seed="box").delay(DAY0 + n * HOUR) for n in range(1, 200)
    ]
    assert all(0 <= delay <= 600 for delay in delays)
    assert len(set(delays)) > 100
    assert max(delays) > 500
    assert min(delays) < 100


def test_a_stable_delay_is_of_the_schedule_and_of_the_box() -> None:
    delays = {rule(jitter=600.0, id=id, seed=seed).delay(DAY0 + HOUR) for id in "ab" for seed in "cd"}

    assert len(delays) == 4
    assert len({rule(jitter=600.0).delay(DAY0 + n * HOUR) for n in range(1, 50)}) == 1


def test_the_first_slot_of_all_is_not_late() -> None:
    assert rule(jitter=600.0, jitter_kind="perRun").delay(DAY0) == 0.0


def test_a_delay_never_reaches_beyond_the_next_slot() -> None:
    its = rule({"kind": "cron", "expr": "* * * * *"}, jitter=600.0, jitter_kind="perRun")
    for minute in range(1, 200):
        fire = its.times.next(DAY0 + minute * 60 - 1)
        assert fire is not None
        assert fire.at <= its.due(fire).at <= fire.at + 60


def test_outside_its_hours_the_last_slot_before_they_open_is_moved_and_the_others_pass() -> None:
    its = rule(active_hours=NINE_TO_FIVE)

    assert due(its, 7) == (7.0, False, True)
    assert due(its, 8) == (8.0, False, True)  # the slot of 9 is as good
    assert due(its, 9) == (9.0, False, False)
    assert due(its, 17) == (17.0, False, True)
    assert due(rule({"kind": "at", "times": [7 * HOUR]}, active_hours=NINE_TO_FIVE), 7) == (9.0, True, False)


def test_what_waits_for_its_hours_does_not_all_begin_when_they_do() -> None:
    """The delay counts from there, up to the next slot and the end of the hours."""
    six_hourly = {"kind": "interval", "seconds": 6.0 * HOUR}
    jitter = {"active_hours": [[None, 7 * HOUR, 23 * HOUR]], "outside": "defer", "jitter": 1800.0}
    begun = {due(rule(six_hourly, seed=seed, jitter_kind="perRun", **jitter), 6)[0] for seed in map(str, range(50))}
    assert len(begun) > 25
    assert all(7.0 <= hour <= 7.5 for hour in begun)
    assert max(begun) > 7.4

    its = rule(six_hourly, seed="box", **jitter)
    assert due(its, 6) == (7.0 + its.delay(DAY0 + 6 * HOUR) / HOUR, True, False)
    soon = [
        due(rule({"kind": "at", "times": [6 * HOUR, 7 * HOUR + 60]}, seed=seed, **jitter), 6)[0] for seed in "abcdefgh"
    ]
    assert all(7.0 <= hour <= 7.0 + 1 / 60 for hour in soon)
    assert 7.0 + 1 / 60 in soon


@pytest.mark.parametrize("zone_name", ["Europe/Berlin", "Antarctica/Troll", "America/Santiago", "Australia/Lord_Howe"])
def test_over_a_year_each_delay_lies_within_the_hours_and_before_the_next_slot(zone_name: str) -> None:
    """Also on the days on which the clock is changed within the hours, or when they begin."""
    its_zone = zone(zone_name)
    policy = Policy(active_hours=[[None, 2 * HOUR, 5 * HOUR]], outside="defer", jitter=3000.0, jitter_kind="perRun")
    schedule = Schedule(id="one", plugin="p", steps=("get",), triggers=[], policy=policy)
    times = Timeline([build({"kind": "interval", "seconds": 5400.0}, zone=its_zone, zones=zone, key="", anchor=DAY0)],
                     zone=its_zone)  # fmt: skip
    its = Rule(schedule, times, Hours(policy.active_hours, its_zone), "box", DAY0)
    fire = times.next(DAY0)
    moved = 0
    while fire is not None and fire.at < DAY0 + 366 * 24 * HOUR:
        found, after = its.due(fire), times.next(fire.at)
        assert after is not None
        if not found.passed:
            assert its.hours.is_open(int(found.at)), (fire.at, found)
            assert fire.at <= found.at <= after.at
            moved += found.moved and found.at > (its.hours.next_open(fire.at) or 0)
        fire = after
    assert moved > 150  # else slots lie within the hours, or just before such a one


def test_outside_its_hours_it_runs_or_passes_where_the_settings_say_so() -> None:
    daily = {"kind": "at", "times": [7 * HOUR]}

    assert due(rule(daily, active_hours=NINE_TO_FIVE, outside="run"), 7) == (7.0, False, False)
    assert due(rule(daily, active_hours=NINE_TO_FIVE, outside="skip"), 7) == (7.0, False, True)


def test_a_delay_moves_no_slot_out_of_its_hours() -> None:
    late = [[None, 9 * HOUR, 9 * HOUR + 60]]
    for seed in "abcdefgh":
        on_time = due(rule({"kind": "at", "times": [9 * HOUR]}, active_hours=late, jitter=3000.0, seed=seed), 9)
        moved = due(rule({"kind": "at", "times": [8 * HOUR + 3000]}, active_hours=late, jitter=3000.0, seed=seed), 8)
        assert 9.0 <= on_time[0] < 9 + 1 / 60
        assert 9.0 <= moved[0] < 9 + 1 / 60


@pytest.mark.parametrize(("period", "grace"), [(1, 60), (600, 60), (1200, 120), (3600, 300), (86_400, 300), (0, 60)])
def test_the_grace_is_a_tenth_of_the_period_within_limits(period: float, grace: float) -> None:
    assert grace_of(period) == grace


# judged


def test_nothing_is_due_between_two_slots_and_it_wakes_for_the_next() -> None:
    judged = judge(rule(), DAY0, DAY0 + 1800.5)

    assert told(judged) == ([], [])
    assert (judged.cursor, judged.wake) == (DAY0, DAY0 + HOUR)


def test_a_slot_that_is_due_runs_and_is_decided() -> None:
    judged = judge(rule(), DAY0, DAY0 + HOUR)

    assert told(judged) == ([1], [])
    assert (judged.cursor, judged.wake) == (DAY0 + HOUR, DAY0 + 2 * HOUR)
    assert not judged.chosen[0].catch_up


def test_a_slot_whose_delay_is_not_over_is_not_decided() -> None:
    its = rule(jitter=1000.0)
    delay = its.delay(DAY0 + HOUR)
    judged = judge(its, DAY0, DAY0 + HOUR + delay - 1)

    assert (judged.chosen, judged.cursor, judged.wake) == ([], DAY0, DAY0 + HOUR + delay)
    assert told(judge(its, DAY0, DAY0 + HOUR + delay))[0] == [1]


def test_no_more_slots_no_wake() -> None:
    judged = judge(rule({"kind": "once", "at": DAY0 + 100}), DAY0, DAY0 + 100)

    assert len(judged.chosen) == 1
    assert judged.wake is None


@pytest.mark.parametrize(
    ("policy", "chosen", "passed"),
    [
        ({"missed": "skip"}, [], [(1, 5, 5, "missed")]),
        ({"missed": "latest"}, [5], [(1, 4, 4, "missed")]),
        ({"missed": "earliest"}, [1], [(2, 5, 4, "missed")]),
        ({"missed": "all"}, [1, 2, 3, 4, 5], []),
        ({"missed": "all", "max_catchup": 3}, [3, 4, 5], [(1, 2, 2, "missed")]),
        ({"missed": "all", "window": 2.6 * HOUR}, [3, 4, 5], [(1, 2, 2, "window")]),
        ({"missed": "latest", "window": 2.6 * HOUR}, [5], [(1, 2, 2, "window"), (3, 4, 2, "missed")]),
        ({"missed": "skip", "window": 2.6 * HOUR}, [], [(1, 2, 2, "window"), (3, 5, 3, "missed")]),
        ({"missed": "latest", "window": 10.0}, [], [(1, 5, 5, "window")]),
        ({"missed": "latest", "grace": 2 * HOUR}, [4, 5], [(1, 3, 3, "missed")]),
        ({"missed": "all", "grace": 2 * HOUR}, [1, 2, 3, 4, 5], []),
    ],
)
def test_what_was_missed(
    policy: dict[str, Any], chosen: list[int], passed: list[tuple[int, int, int | None, str]]
) -> None:
    judged = judge(rule(**policy), DAY0, DAY0 + 5.5 * HOUR)

    assert told(judged) == (chosen, passed)
    assert (judged.cursor, judged.wake) == (DAY0 + 5 * HOUR, DAY0 + 6 * HOUR)


def test_what_is_made_up_for_lies_within_the_active_hours() -> None:
    judged = judge(rule(active_hours=NINE_TO_FIVE), DAY0, DAY0 + 23.5 * HOUR)

    assert told(judged) == ([16], [(1, 15, 15, "missed"), (17, 23, 7, "missed")])


def test_a_slot_outside_its_hours_has_a_row_of_its_own_when_it_passes() -> None:
    assert told(judge(rule(active_hours=NINE_TO_FIVE), DAY0, DAY0 + HOUR)) == ([], [(1, 1, 1, "active_hours")])


@pytest.mark.parametrize("active_hours", [[], [[None, 0, 60]]])
def test_a_long_grace_is_no_reason_for_thousands_of_rows(active_hours: list[Any]) -> None:
    its = rule({"kind": "interval", "seconds": 1.0}, grace=86_400.0, active_hours=active_hours, outside="skip")
    judged = judge(its, DAY0, DAY0 + 80_000)

    assert len(judged.chosen) + len(judged.passed) <= IN_TIME_AT_MOST + 20
    assert sum(each.count or 0 for each in judged.passed) + len(judged.chosen) == 80_000


def test_a_hundred_years_of_minutes_cost_no_more_than_a_look_from_the_end() -> None:
    judged = judge(rule({"kind": "cron", "expr": "* * * * *"}), DAY0, DAY0 + 100 * 365 * 86_400)

    assert len(judged.chosen) == 2  # in time: the newest, and that of a minute ago
    assert judged.passed[0].count is None
    assert judged.passed[0].reason is Skip.WINDOW
    assert judged.passed[1].count is not None
    assert judged.passed[1].count < COUNT_AT_MOST
