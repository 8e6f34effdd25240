"""Time zones read from the system's own database, against Python's zoneinfo."""

from __future__ import annotations

import random
import zoneinfo
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from supervisor.base import tzif, zones

SOME = (
    *("Europe/Berlin", "Europe/Dublin", "Europe/London", "America/New_York", "America/St_Johns", "America/Nuuk"),
    *("Australia/Lord_Howe", "Antarctica/Troll", "Africa/Cairo", "Africa/Casablanca", "America/Santiago"),
    *("Asia/Kathmandu", "Asia/Gaza", "Asia/Jerusalem", "Pacific/Apia", "America/Sao_Paulo", "Etc/GMT+5", "UTC"),
)
FIRST, LAST = -(2**32), 2**32 + 2**31


@pytest.fixture(autouse=True)
def unread() -> Iterator[None]:
    zones.forget()
    yield
    zones.forget()


def by_zoneinfo(name: str, utc: int) -> int:
    offset = datetime.fromtimestamp(utc, zoneinfo.ZoneInfo(name)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@pytest.mark.parametrize("name", SOME)
def test_offsets_are_those_of_zoneinfo(name: str) -> None:
    its, drawn = zones.zone(name), random.Random(name)
    moments = [drawn.randrange(FIRST, LAST) for _ in range(300)]
    for moment, _, _ in its.transitions(FIRST, LAST):
        moments += [moment - 1, moment]
    drawn.shuffle(moments)

    assert [its.offset(each) for each in moments] == [by_zoneinfo(name, each) for each in moments]


@pytest.mark.parametrize("name", SOME)
def test_each_transition_is_a_change_and_none_is_left_out(name: str) -> None:
    its = zones.zone(name)
    found = its.transitions(FIRST, LAST)

    assert all(before != after for _, before, after in found)
    assert all(its.offset(moment - 1) == before for moment, before, _ in found)
    assert [after for _, _, after in found[:-1]] == [before for _, before, _ in found[1:]]
    assert all(its.offset(moment) == after for moment, _, after in found)


def test_transitions_begin_after_the_start_and_end_with_the_end() -> None:
    berlin = zones.zone("Europe/Berlin")
    moment = int(datetime(2025, 3, 30, 1, tzinfo=UTC).timestamp())

    assert berlin.transitions(moment - 1, moment) == [(moment, 3600, 7200)]
    assert berlin.transitions(moment, moment + 1) == []
    assert berlin.transitions(moment - 9, moment - 1) == []
    assert berlin.transitions(moment + 1, moment - 1) == []


def test_the_rule_goes_on_for_thousands_of_years_and_then_ends() -> None:
    berlin = zones.zone("Europe/Berlin")
    summer = int(datetime(9998, 7, 1, tzinfo=UTC).timestamp())

    assert berlin.offset(summer) == 7200
    assert berlin.offset(summer * 100) == 3600
    assert berlin.transitions(summer * 100, summer * 101) == []


@pytest.mark.parametrize(
    "name", ["Europe/Berlín", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe", "Europe//Berlin", "a\0b", "."]
)
def test_an_unknown_zone_is_named(name: str) -> None:
    with pytest.raises(zones.UnknownZone, match="no such zone") as unknown:
        zones.zone(name)

    assert unknown.value.name == name


def test_a_machine_without_zones_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONTZPATH", str(tmp_path / "none"))
    monkeypatch.setattr("sys.path", [])

    assert zones.zone("UTC").offset(0) == 0
    with pytest.raises(zones.UnknownZone, match="tzdata"):
        zones.zone("Europe/Berlin")


def test_a_damaged_file_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = (Path(zones.FOLDERS[0]) / "Europe" / "Berlin").read_bytes()
    monkeypatch.setenv("PYTHONTZPATH", str(tmp_path))
    for number, content in enumerate([b"", b"TZif", b"no zone", whole[:100], whole[:-20], whole[: len(whole) // 2]]):
        (tmp_path / f"Zone{number}").write_bytes(content)

        with pytest.raises(zones.UnknownZone, match=f"Zone{number}"):
            zones.zone(f"Zone{number}")


@pytest.mark.parametrize(
    ("variable", "name", "offset"),
    [
        ("Asia/Kathmandu", "Asia/Kathmandu", 20_700),
        (":Asia/Kathmandu", "Asia/Kathmandu", 20_700),
        ("/usr/share/zoneinfo/Asia/Kathmandu", "Asia/Kathmandu", 20_700),
        ("", "UTC", 0),
        ("UTC", "UTC", 0),
        ("IST-5:30", "IST-5:30", 19_800),
        ("<-03>3", "<-03>3", -10_800),
    ],
)
def test_the_machines_zone_is_what_tz_says(
    monkeypatch: pytest.MonkeyPatch, variable: str, name: str, offset: int
) -> None:
    monkeypatch.setenv("TZ", variable)

    its = zones.zone("")

    assert (its.name, its.offset(1_700_000_000)) == (name, offset)


def test_a_tz_that_is_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "nonsense")

    with pytest.raises(zones.UnknownZone, match="what TZ says"):
        zones.zone("")


def test_without_tz_it_is_that_of_localtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TZ", raising=False)
    link, names = tmp_path / "localtime", tmp_path / "timezone"
    monkeypatch.setattr(zones, "LOCALTIME", str(link))
    monkeypatch.setattr(zones, "TIMEZONE", str(names))

    assert zones.zone("").name == "UTC"

    zones.forget()
    link.symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    assert zones.zone("").name == "Europe/Berlin"

    zones.forget()
    link.unlink()
    link.write_bytes(Path("/usr/share/zoneinfo/Asia/Kathmandu").read_bytes())
    names.write_text("Europe/Berlin\n")
    assert (zones.zone("").offset(1_700_000_000), zones.name_of_machine()) == (20_700, "")

    zones.forget()
    names.write_text("Asia/Kathmandu\n")
    assert zones.name_of_machine() == "Asia/Kathmandu"


@pytest.mark.parametrize(
    ("rule", "year", "changes"),
    [
        ("CET-1CEST,M3.5.0,M10.5.0/3", 2025, [(1_743_296_400, 3600, 7200), (1_761_440_400, 7200, 3600)]),
        (
            "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
            2025,
            [(1_743_865_200, 39_600, 37_800), (1_759_591_800, 37_800, 39_600)],
        ),
        ("EST5EDT,J60/2,J305", 2024, [(1_709_276_400, -18_000, -14_400), (1_730_440_800, -14_400, -18_000)]),
        ("UTC0", 2025, []),
    ],
)
def test_rules_at_the_end_of_a_file(rule: str, year: int, changes: list[tuple[int, int, int]]) -> None:
    assert tzif.Rule(rule).changes(year) == changes


def test_a_zone_of_nothing_but_a_rule_has_its_offset() -> None:
    its = zones.SystemZone("made up", array("q"), array("l", [3600]), tzif.Rule("CET-1CEST,M3.5.0,M10.5.0/3"))

    assert its.offset(1_743_296_399) == 3600
    assert its.offset(1_743_296_400) == 7200
