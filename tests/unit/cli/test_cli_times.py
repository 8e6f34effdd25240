"""Durations and points in time as people write them."""

from __future__ import annotations

import datetime

import pytest

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.times import parse_duration, parse_iso, parse_since


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("1m30s", 90), ("2h", 7200), ("500ms", 0.5), ("1.5h", 5400), ("7", 7), ("0", 0), (" 3D ", 259200)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "10", "1x", "10s!", "-5s", "1e9", "nan", "inf", "10 s", "9" * 50, "99999w"])
def test_what_is_no_duration(text: str) -> None:
    if text == "10":
        assert parse_duration(text) == 10
        return
    with pytest.raises(Problem) as caught:
        parse_duration(text)
    assert caught.value.code == USAGE


def test_since_a_while_ago() -> None:
    assert parse_since("10m", 1000.0) == 400.0


@pytest.mark.parametrize("text", ["2026-11-21T05:20:00Z", "2026-11-21 06:20:00+01:00", "20261121T052000Z"])
def test_since_a_point_with_a_zone(text: str) -> None:
    expected = datetime.datetime(2026, 11, 21, 5, 20, tzinfo=datetime.UTC).timestamp()
    assert parse_since(text, 0.0) == expected


def test_since_a_point_without_a_zone_is_local() -> None:
    expected = datetime.datetime(2026, 11, 21, 5, 20).astimezone().timestamp()
    assert parse_since("2026-11-21 05:20", 0.0) == expected


def test_a_time_of_today() -> None:
    midnight = parse_since("2026-11-21", 0.0)
    assert parse_since("14:00", midnight + 60) == midnight + 14 * 3600
    assert parse_since(" 00:00:01", midnight + 86399) == midnight + 1


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "25:20", "5:20", "0001-01-01", ""])
def test_what_is_no_point(text: str) -> None:
    with pytest.raises(Problem, match="neither a duration nor a date"):
        parse_since(text, 0.0)


def test_our_own_stamps() -> None:
    assert parse_iso("1970-01-01T00:01:00.500Z") == 60.5
    assert parse_iso(None) is None
    assert parse_iso("soon") is None
