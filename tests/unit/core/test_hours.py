"""Active hours, and what calendars take away."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from supervisor.base.zones import zone
from supervisor.core.hours import Blackout, Hours

H = 3600
DAY_SHIFT = [None, 8 * H, 22 * H]
NIGHT = [None, 22 * H, 6 * H]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def hours(*windows: list[Any], name: str = "Europe/Berlin") -> Hours:
    return Hours(windows, zone(name))


def blackout(*rules: dict[str, Any], name: str = "Europe/Berlin") -> Blackout:
    return Blackout(rules, zone(name))


@pytest.mark.parametrize("windows", [[], [[None, 0, 86_400]], [[None, 0, 0]], [[None, 5 * H, 5 * H]]])
def test_no_windows_and_whole_days_are_always(windows: list[list[Any]]) -> None:
    always = hours(*windows)

    assert always.is_open(0)
    assert always.next_open(7) == 7
    assert always.closes_at(7) is None


def test_a_window_holds_its_start_and_not_its_end() -> None:
    its = hours(DAY_SHIFT)
    opens, closes = at("2025-06-02T08:00+02:00"), at("2025-06-02T22:00+02:00")

    assert [its.is_open(each) for each in (opens - 1, opens, closes - 1, closes)] == [False, True, True, False]
    assert its.next_open(opens - 1) == opens
    assert its.next_open(opens + 5) == opens + 5
    assert its.next_open(closes) == at("2025-06-03T08:00+02:00")
    assert its.closes_at(opens) == closes
    assert its.closes_at(opens - 1) == opens - 1


def test_a_window_over_midnight_belongs_to_the_day_that_it_starts_on() -> None:
    its = hours([[4], 22 * H, 6 * H])  # Friday

    assert its.is_open(at("2025-06-07T05:59+02:00"))
    assert not its.is_open(at("2025-06-06T05:59+02:00"))
    assert its.next_open(at("2025-06-07T06:00+02:00")) == at("2025-06-13T22:00+02:00")
    assert its.closes_at(at("2025-06-06T23:00+02:00")) == at("2025-06-07T06:00+02:00")


def test_windows_that_meet_are_one() -> None:
    its = hours([[0, 1, 2, 3, 4], 9 * H, 17 * H], [[4], 17 * H, 23 * H], [[5], 0, 0])

    assert its.closes_at(at("2025-06-06T10:00+02:00")) == at("2025-06-06T23:00+02:00")
    assert its.closes_at(at("2025-06-07T10:00+02:00")) == at("2025-06-08T00:00+02:00")
    assert hours(DAY_SHIFT, [None, 22 * H, 8 * H]).closes_at(0) is None


def test_an_edge_in_a_gap_is_its_end() -> None:
    its = hours([None, 2 * H + 1800, 6 * H])

    assert its.next_open(at("2025-03-30T00:00+01:00")) == at("2025-03-30T03:00+02:00")
    assert hours([None, 0, 2 * H + 1800]).closes_at(at("2025-03-30T01:00+01:00")) == at("2025-03-30T03:00+02:00")


def test_a_repeated_edge_is_its_first_pass() -> None:
    opening, closing = hours([None, 2 * H + 1800, 6 * H]), hours([None, 0, 2 * H + 1800])

    assert opening.next_open(at("2025-10-26T00:00+02:00")) == at("2025-10-26T02:30+02:00")
    assert opening.is_open(at("2025-10-26T02:10+01:00"))
    assert closing.closes_at(at("2025-10-26T01:00+02:00")) == at("2025-10-26T02:30+02:00")
    assert not closing.is_open(at("2025-10-26T02:10+01:00"))


def test_a_window_that_a_gap_swallows_is_not_there_on_that_day() -> None:
    its = hours([None, 2 * H, 3 * H])

    assert its.next_open(at("2025-03-29T12:00+01:00")) == at("2025-03-31T02:00+02:00")


def test_hours_that_never_open() -> None:
    never = hours([[], 8 * H, 9 * H])

    assert never.next_open(0) is None
    assert never.closes_at(5) == 5


def test_a_midnight_that_is_not_there() -> None:
    its = hours([[4], 0, 12 * H], name="Africa/Cairo")  # Friday, 2025-04-25, begins at 01:00

    assert its.next_open(at("2025-04-24T20:00+02:00")) == at("2025-04-25T01:00+03:00")


def test_dates_are_held_from_midnight_to_midnight_and_joined() -> None:
    its = blackout({"dates": ["2026-12-25", "2026-12-24"]})

    assert its.holds(at("2026-12-23T23:59:59+01:00")) is None
    assert its.holds(at("2026-12-24T00:00+01:00")) == at("2026-12-26T00:00+01:00")
    assert its.holds(at("2026-12-26T00:00+01:00")) is None


def test_from_one_local_time_to_another() -> None:
    its = blackout({"from": "2026-12-24T18:00", "to": "2027-01-02T06:00"})

    assert its.holds(at("2026-12-24T17:59+01:00")) is None
    assert its.holds(at("2026-12-24T18:00+01:00")) == at("2027-01-02T06:00+01:00")


def test_windows_of_the_week_and_dates_are_held_together() -> None:
    its = blackout({"weekdays": [5, 6], "start": 22 * H, "end": 6 * H}, {"dates": ["2025-06-09"]})

    assert its.holds(at("2025-06-07T12:00+02:00")) is None
    assert its.holds(at("2025-06-07T23:00+02:00")) == at("2025-06-08T06:00+02:00")
    assert its.holds(at("2025-06-08T23:00+02:00")) == at("2025-06-10T00:00+02:00")


def test_what_always_holds_ends_the_search() -> None:
    until = blackout({"weekdays": None, "start": 0, "end": 86_400}).holds(0)

    assert until is not None
    assert until >= 400 * 86_400


def test_no_rules_hold_nothing() -> None:
    assert blackout().holds(0) is None
