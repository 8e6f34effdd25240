"""Days and wall clocks by whole numbers, against Python's own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from supervisor.base.zones import zone
from supervisor.core.calendar import (
    DAY,
    before_date,
    clock_text,
    date_of,
    date_text,
    day_of,
    edge,
    end_of_date,
    first_showing,
    high_water,
    length_of,
    parse_date,
    parse_wall,
    place_in_month,
    weekday_of,
)

EPOCH = date(1970, 1, 1)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def wall(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_dates_are_those_of_the_gregorian_calendar() -> None:
    for number in (*range(-800, 40_000, 17), -719_162, 2_932_896):
        that = EPOCH + timedelta(days=number)

        assert date_of(number) == (that.year, that.month, that.day)
        assert day_of(that.year, that.month, that.day) == number
        assert weekday_of(number) == that.weekday()
        assert place_in_month(number)[4] == that.replace(day=1).isoweekday() % 7


@pytest.mark.parametrize(("year", "length"), [(1900, 28), (2000, 29), (2023, 28), (2024, 29), (2100, 28)])
def test_februaries(year: int, length: int) -> None:
    assert length_of(year, 2) == length


def test_dates_and_walls_are_read_and_written() -> None:
    assert date_text(parse_date("2026-12-24")) == "2026-12-24"
    assert parse_wall("2026-12-24T18:00") == wall("2026-12-24T18:00")
    assert parse_wall("2026-12-24 18:00:05") == wall("2026-12-24T18:00:05")
    assert parse_wall("2026-12-24T24:00") == parse_wall("2026-12-25")
    assert (clock_text(9000), clock_text(9015)) == ("02:30", "02:30:15")


@pytest.mark.parametrize(
    "text", ["2026-02-29", "2026-13-01", "26-1-1", "2026-12", "tomorrow", "2026-12-\u00b9\u00b9", ""]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a date like"):
        parse_date(text)


@pytest.mark.parametrize("text", ["2026-12-24T25:00", "2026-12-24T18", "2026-12-24T18:60", "2026-12-24T24:01"])
def test_what_is_no_local_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a local time like"):
        parse_wall(text)


def test_a_repeated_time_is_its_first_pass_and_a_missing_one_the_end_of_the_gap() -> None:
    berlin = zone("Europe/Berlin")

    assert edge(berlin, wall("2025-10-26T02:30")) == at("2025-10-26T02:30+02:00")
    assert edge(berlin, wall("2025-10-26T03:00")) == at("2025-10-26T03:00+01:00")
    moment, gap = first_showing(berlin, wall("2025-03-30T02:30"))
    assert (moment, gap) == (at("2025-03-30T03:00+02:00"), (at("2025-03-30T03:00+02:00"), 3600, 7200))
    assert first_showing(berlin, wall("2025-03-30T03:00")) == (at("2025-03-30T03:00+02:00"), None)


def test_a_clock_that_goes_back_has_been_higher() -> None:
    berlin = zone("Europe/Berlin")

    assert high_water(berlin, at("2025-10-26T02:10+01:00")) == wall("2025-10-26T02:59:59")
    assert high_water(berlin, at("2025-10-26T03:10+01:00")) == wall("2025-10-26T03:10")


@pytest.mark.parametrize(
    ("name", "moment", "end", "before"),
    [
        ("Europe/Berlin", "2025-03-30T12:00+02:00", "2025-03-31T00:00+02:00", "2025-03-29T23:59:59+01:00"),
        ("Africa/Cairo", "2025-04-25T05:00+03:00", "2025-04-26T00:00+03:00", "2025-04-24T23:59:59+02:00"),
        # It goes back from 00:01 of the 7th to 23:01 of the 6th: so each of the two comes twice.
        ("America/St_Johns", "2010-11-06T12:00-02:30", "2010-11-07T00:00-02:30", "2010-11-05T23:59:59-02:30"),
        ("America/St_Johns", "2010-11-07T00:00:30-02:30", "2010-11-06T23:01-03:30", "2010-11-06T23:59:59-02:30"),
        ("America/St_Johns", "2010-11-06T23:30-03:30", "2010-11-07T00:00-03:30", "2010-11-07T00:00:59-02:30"),
    ],
)
def test_a_date_ends_where_the_clock_shows_another(name: str, moment: str, end: str, before: str) -> None:
    assert end_of_date(zone(name), at(moment)) == at(end)
    assert before_date(zone(name), at(moment)) == at(before)
    assert (at(end) - at(moment)) < DAY
