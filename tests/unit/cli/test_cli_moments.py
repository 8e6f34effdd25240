"""Points in time as people write them, in the zone that they mean."""

from __future__ import annotations

import pytest

from supervisor.base.errors import USAGE, Problem
from supervisor.base.zones import zone
from supervisor.cli.moments import parse_moment, parse_until
from supervisor.cli.zones import local_iso, minute, moment, zone_named

NOW = 1_795_852_800.0  # Sat 28 Nov 2026 08:00 UTC, 09:00 in Berlin
BERLIN = zone("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("07:12", "2026-11-28T07:12:00+01:00"),
        ("7:12", "2026-11-28T07:12:00+01:00"),
        ("today 13:00", "2026-11-28T13:00:00+01:00"),
        ("yesterday 13:00", "2026-11-27T13:00:00+01:00"),
        ("Yesterday 13:00:30", "2026-11-27T13:00:30+01:00"),
        ("2026-11-28T07:12", "2026-11-28T07:12:00+01:00"),
        ("2026-11-28T07:12Z", "2026-11-28T08:12:00+01:00"),
        ("2026-07-01", "2026-07-01T00:00:00+02:00"),
        ("-2h", "2026-11-28T07:00:00+01:00"),
        ("2h", "2026-11-28T07:00:00+01:00"),
        ("+30m", "2026-11-28T09:30:00+01:00"),
        ("now", "2026-11-28T09:00:00+01:00"),
        ("mon 08:00", "2026-11-30T08:00:00+01:00"),
        ("2026-03-29T02:30", "2026-03-29T03:00:00+02:00"),  # which no clock there has shown
    ],
)
def test_a_moment(text: str, meant: str) -> None:
    assert local_iso(parse_moment(text, NOW, BERLIN), BERLIN) == meant


@pytest.mark.parametrize("text", ["", "soon", "25:00", "12:61", "yesterday noon", "2026-13-01", "-", "99999999d"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_moment(text, NOW, BERLIN)
    assert caught.value.code == USAGE


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2h", "2026-11-28T11:00:00+01:00"),
        ("+2h", "2026-11-28T11:00:00+01:00"),
        ("14:00", "2026-11-28T14:00:00+01:00"),
        ("08:00", "2026-11-29T08:00:00+01:00"),  # the next one
        ("tomorrow 08:00", "2026-11-29T08:00:00+01:00"),
        ("sat 08:00", "2026-12-05T08:00:00+01:00"),
        ("2026-12-01", "2026-12-01T00:00:00+01:00"),
    ],
)
def test_until(text: str, meant: str) -> None:
    assert local_iso(parse_until(text, NOW, BERLIN), BERLIN) == meant


@pytest.mark.parametrize("text", ["yesterday 08:00", "-2h", "2026-11-27", "today 08:00", "now"])
def test_until_must_lie_ahead(text: str) -> None:
    with pytest.raises(Problem, match="is over"):
        parse_until(text, NOW, BERLIN)


def test_how_moments_are_shown() -> None:
    assert moment(NOW, BERLIN, NOW) == "Sat 28 Nov 09:00:00"
    assert minute(NOW, BERLIN, NOW) == "09:00"
    assert minute(NOW + 86400, BERLIN, NOW) == "Sun 29 Nov 09:00"
    assert minute(NOW + 90 * 86400, BERLIN, NOW) == "Fri 26 Feb 2027 09:00"


def test_a_zone_that_is_not_there_is_the_persons_mistake() -> None:
    with pytest.raises(Problem, match="no time zone 'Europe/Berlim'") as caught:
        zone_named("Europe/Berlim")
    assert caught.value.code == USAGE
