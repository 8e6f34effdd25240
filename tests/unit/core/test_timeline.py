"""The slots of a schedule: several triggers together, within dates, without days that are left out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from supervisor.base.zones import zone
from supervisor.core.timeline import Timeline
from supervisor.core.trigger import build

EVERY_6_H = {"kind": "interval", "seconds": 21_600.0}
DAILY = {"kind": "at", "times": [28_800], "weekdays": None}
HOURLY = {"kind": "cron", "expr": "0 * * * *"}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


ANCHOR = at("2025-06-01T00:00+00:00")


def made(*rows: dict[str, Any], name: str = "UTC", **given: Any) -> Timeline:
    triggers = [build(row, zone=zone(name), zones=zone, key="one", anchor=ANCHOR) for row in rows]
    return Timeline(triggers, zone=zone(name), **given)


def forwards(times: Timeline, after: int, before: int) -> list[int]:
    found = []
    fire = times.next(after)
    while fire and fire.at < before:
        found.append(fire.at)
        fire = times.next(fire.at)
    return found


def backwards(times: Timeline, after: int, before: int) -> list[int]:
    found = []
    fire = times.prev(before)
    while fire and fire.at > after:
        found.append(fire.at)
        fire = times.prev(fire.at)
    return found[::-1]


def test_two_triggers_make_one_slot_where_they_meet_and_the_first_is_named() -> None:
    times = made(DAILY, {"kind": "cron", "expr": "0 8,20 * * *"})
    start, end = at("2025-06-02T00:00+00:00"), at("2025-06-03T00:00+00:00")

    assert forwards(times, start, end) == [at("2025-06-02T08:00+00:00"), at("2025-06-02T20:00+00:00")]
    assert backwards(times, start, end) == forwards(times, start, end)
    fire = times.next(start)
    assert fire is not None
    assert fire.rule == "daily at 08:00"
    assert times.describe() == "daily at 08:00; at 08:00 and 20:00 every day"
    assert times.period == 12 * 3600


def test_days_left_out_are_dates_of_its_zone() -> None:
    times = made(HOURLY, name="Asia/Kathmandu", exclude=["2025-06-02", "2025-06-03"])
    start, end = at("2025-06-01T21:30+05:45"), at("2025-06-04T02:30+05:45")
    expected = [at(f"2025-06-{hour}:00+05:45") for hour in ("01T22", "01T23", "04T00", "04T01", "04T02")]

    assert forwards(times, start, end) == expected
    assert backwards(times, start, end) == expected
    assert times.describe() == "every hour, not on 2025-06-02, 2025-06-03"


def test_a_day_that_comes_again_is_left_out_again() -> None:
    """St. John's went back from 00:01 of the 7th to 23:01 of the 6th: a minute of the 7th lies between."""
    times = made({"kind": "cron", "expr": "*/30 * * * *"}, name="America/St_Johns", exclude=["2010-11-06"])
    start, end = at("2010-11-05T23:00-02:30"), at("2010-11-07T01:00-03:30")
    expected = ["05T23:30-02:30", "07T00:00-02:30", "07T00:00-03:30", "07T00:30-03:30"]

    assert forwards(times, start, end) == [at(f"2010-11-{each}") for each in expected]
    assert backwards(times, start, end) == forwards(times, start, end)


def test_its_dates_are_both_within() -> None:
    first, last = ANCHOR + 21_600, ANCHOR + 3 * 21_600
    times = made(EVERY_6_H, valid_from=first, valid_until=last)

    assert forwards(times, 0, 2**40) == [first, first + 21_600, last]
    assert backwards(times, 0, 2**40) == [first, first + 21_600, last]
    assert times.count(0, 2**40, 2) == (3, True)


def test_it_ends_where_every_day_is_left_out_that_it_means() -> None:
    times = made({"kind": "once", "at": ANCHOR}, exclude=["2025-06-01"])

    assert times.next(0) is None
    assert times.prev(2**40) is None
    assert times.period == 0


def test_no_trigger_no_slot() -> None:
    times = made()

    assert (times.next(0), times.prev(2**40), times.count(0, 2**40, 5), times.describe()) == (None, None, (0, True), "")


def test_an_interval_is_counted_by_arithmetic_however_long_ago_it_was() -> None:
    times = made({"kind": "interval", "seconds": 1.0})

    assert times.count(ANCHOR, ANCHOR + 10**12, 1) == (10**12, True)
    assert times.count(ANCHOR - 10, ANCHOR, 1) == (1, True)
    assert times.count(ANCHOR, ANCHOR, 1) == (0, True)


def test_others_are_counted_from_the_end_and_not_further_than_the_limit() -> None:
    times = made(HOURLY)

    assert times.count(ANCHOR, ANCHOR + 5 * 3600, 100) == (5, True)
    assert times.count(ANCHOR - 1, ANCHOR + 5 * 3600, 6) == (6, True)
    assert times.count(0, ANCHOR, 100) == (100, False)
    assert times.count(ANCHOR + 1, ANCHOR + 3599, 100) == (0, True)


def test_a_thousand_years_are_no_reason_to_be_busy() -> None:
    times = made({"kind": "cron", "expr": "* * * * *"}, {"kind": "interval", "seconds": 7.0})

    assert times.count(ANCHOR, ANCHOR + 1000 * 365 * 86_400, 50) == (50, False)
    fire = times.prev(ANCHOR + 1000 * 365 * 86_400)
    assert fire is not None
