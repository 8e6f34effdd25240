"""R19: every moment that a line fires, against a reckoner that tries every minute of the year."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from support.reckoner import Line, Minute, minutes

from supervisor.base import zones
from supervisor.core.cron import next_fire, parse, prev_fire

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Africa/Cairo",
    "America/Santiago",
    "Asia/Kathmandu",
    "UTC",
)
# Those that change at midnight, or a minute after it, or not in the year of the others.
CHANGES = (
    *((name, 2025) for name in ZONES[:6]),
    ("America/St_Johns", 2010),
    ("Asia/Beirut", 2024),
    ("America/Sao_Paulo", 2018),
    ("Africa/Casablanca", 2025),
    ("Pacific/Apia", 2011),
)
LINES = (
    "* * * * *",
    "*/15 * * * *",
    "30 * * * *",
    "7,37 */2 * * *",
    "0 */2 * * *",
    "*/20 2 * * *",
    "* 0-3 * * *",
    "30 2 * * *",
    "0 3 * * *",
    "0 0 * * *",
    "15,45 1-3 * * *",
    "30 0 * * 0",
    "1 0-23/3 * * *",
    "0-59/20 0 * * *",
    "10/25 2,3 * * *",
    "0 0 1 * *",
    "30 1 13 * 5",
    "30 1 */2 * 1",
    "59 23 28-31 * *",
    "5 0 * 3,4,9-11 6,7",
    "0 12 1-7 */3 *",
)
RULES = ("vixie", "literal", "skip")


def seconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def forwards(text: str, name: str, start: int, end: int, dst: str) -> list[int]:
    """All with start <= at < end, by asking for the next one."""
    spec, zone, found = parse(text), zones.zone(name), []
    fire = next_fire(spec, zone, start - 1, dst=dst)
    while fire and fire.at < end:
        found.append(fire.at)
        fire = next_fire(spec, zone, fire.at, dst=dst)
    return found


def backwards(text: str, name: str, start: int, end: int, dst: str) -> list[int]:
    spec, zone, found = parse(text), zones.zone(name), []
    fire = prev_fire(spec, zone, end, dst=dst)
    while fire and fire.at >= start:
        found.append(fire.at)
        fire = prev_fire(spec, zone, fire.at, dst=dst)
    return found[::-1]


@cache
def around_changes(name: str, year: int) -> list[tuple[int, int, list[Minute]]]:
    """A day before each change of the clock to a day after it."""
    stretches = []
    for moment, _, _ in zones.zone(name).transitions(seconds(datetime(year, 1, 1)), seconds(datetime(year + 1, 1, 1))):
        change = datetime.fromtimestamp(moment, UTC).replace(tzinfo=None, second=0)
        start, end = change - timedelta(hours=27), change + timedelta(hours=27)
        stretches.append((seconds(start), seconds(end), minutes(name, start, end)))
    return stretches


@pytest.mark.parametrize(("name", "year"), CHANGES)
def test_around_each_change_of_the_clock_both_ways_agree_with_the_reckoner(name: str, year: int) -> None:
    assert around_changes(name, year)
    for start, end, timeline in around_changes(name, year):
        for text in LINES[1:14]:
            for dst in RULES:
                expected = Line(text).fires(timeline, dst)

                assert forwards(text, name, start, end, dst) == expected, (text, dst)
                assert backwards(text, name, start, end, dst) == expected, (text, dst)


@pytest.mark.parametrize(("name", "year"), CHANGES)
def test_whoever_asks_in_the_middle_of_a_change_gets_the_same(name: str, year: int) -> None:
    """A restart in a repeated hour must not run anything again, nor leave anything out."""
    zone = zones.zone(name)
    for start, end, timeline in around_changes(name, year):
        for text in ("30 2 * * *", "15,45 0-3 * * *", "*/20 * * * *", "0 0 * * *"):
            spec = parse(text)
            for dst in RULES:
                expected = Line(text).fires(timeline, dst)
                for asked in range(start + 24 * 3600, end - 24 * 3600, 7 * 60 + 1):
                    later, earlier = bisect_right(expected, asked), bisect_left(expected, asked) - 1
                    after, before = next_fire(spec, zone, asked, dst=dst), prev_fire(spec, zone, asked, dst=dst)
                    if later < len(expected):
                        assert after is not None
                        assert after.at == expected[later], (text, dst, asked)
                    if earlier >= 0:
                        assert before is not None
                        assert before.at == expected[earlier], (text, dst, asked)


@pytest.mark.parametrize("text", LINES[7:])
def test_months_without_changes_agrees_with_the_reckoner(text: str) -> None:
    start, end = datetime(2023, 12, 1), datetime(2024, 3, 10)

    expected = Line(text).fires(_calm(), "vixie")

    assert forwards(text, "UTC", seconds(start), seconds(end), "vixie") == expected
    assert backwards(text, "UTC", seconds(start), seconds(end), "vixie") == expected


@cache
def _calm() -> list[Minute]:
    """Over the end of a year, and a 29th of February."""
    return minutes("UTC", datetime(2023, 12, 1), datetime(2024, 3, 10))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ZONES)
def test_a_whole_year_agrees_with_the_reckoner(name: str) -> None:
    start, end = datetime(2025, 1, 1), datetime(2026, 1, 1)
    timeline = minutes(name, start, end)
    for text in LINES:
        for dst in RULES:
            expected = Line(text).fires(timeline, dst)

            assert forwards(text, name, seconds(start), seconds(end), dst) == expected, (text, dst)
            assert backwards(text, name, seconds(start), seconds(end), dst) == expected, (text, dst)
