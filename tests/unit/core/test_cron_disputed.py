"""Lines whose meaning at a change of the clock programs disagree on: `dst` has to say it, or they are refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from supervisor.base.zones import zone
from supervisor.core.cron import CronError, next_fire, parse, prev_fire
from supervisor.core.cron_disputed import refuse_disputed
from supervisor.core.zone import FixedZone


def at(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def error_of(text: str, name: str, now: str) -> CronError | None:
    try:
        refuse_disputed(parse(text, seconds=True), zone(name), at(now))
    except CronError as error:
        return error
    return None


def refused(text: str, name: str, now: str) -> str:
    """Why; "": it is not."""
    return str(error_of(text, name, now) or "")


# What suites of other programs want of them, none of which is what five fields of the same meaning do.
@pytest.mark.parametrize(
    ("text", "name", "now"),
    [
        # cronsim: not at all where the hour is missing, twice where it is repeated
        ("33 30 1-10 * * *", "Europe/Riga", "2021-03-28T06:30:33+03:00"),
        ("0 30 1-10 * * *", "Europe/Riga", "2021-03-28T07:30:00+03:00"),
        ("33 30 1-10 * * *", "Europe/Riga", "2021-10-31T04:30:33+02:00"),
        ("0 30 1-10 * * *", "Europe/Riga", "2021-10-31T05:30:00+02:00"),
        # cronexpr: the same, with a year
        ("0 2 2 * * * 2019", "America/Los_Angeles", "2019-03-09T01:00:00-08:00"),
        ("0 0 2 * * * 2019", "America/Los_Angeles", "2019-03-09T01:00:00-08:00"),
        ("0 30 1 * * * 2019", "America/Los_Angeles", "2019-11-03T00:00:00-07:00"),
        ("0 30 1 * * * 2019", "America/Los_Angeles", "2019-11-03T01:40:00-07:00"),
        ("0 31 1 * * * 2019", "Australia/Lord_Howe", "2019-04-06T00:00:00+11:00"),
        ("0 3 2 * * * 2019", "Australia/Lord_Howe", "2019-10-05T00:00:00+10:30"),
        # ... which leaves out the minute after a gap of half an hour as well
        ("0 31 2 * * * 2019", "Australia/Lord_Howe", "2019-10-05T00:00:00+10:30"),
    ],
)
def test_what_other_programs_read_otherwise_is_refused(text: str, name: str, now: str) -> None:
    assert "programs disagree" in refused(text, name, now)


def test_it_says_what_where_and_when() -> None:
    why = refused("0 30 1-10 * * *", "Europe/Riga", "2021-01-01T00:00")
    assert why == (
        "'0 30 1-10 * * *': programs disagree on what a range of hours in a line with seconds does "
        "when the clock of Europe/Riga is changed, as on 2021-03-28"
    )
    error = error_of("0 30 1-10 * * *", "Europe/Riga", "2021-01-01T00:00")
    assert error is not None
    assert '"dst": "vixie"' in error.remedy
    assert '"dst": "literal"' in error.remedy
    assert "a line with a year" in refused("0 30 2 * * * 2030-2040", "Europe/Berlin", "2026-01-01T00:00")
    assert "2030-03-31" in refused("0 30 2 * * * 2030-2040", "Europe/Berlin", "2026-01-01T00:00")


@pytest.mark.parametrize(
    "text",
    [
        "30 1-10 * * *",  # five fields are Vixie's
        "0 30 2 * * *",  # Cronos and croner agree with Vixie
        "0 30 0-23/2 * * *",
        "0 0,30 2 13 3 *",
        "0 0 2,14 * * *",
        "*/30 30 1-10 * * *",  # a rhythm: each time that the clock shows, say all
        "0 30 * * * *",
        "0 * * * * * 2026-2030",
        "0 0 9-17 * * MON-FRI",  # nowhere near a change
        "0 0 5-22 * * *",
        "0 0 12 24 12 * 2026",
        "0 30 2 1 1 * 2026-2030",
        "0 30 2 * * * 2019",  # over
        "0 30 2 * * * *",  # each year is none in particular
    ],
)
def test_all_others_are_not(text: str) -> None:
    assert refused(text, "Europe/Berlin", "2026-01-01T00:00") == ""


@pytest.mark.parametrize("text", ["0 30 1-10 * * *", "0 30 22-3 * * *", "0 30 1,2,3 * * *", "0 30 0-23 * * *"])
def test_a_range_is_one_however_it_is_written_but_a_zone_without_changes_has_no_question(text: str) -> None:
    assert refused(text, "Europe/Berlin", "2026-01-01T00:00")
    for name in ("UTC", "Asia/Kathmandu", "Asia/Tokyo"):
        assert refused(text, name, "2026-01-01T00:00") == ""
    refuse_disputed(parse(text, seconds=True), FixedZone("India", 19_800), 0)


def test_a_change_of_two_hours_reaches_two_hours_back() -> None:
    """At Troll 01:00 to 03:00 comes twice: 01:15 is more than an hour before the change."""
    assert "2026-10-25" in refused("0 15 1 25 10 * 2026", "Antarctica/Troll", "2026-01-01T00:00")


def test_in_the_first_pass_of_the_hour_it_is_still_to_come_and_afterwards_it_is_over() -> None:
    line = "0 30 1 3 11 * 2019"
    assert refused(line, "America/Los_Angeles", "2019-11-03T01:20:00-07:00")
    assert refused(line, "America/Los_Angeles", "2019-11-03T02:20:00-08:00") == ""


# (text, its five fields, zone, asked at); whoever says the rule gets it
TWINS = [
    ("0 30 1-10 * * *", "30 1-10 * * *", "Europe/Riga", "2021-03-27T12:00"),
    ("0 30 1-10 * * *", "30 1-10 * * *", "Europe/Riga", "2021-10-30T12:00"),
    ("0 3 2 * * * 2019", "3 2 * * *", "Australia/Lord_Howe", "2019-10-05T00:00"),
]


@pytest.mark.parametrize(("text", "plain", "name", "now"), TWINS)
@pytest.mark.parametrize("dst", ["vixie", "literal", "skip"])
def test_with_a_rule_that_is_given_it_fires_like_its_five_fields(
    text: str, plain: str, name: str, now: str, dst: str
) -> None:
    its, one, other = zone(name), parse(text, seconds=True), parse(plain)
    asked = at(now)
    for _ in range(30):
        fire = next_fire(one, its, asked, dst=dst)
        assert fire is not None
        assert fire == next_fire(other, its, asked, dst=dst)
        assert prev_fire(one, its, fire.at + 1, dst=dst) == fire
        asked = fire.at
