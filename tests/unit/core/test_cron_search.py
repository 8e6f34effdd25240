"""The rule of DST, in nights that are known; and that next and previous are each other's reverse, for any line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.base.zones import zone
from supervisor.core.cron import CronError, Fire, next_fire, parse, prev_fire
from supervisor.core.zone import FixedZone


def at(text: str) -> int:
    """Seconds of `2025-03-30T01:00`, UTC, or with an offset."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def following(text: str, name: str, after: str, count: int, dst: str = "vixie", seconds: bool = False) -> list[str]:
    """As their wall clock shows them."""
    spec, its, now, found = parse(text, seconds=seconds), zone(name), at(after), []
    for _ in range(count):
        fire = next_fire(spec, its, now, dst=dst)
        assert fire is not None
        now = fire.at
        shown = datetime.fromtimestamp(now + its.offset(now), UTC)
        found.append(f"{shown:%d %H:%M:%S}" if seconds else f"{shown:%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "dst", "expected"),
    [
        # Berlin, 2025-03-30: 02:00 is followed by 03:00
        ("30 2 * * *", "vixie", ["29 02:30", "30 03:00", "31 02:30"]),
        ("30 2 * * *", "skip", ["29 02:30", "31 02:30", "01 02:30"]),
        ("30 2 * * *", "literal", ["29 02:30", "31 02:30", "01 02:30"]),
        ("0,15,30,45 2 * * *", "vixie", ["29 02:00", "29 02:15", "29 02:30", "29 02:45", "30 03:00", "31 02:00"]),
        ("30 2,3 * * *", "vixie", ["29 02:30", "29 03:30", "30 03:00", "30 03:30"]),
        ("0 2,3 * * *", "vixie", ["29 02:00", "29 03:00", "30 03:00", "31 02:00"]),
        ("*/30 2 * * *", "vixie", ["29 02:00", "29 02:30", "31 02:00"]),
        ("0 */2 30 * *", "vixie", ["30 00:00", "30 04:00", "30 06:00"]),
    ],
)
def test_a_night_that_lacks_an_hour(text: str, dst: str, expected: list[str]) -> None:
    assert following(text, "Europe/Berlin", "2025-03-28T23:30", len(expected), dst) == expected


@pytest.mark.parametrize(
    ("text", "dst", "expected"),
    [
        # Berlin, 2025-10-26: 02:00 to 03:00 comes twice
        ("30 2 * * *", "vixie", ["26 02:30", "27 02:30"]),
        ("30 2 * * *", "skip", ["26 02:30", "27 02:30"]),
        ("30 2 * * *", "literal", ["26 02:30", "26 02:30", "27 02:30"]),
        ("*/30 2 * * *", "vixie", ["26 02:00", "26 02:30", "26 02:00", "26 02:30", "27 02:00"]),
        ("*/30 2 * * *", "skip", ["26 02:00", "26 02:30", "27 02:00"]),
        ("0 * * * *", "vixie", ["26 00:00", "26 01:00", "26 02:00", "26 02:00", "26 03:00"]),
    ],
)
def test_a_night_that_has_an_hour_twice(text: str, dst: str, expected: list[str]) -> None:
    assert following(text, "Europe/Berlin", "2025-10-25T21:30", len(expected), dst) == expected


def test_a_restart_in_the_second_pass_runs_nothing_again() -> None:
    second_pass = at("2025-10-26T02:10+01:00")

    fire = next_fire(parse("30 2 * * *"), zone("Europe/Berlin"), second_pass)

    assert fire is not None
    assert fire.at == at("2025-10-27T02:30+01:00")


@pytest.mark.parametrize(
    ("name", "text", "after", "expected"),
    [
        ("Australia/Lord_Howe", "15 2 * * *", "2025-10-04T12:00", ["05 02:30", "06 02:15"]),  # half an hour
        ("Australia/Lord_Howe", "0 */2 * * *", "2025-10-04T13:00", ["05 00:00", "05 04:00"]),
        ("Antarctica/Troll", "30 2 * * *", "2025-03-29T12:00", ["30 03:00", "31 02:30"]),  # two hours
        ("Africa/Cairo", "30 0 * * *", "2025-04-24T12:00", ["25 01:00", "26 00:30"]),  # at midnight
        ("America/Santiago", "0 0 * * *", "2025-09-06T12:00", ["07 01:00", "08 00:00"]),
        ("America/St_Johns", "1 0 * * *", "2010-11-06T12:00", ["07 00:01", "08 00:01"]),  # back from 00:01
        ("America/St_Johns", "1 */10 * * *", "2010-11-07T02:25", ["07 00:01", "07 10:01"]),
        ("Pacific/Apia", "0 9 * * *", "2011-12-29T12:00", ["29 09:00", "31 00:00", "31 09:00"]),  # without the 30th
        ("Asia/Kathmandu", "0 0 * * *", "2025-01-01T00:00", ["02 00:00", "03 00:00"]),
    ],
)
def test_odd_changes_follow_the_same_rule(name: str, text: str, after: str, expected: list[str]) -> None:
    assert following(text, name, after, len(expected)) == expected


