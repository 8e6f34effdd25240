"""In which zone times are shown and read: of one schedule in its own, of several in that of the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.cli import Sbctl, compiled, knows, remember, running, utc_home
from support.fake_schedules import NOW, run_row, schedule_row

from supervisor.base.clock import iso
from supervisor.cli.explaining import explained, lines
from supervisor.cli.schedule_zones import told, zone_of
from supervisor.cli.simulation_view import simulation_lines
from supervisor.cli.zones import moment, zone_named
from supervisor.core.zone import UTC
from supervisor.model.home import Home

ZONE = "Asia/Tokyo"  # 9 hours ahead of the machine, and of the same day and minute nowhere
TASKS = [
    {"plugins": ["mail"], "commands": ["get"], "cron": "0 6 * * *", "timezone": ZONE},
    {"plugins": ["disk"], "commands": ["get"], "cron": "0 6 * * *", "timezone": "Europe/Berlin"},
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = utc_home(tmp_path, "mail", "disk")
    return compiled(home, TASKS)


def slot(schedule: str, due: float, **more: object) -> dict[str, object]:
    base: dict[str, object] = {"schedule": schedule, "nominal": iso(due), "due": iso(due), "rule": "daily", "note": ""}
    return {**base, "would": "run", "until": None, **more}


# the choice


@pytest.mark.parametrize(
    ("words", "also", "zone"),
    [
        (["mail"], [], ZONE),
        (["m*"], [], ZONE),
        (["mail", "disk"], [], "UTC"),
        (["mail"], ["mail"], ZONE),
        (["mail"], ["mail.old"], "UTC"),
        ([], [], "UTC"),
        ([], ["mail"], "UTC"),  # of all that there are, even if only one has something to show
        (["gone"], [], "UTC"),
    ],
)
@pytest.mark.usefixtures("sbctl")
def test_the_zone_of_one_or_of_the_machine(home: Home, words: list[str], also: list[str], zone: str) -> None:
    assert zone_of(home, words, also).name == zone


def test_the_stamps_of_the_daemon_are_told_in_the_zone_of_the_reader() -> None:
    its = zone_named(ZONE)
    text = "paused since 2026-11-28 07:30:00 UTC by anna, until 2027-01-02 08:00:05 UTC"
    assert told(text, its, NOW) == "paused since 16:30 by anna, until Sat 02 Jan 2027 17:00:05"
    assert told("no stamp: 2026-11-28 07:30", its, NOW) == "no stamp: 2026-11-28 07:30"
    assert told("2026-99-28 07:30:00 UTC", its, NOW) == "2026-99-28 07:30:00 UTC"


def test_another_year_is_named() -> None:
    assert moment(NOW, UTC, NOW) == "Sat 28 Nov 08:00:00"
    assert moment(NOW + 40 * 86400, UTC, NOW) == "Thu 07 Jan 2027 08:00:00"


# one schedule


@pytest.mark.parametrize(("option", "hour"), [([], "17:00:00"), (["--tz", "UTC"], "08:00:00")])
def test_runs_of_one_schedule(sbctl: Sbctl, home: Home, option: list[str], hour: str) -> None:
    remember(home, "runs", **run_row("r_1"))
    remember(home, "runs", **run_row("r_2", claimed=int(NOW * 1000) - 1))
    out = sbctl("runs", "mail", *option)[1]
    assert f"STARTED ({'UTC' if option else ZONE})" in out.splitlines()[0]
    assert out.count(hour[:5]) == 2
    assert json.loads(sbctl("runs", "mail", "--json")[1])["runs"][0]["started"] == iso(NOW)


def test_runs_of_several(sbctl: Sbctl, home: Home) -> None:
    remember(home, "runs", **run_row("r_1"))
    out = sbctl("runs")[1]
    assert "STARTED (UTC)" in out.splitlines()[0]
    assert "08:00" in out


def test_one_run_names_its_zone_once(sbctl: Sbctl, home: Home) -> None:
    remember(home, "runs", **run_row("r_1"))
    out = sbctl("show", "r_1")[1]
    assert f"zone        {ZONE}\n" in out
    assert out.count(ZONE) == 1
    assert "17:00:00" in out
    out = sbctl("show", "r_1", "--tz", "UTC")[1]
    assert "zone        UTC\n" in out
    assert "08:00:00" in out


@pytest.mark.parametrize("verb", [["why", "mail"], ["schedule", "show", "mail"]])
def test_one_schedule_names_its_zone_once(sbctl: Sbctl, home: Home, verb: list[str]) -> None:
    paused = {"at": iso(NOW), "by": "anna", "reason": "", "until": iso(NOW + 86400 * 400)}
    reason = "paused since 2026-11-28 08:00:00 UTC by anna"
    mail = schedule_row("mail", status="paused", paused=paused, zone=ZONE, next_reason=reason)
    with running(home, [], mail) as fake:
        fake.gates = [{"gate": "paused", "open": False, "reason": reason, "until": None}]
        fake.lines = [reason]
        out = sbctl(*verb)[1]
    assert out.count(ZONE) == 1, out
    assert " UTC" not in out
    assert "17:00" in out


def test_a_zone_that_is_asked_for_is_named_too(sbctl: Sbctl, home: Home) -> None:
    knows(home, "mail", zone=ZONE)
    with running(home, [], schedule_row("mail", zone=ZONE)) as fake:
        fake.slots = [slot("mail", NOW + 60)]
        out = sbctl("schedule", "show", "mail", "--tz", "Europe/Berlin")[1]
    assert "zone        Europe/Berlin\n" in out
    assert "09:01:00" in out


def test_what_holds_a_run_is_told_in_its_zone(sbctl: Sbctl, home: Home) -> None:
    with running(home, [], schedule_row("mail")) as fake:
        fake.held = {"gate": "paused", "reason": "paused since 2026-11-28 07:30:00 UTC by anna", "until": None}
        assert f"16:30 by anna ({ZONE})" in sbctl("run", "mail")[2]
        fake.held = {"gate": "cooldown", "reason": "3 failures", "until": iso(NOW + 86400 * 400)}
        assert f"until Sun 02 Jan 2028 17:00 ({ZONE})" in sbctl("run", "mail")[2]
        fake.held = {"gate": "overlap", "reason": "the run before it is still going", "until": None}
        assert ZONE not in sbctl("run", "mail")[2]


@pytest.mark.parametrize(
    ("words", "shown", "until"),
    [
        (["mail"], f"until Tue 01 Jan 2030 12:00 ({ZONE})", "2030-01-01T03:00:00Z"),
        (["mail", "disk"], "until Tue 01 Jan 2030 12:00 (UTC)", "2030-01-01T12:00:00Z"),
        (["mail", "--tz", "Europe/Berlin"], "until Tue 01 Jan 2030 12:00 (Europe/Berlin)", "2030-01-01T11:00:00Z"),
    ],
)
def test_a_pause_is_read_and_shown_in_one_zone(
    sbctl: Sbctl, home: Home, words: list[str], shown: str, until: str
) -> None:
    with running(home, [], schedule_row("mail"), schedule_row("disk")) as fake:
        assert shown in sbctl("pause", *words, "--until", "2030-01-01T12:00")[1]
        assert iso(fake.asked[-1]["until"]) == until.replace("Z", ".000Z")


def test_the_pause_of_all_has_the_zone_of_the_machine(sbctl: Sbctl) -> None:
    assert "until Tue 01 Jan 2030 12:00 (UTC); " in sbctl("pause", "--until", "2030-01-01T12:00")[1]


def test_a_changed_schedule_names_the_zone_of_its_slots(sbctl: Sbctl) -> None:
    assert f"  zone    {ZONE}\n" in sbctl("schedule", "edit", "mail", "--cron", "0 7 * * *", "--dry-run")[1]


# several


def test_next_of_several_has_one_zone_in_its_head(sbctl: Sbctl, home: Home) -> None:
    with running(home, [], schedule_row("mail", zone=ZONE), schedule_row("disk", zone=ZONE)) as fake:
        fake.slots = [slot("mail", NOW + 60), slot("disk", NOW + 120)]
        shown = sbctl("next")[1].splitlines()
        assert "WHEN (UTC)" in shown[0]
        assert "08:01:00" in shown[1]
        assert shown[1].endswith(f"daily ({ZONE})  ✔ 41s")  # a rule is in the words of its own
        assert f"every 6 h ({ZONE})" in sbctl("schedule", "list")[1]
        out = sbctl("next", "mail")[1]
        assert f"WHEN ({ZONE})" in out.splitlines()[0]
        assert "17:01:00" in out


def test_a_simulation_has_local_times_and_their_zone() -> None:
    found = {
        "mail": {
            "runs": 1, "skipped": {}, "longest_gap_s": 0.0, "gap_from": iso(NOW), "gap_to": iso(NOW),
            "dst": ["2027-03-28T01:00:00.000Z: the clocks go forward by 60 min"], "first": [iso(NOW)], "collisions": [],
        }
    }  # fmt: skip
    assert simulation_lines(found, {"mail": zone_named("Europe/Berlin")}, 365, NOW) == [
        "mail: once in 365 days",
        "  zone        Europe/Berlin",
        "  first       Sat 28 Nov 09:00:00",
        "  clock       Sun 28 Mar 2027 03:00:00: the clocks go forward by 60 min",
    ]


def test_explain_names_another_year() -> None:
    facts = explained("0 6 5 1,12 *", zone_name="UTC", count=3, seconds=False, key="", now=NOW)
    assert [line.split("  in ")[0] for line in lines(facts)[2:5]] == [
        "  Sat 05 Dec 06:00:00",
        "  Tue 05 Jan 2027 06:00:00",
        "  Sun 05 Dec 2027 06:00:00",
    ]