def test_what_was_moved_says_so_in_both_directions() -> None:
    spec, berlin = parse("15,30 2 * * *"), zone("Europe/Berlin")

    fire = next_fire(spec, berlin, at("2025-03-29T12:00"))

    assert fire == Fire(at("2025-03-30T01:00"), at("2025-03-30T02:15"))
    assert fire.shifted == "02:15 does not exist on that day"
    back = prev_fire(spec, berlin, at("2025-03-30T12:00"))
    assert back == fire
    assert back.shifted == fire.shifted


def test_a_time_that_the_end_of_the_gap_has_anyway_is_not_moved() -> None:
    fire = next_fire(parse("0 2,3 * * *"), zone("Europe/Berlin"), at("2025-03-29T12:00"))

    assert fire == Fire(at("2025-03-30T01:00"), at("2025-03-30T03:00"))
    assert fire.shifted == ""


def test_seconds_follow_the_rule_too() -> None:
    one = following("15 30 2 * * *", "Europe/Berlin", "2025-03-29T12:00", 2, seconds=True)
    rhythm = following("*/30 30 2 * * *", "Europe/Berlin", "2025-03-29T12:00", 2, seconds=True)
    twice = following("*/30 30 2 * * *", "Europe/Berlin", "2025-10-26T00:00", 5, seconds=True)

    assert one == ["30 03:00:00", "31 02:30:15"]
    assert rhythm == ["31 02:30:00", "31 02:30:30"]
    assert twice == ["26 02:30:00", "26 02:30:30", "26 02:30:00", "26 02:30:30", "27 02:30:00"]


def test_the_29th_of_february_is_found_over_a_century_without() -> None:
    fire = next_fire(parse("0 0 29 2 *"), zone("Europe/Berlin"), at("2097-01-01T00:00"))

    assert fire is not None
    assert fire.at == at("2104-02-29T00:00+01:00")


def test_a_line_whose_every_time_is_in_a_gap_ends() -> None:
    """The last Sunday of March at 02:30 never is in Berlin."""
    spec, berlin = parse("30 2 25-31 3 */7"), zone("Europe/Berlin")

    assert next_fire(spec, berlin, at("2025-01-01T00:00"), dst="literal") is None
    assert next_fire(spec, berlin, at("2025-01-01T00:00"), dst="skip") is None
    moved = next_fire(spec, berlin, at("2025-01-01T00:00"))
    assert moved is not None
    assert moved.at == at("2025-03-30T01:00")


def test_after_the_last_year_there_is_none_and_before_the_first() -> None:
    spec = parse("0 0 2 26 10 * 2025", seconds=True)
    berlin = zone("Europe/Berlin")
    last = at("2025-10-26T02:00+01:00")

    assert prev_fire(spec, berlin, at("2030-01-01T00:00"), dst="literal") == Fire(last, last + 3600)
    assert next_fire(spec, berlin, at("2025-10-26T00:30"), dst="literal") == Fire(last, last + 3600)
    assert next_fire(spec, berlin, last, dst="literal") is None
    assert prev_fire(spec, berlin, at("2025-10-26T00:00"), dst="literal") is None


def test_a_zone_without_changes_needs_no_database() -> None:
    india = FixedZone("India", 19_800)

    assert next_fire(parse("0 9 * * *"), india, 0) == Fire(9 * 3600 - 19_800, 9 * 3600)


NAMES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Africa/Cairo",
    "America/St_Johns",
)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high).map(str)
    step = st.builds(lambda base, by: f"{base}/{by}", st.just("*") | number, st.integers(1, high - low))
    span = st.builds(lambda a, b: f"{a}-{b}", number, number)
    return st.just("*") | number | step | span | st.lists(number, min_size=2, max_size=3).map(",".join)


LINES = st.tuples(field(0, 59), field(0, 23), st.just("*") | field(1, 31), st.just("*") | field(1, 12), field(0, 6))
MOMENTS = st.integers(at("2005-01-01T00:00"), at("2040-01-01T00:00"))


@settings(max_examples=300, deadline=None)
@given(LINES, MOMENTS, st.sampled_from(NAMES), st.sampled_from(["vixie", "literal", "skip"]))
def test_next_and_previous_are_each_others_reverse(fields: tuple[str, ...], now: int, name: str, dst: str) -> None:
    its = zone(name)
    try:
        spec = parse(" ".join(fields))
    except CronError:
        return  # the 31st of June
    later, earlier = next_fire(spec, its, now, dst=dst), prev_fire(spec, its, now, dst=dst)

    if later:
        assert later.at > now
        assert prev_fire(spec, its, later.at + 1, dst=dst) == later
        back = prev_fire(spec, its, later.at, dst=dst)
        assert back is None or back.at <= now
    if earlier:
        assert earlier.at < now
        assert next_fire(spec, its, earlier.at - 1, dst=dst) == earlier
        forth = next_fire(spec, its, earlier.at, dst=dst)
        assert forth is None or forth.at >= now
