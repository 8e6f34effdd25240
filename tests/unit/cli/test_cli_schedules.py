"""`next`, `pause`, `resume` and `schedule …`, with a make-believe scheduler and without any."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.cli import Sbctl, compiled, make_plugins, running, utc_home
from support.fake_schedules import NOW, FakeSchedules, schedule_row

from supervisor.base.clock import iso
from supervisor.cli import completing
from supervisor.cli.next_table import next_table, ordered
from supervisor.cli.schedule_options import keys_of, merged
from supervisor.cli.schedule_table import schedule_table
from supervisor.cli.schedule_view import schedule_lines
from supervisor.cli.simulation_view import simulation_lines
from supervisor.cli.table import Style
from supervisor.cli.zones import zone_named
from supervisor.core.zone import UTC
from supervisor.model.home import Home
from supervisor.model.identity import id_line
from supervisor.model.pause import decode

TASKS = [{"plugins": ["mail"], "commands": ["get"], "cron": "0 6 * * *", "timezone": "Europe/Berlin"}]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = utc_home(tmp_path, "mail", "disk")
    return compiled(home, TASKS)


@pytest.fixture
def fake(home: Home) -> Iterator[FakeSchedules]:
    with running(home, [], schedule_row("mail"), schedule_row("disk", tenant="acme", status="disabled")) as found:
        yield found


def slot(schedule: str, due: float, would: str = "run", **more: object) -> dict[str, object]:
    base: dict[str, object] = {"schedule": schedule, "nominal": iso(due), "due": iso(due), "rule": "daily", "note": ""}
    return {**base, "would": would, "until": None, **more}


# next


def test_next_in_the_look_of_a_table() -> None:
    slots = [
        slot("backup", NOW + 252),
        slot("mail", NOW + 7200, note="02:30 does not exist on that day"),
        slot("reindex", NOW + 60, "paused", until=iso(NOW + 86400)),
    ]
    rows = {"backup": schedule_row("backup"), "reindex": schedule_row("reindex", last_result="failed")}
    shown = next_table(ordered(slots), rows, zone_named("Europe/Berlin"), NOW, Style())
    assert shown == [
        "IN      WHEN (Europe/Berlin)    SCHEDULE  RULE         LAST      NOTE",
        "4m 12s  Sat 28 Nov 09:04:12     backup    daily (UTC)  ✔ 41s",
        "2h 0m   Sat 28 Nov 11:00:00     mail      daily                  02:30 does not exist on that day",
        "paused  until Sun 29 Nov 09:00  reindex   daily (UTC)  ✖ failed",
    ]


def test_schedules_that_rest_stand_behind_the_others() -> None:
    slots = [slot("b", NOW, "paused"), slot("c", NOW + 1), slot("a", NOW + 2, "disabled"), slot("d", NOW + 3)]
    assert [each["schedule"] for each in ordered(slots)] == ["c", "d", "a", "b"]


def test_what_is_held_is_one_line_that_says_until_when() -> None:
    """The reason is in the first column, and is not said twice."""
    held = slot("mail", NOW + 60, "active_hours", until=iso(NOW + 3600), note="outside its active hours")
    shown = next_table([held, slot("mail", NOW + 3600)], {}, zone_named("UTC"), NOW, Style())
    assert shown[1:] == [
        "active hours  Sat 28 Nov 08:01:00  mail      daily  held until 09:00",
        "1h 0m         Sat 28 Nov 09:00:00  mail      daily",
    ]


def test_next_is_asked_of_the_scheduler(sbctl: Sbctl, fake: FakeSchedules) -> None:
    fake.slots = [slot("mail", NOW + 60), slot("disk", NOW + 120, "disabled")]
    code, out, err = sbctl("next", "--tz", "Asia/Tokyo")
    assert (code, err) == (0, "")
    assert "WHEN (Asia/Tokyo)" in out
    assert "1m 0s     Sat 28 Nov 17:01:00" in out
    answer = json.loads(sbctl("next", "disk", "--json")[1])
    assert [each["would"] for each in answer["slots"]] == ["disabled"]
    assert sbctl("next", "nope")[0] == 2


def test_next_looks_at_those_that_it_shows(sbctl: Sbctl, fake: FakeSchedules) -> None:
    fake.add(schedule_row("mail", zone="Asia/Tokyo"))
    fake.slots = [slot("mail", NOW + 60)]
    code, out, _ = sbctl("next")
    assert (code, fake.looks) == (0, [1])
    assert "WHEN (Asia/Tokyo)" not in out, "that is the zone of one of several"

    fake.slots = []
    sbctl("next")
    assert fake.looks == [1, len(fake.rows)], "why there is nothing"


def test_next_of_one_that_has_just_been_removed(sbctl: Sbctl, fake: FakeSchedules) -> None:
    fake.do_next = lambda _, reply: reply.send({"slots": [slot("gone", NOW + 60)], "now": iso(NOW)})  # type: ignore[method-assign]
    assert sbctl("next")[0] == 0


def test_next_without_a_scheduler_is_reckoned(sbctl: Sbctl) -> None:
    code, out, err = sbctl("next", "-n", "2")
    assert code == 0
    assert "no scheduler runs" in err
    lines = out.splitlines()
    assert len(lines) == 3
    assert lines[0].split()[:3] == ["IN", "WHEN", "(Europe/Berlin)"]
    assert "06:00:00" in lines[1]
    assert "at 06:00 every day" in lines[1]


def test_next_knows_the_pause_of_all(sbctl: Sbctl, home: Home) -> None:
    Path(home.pause_file).touch()
    assert json.loads(sbctl("next", "--json")[1])["slots"][0]["would"] == "paused"


def test_next_of_one_that_goes_by_ends_says_when_that_is(sbctl: Sbctl, fake: FakeSchedules) -> None:
    times: dict[str, object] = {"next_run": None, "next_due": None, "by_ends": True, "rule": "after mail is done"}
    fake.add(schedule_row("follow", **times))
    said = "nothing has a time yet: follow runs after mail is done\n"
    assert sbctl("next", "follow") == (0, "", said)

    fake.slots = [slot("mail", NOW + 60)]
    assert sbctl("next", "follow", "mail")[2] == "without a time of its own yet: follow runs after mail is done\n"
    assert sbctl("next")[2] == ""
    assert sbctl("next", "disk") == (0, "", "nothing is due any more\n")


# pause


@pytest.mark.parametrize(
    ("paused", "resumed", "then"),
    [("once", "", "once"), ("", "catch-up", "catch_up"), ("once", "next", None), ("", "", None)],
)
def test_what_is_to_run_after_a_pause_is_left_to_who_starts_next(
    sbctl: Sbctl, home: Home, paused: str, resumed: str, then: str | None
) -> None:
    assert sbctl("pause", *(("--on-resume", paused) if paused else ()))[0] == 0
    os.utime(home.pause_file, (1000, 1000))
    assert sbctl("resume", *(("--what", resumed) if resumed else ()))[:2] == (0, "everything goes on\n")
    assert sbctl("resume")[1] == "nothing was paused as a whole\n"

    assert Path(home.pause_file).exists() == bool(then)
    if then:
        assert decode(Path(home.pause_file).read_bytes())["on_resume"] == then
        assert os.stat(home.pause_file).st_mtime == 1000


def test_everything_is_paused_and_goes_on_without_a_scheduler(sbctl: Sbctl, home: Home) -> None:
    code, out, _ = sbctl("pause", "--for", "2h", "--reason", "new disk")
    assert code == 0
    assert out.startswith("everything is paused until ")
    said = decode(Path(home.pause_file).read_bytes())
    assert (said["reason"], said["by"] != "pause.flag") == ("new disk", True)
    assert said["until"] > iso(time.time() + 7000)
    code, out, _ = sbctl("why", "mail")
    assert out.startswith("mail is paused since ")
    assert "new disk" in out
    assert sbctl("resume")[:2] == (0, "everything goes on\n")
    assert not Path(home.pause_file).exists()
    assert sbctl("resume")[:2] == (0, "nothing was paused as a whole\n")


def test_a_pause_that_is_over_is_none(sbctl: Sbctl, home: Home) -> None:
    Path(home.pause_file).write_text("until: 2020-01-01T00:00:00Z\n")
    assert json.loads(sbctl("schedule", "list", "--json")[1])["schedules"][0]["status"] == "active"


def test_single_ones_are_paused_by_the_scheduler(sbctl: Sbctl, fake: FakeSchedules) -> None:
    assert sbctl("pause", "mail", "--on-resume", "catch-up", "--until", "2030-01-01")[:2] == (
        0, "mail is paused until Tue 01 Jan 2030 00:00 (Europe/Berlin)\n")  # fmt: skip
    asked = fake.asked[-1]
    assert (asked["names"], asked["on_resume"], asked["until"]) == (["mail"], "catch_up", 1893452400.0)
    assert sbctl("schedule", "pause", "mail")[1] == "mail was paused already\n"
    assert sbctl("schedule", "resume", "mail", "--what", "once")[1] == "mail goes on\n"
    assert fake.asked[-1]["what"] == "once"
    assert sbctl("schedule", "disable", "mail")[1] == "mail is disabled\n"
    assert sbctl("schedule", "pause")[0] == 2
    assert sbctl("pause", "--for", "1h", "--until", "14:00")[0] == 2


# list, show


def test_the_list(sbctl: Sbctl, fake: FakeSchedules) -> None:
    code, out, err = sbctl("schedule", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["SCHEDULE", "mail", "disk"]
    assert "2 schedules, 2 active, 0 running" in err
    assert "mail" not in sbctl("schedule", "list", "--tenant", "acme")[1]


def test_rows_of_the_list() -> None:
    rows = [
        schedule_row("a"),
        schedule_row("b", status="paused", paused={"until": iso(NOW + 60)}, consecutive_failures=3),
        schedule_row("c", status="finished", next_run=None, next_due=None, last_result=None, total_runs=0,
                     successful_runs=0, failed_runs=0),
        schedule_row("d", status="running", paused={"until": None}),
        schedule_row("e", status="running", enabled=False),
    ]  # fmt: skip
    assert schedule_table(rows, UTC, NOW, Style()) == [
        "SCHEDULE  STATUS      NEXT              LAST   RATE                          RULE",
        "a         ○ active    in 1h 0m          ✔ 41s  90% of 10                     every 6 h",
        "b         ■ paused    resumes in 1m 0s  ✔ 41s  90% of 10, 3 failed in a row  every 6 h",
        "c         ✔ finished  -                        -                             every 6 h",
        "d         ◐ running   when resumed      ✔ 41s  90% of 10                     every 6 h",
        "e         ◐ running   -                 ✔ 41s  90% of 10                     every 6 h",
    ]


def test_show_has_source_policy_and_the_next_five(sbctl: Sbctl) -> None:
    code, out, _ = sbctl("schedule", "show", "mail")
    assert code == 0
    for part in (
        "from        etc/scheduler.json",
        "rule        at 06:00 every day (Europe/Berlin)",
        "plugin      mail: get",
    ):
        assert part in out
    assert out.count("06:00:00, in ") == 5
    answer = json.loads(sbctl("schedule", "show", "mail", "--json")[1])
    assert answer["policy"]["missed"] == "latest"
    assert answer["triggers"][0]["kind"] == "cron"
    assert sbctl("schedule", "show", "mial")[0] == 2


def test_show_of_one_that_waits_and_goes_by_ends() -> None:
    row = schedule_row("a", queued=1, by_ends=True, next_due=None, next_run=None, rule="after b is done")
    lines = schedule_lines({"row": row, "policy": {}, "next": []}, UTC, NOW, Style())
    assert "waiting     1 run" in lines
    assert "next        after b is done" in lines
    lines = schedule_lines({"row": {**row, "running": ["r_1"]}, "policy": {}, "next": []}, UTC, NOW, Style())
    assert "running     r_1, 1 waiting" in lines


# add, edit, rm


def test_a_schedule_is_made_changed_and_removed(sbctl: Sbctl, home: Home) -> None:
    path = Path(home.schedules, "disk.json")
    code, out, _ = sbctl("schedule", "add", "disk", "--at", "08:00,12:00", "--tz", "UTC", "--jitter", "30m")
    assert code == 0
    assert "14 slots more, 0 less" in out
    assert "it counts from the next sbctl start on" in out
    assert json.loads(path.read_text()) == {"format": 1, "timezone": "UTC", "at": ["08:00", "12:00"],
                                            "jitterMinutes": 30}  # fmt: skip
    assert sbctl("schedule", "add", "disk", "--every", "1h")[0] == 2
    before = path.read_bytes()
    answer = json.loads(sbctl("schedule", "edit", "disk", "--cron", "0 * * * *", "--dry-run", "--json")[1])
    assert (answer["dry_run"], answer["gained"] > 100, path.read_bytes()) == (True, True, before)
    assert sbctl("schedule", "edit", "disk", "--cron", "0 * * * *", "--set", "graceSeconds=30")[0] == 0
    assert json.loads(path.read_text()) == {"format": 1, "timezone": "UTC", "jitterMinutes": 30, "cron": "0 * * * *",
                                            "graceSeconds": 30}  # fmt: skip
    assert sbctl("schedule", "rm", "disk")[0] == 0
    assert not path.exists()


def test_an_error_changes_nothing_and_is_pointed_at(sbctl: Sbctl, home: Home) -> None:
    code, _, err = sbctl("schedule", "add", "disk", "--cron", "61 * * * *")
    assert code == 6
    assert "etc/schedules.d/disk.json" in err
    assert "minute: 61" in err
    assert not Path(home.schedules).exists()
    assert sbctl("schedule", "add", "../evil", "--every", "1h")[0] == 2
    assert sbctl("schedule", "add", "disk")[0] == 2
    assert sbctl("schedule", "edit", "disk", "--every", "1h")[0] == 2


def test_one_of_the_scheduler_file_gets_a_file_of_its_own(sbctl: Sbctl, home: Home) -> None:
    code, _, err = sbctl("schedule", "rm", "mail")
    assert code == 2
    assert "it is in etc/scheduler.json" in err
    assert sbctl("schedule", "edit", "mail", "--missed", "skip")[0] == 0
    assert json.loads(Path(home.schedules, "mail.json").read_text()) == {"format": 1, "missed": "skip"}
    assert "at 06:00" in sbctl("schedule", "show", "mail")[1]


def options(**given: object) -> dict[str, object]:
    none: dict[str, object] = dict.fromkeys(("commands", "every", "at", "jitter", "tz", "missed", "overlap"))
    return keys_of(**{**none, "cron": (), "once": (), "settings": (), **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ({"every": 21600.0}, {"intervalHours": 6}),
        ({"every": 5400.0}, {"intervalMinutes": 90}),
        ({"every": 90.0}, {"intervalSeconds": 90}),
        ({"jitter": 45.0}, {"jitterSeconds": 45}),
        ({"commands": "get, push"}, {"commands": ["get", "push"]}),
        ({"cron": ("a", "b")}, {"cron": ["a", "b"]}),
        (
            {"settings": ("graceSeconds=3", 'tenant="x"', "check=api")},
            {"graceSeconds": 3, "tenant": "x", "check": "api"},
        ),
    ],
)
def test_options_are_keys(given: dict[str, object], keys: dict[str, object]) -> None:
    assert options(**given) == keys


def test_a_new_time_rule_takes_the_place_of_the_old() -> None:
    old = {"at": ["08:00"], "weekdays": ["mon"], "tenant": "x"}
    assert merged(old, {"cron": "@daily"}) == {"tenant": "x", "cron": "@daily"}
    assert merged(old, {"weekdays": ["tue"]}) == {**old, "weekdays": ["tue"]}
    assert merged({"intervalHours": 6, "jitterMinutes": 3}, {"intervalMinutes": 5, "jitterSeconds": 1}) == {
        "intervalMinutes": 5, "jitterSeconds": 1}  # fmt: skip
    assert merged(old, {}, ("tenant",)) == {"at": ["08:00"], "weekdays": ["mon"]}
    assert merged({"cron": "@daily", "at": "08:00"}, {"at": "09:00"}) == {"at": "09:00"}


@pytest.mark.parametrize(("key", "value"), [("weekdays", ["mon-fri"]), ("seconds", True), ("afterFinish", True)])
@pytest.mark.parametrize(
    "before",
    [
        {"cron": "@daily", "at": "08:00"},
        {"intervalHours": 6, "at": "08:00", "weekdays": "sun"},
        {"intervalHours": 6, "cron": "@daily", "seconds": False},
        {"once": "2026-12-01T10:00", "tenant": "x"},  # its at, say, is in scheduler.json
    ],
)
def test_what_says_more_about_a_time_rule_takes_no_rule_away(before: dict[str, Any], key: str, value: Any) -> None:
    assert merged(before, {key: value}) == {**before, key: value}


# test


def test_the_lines_of_a_simulation() -> None:
    found = {
        "mail": {
            "runs": 365, "skipped": {"active_hours": 3}, "longest_gap_s": 90000.0, "gap_from": iso(NOW),
            "gap_to": iso(NOW + 90000), "dst": ["Sun 28 Mar: 02:30 does not exist"], "first": [iso(NOW)],
            "clock_rules": ["skip: not in a gap"],
            "collisions": [{"with": "disk", "count": 2, "first": iso(NOW)}],
        }
    }  # fmt: skip
    assert simulation_lines(found, {"mail": UTC}, 365, NOW) == [
        "mail: 365 times in 365 days",
        "  zone        UTC",
        "  skipped     3: active hours 3",
        "  longest gap 1d 1h, from Sat 28 Nov 08:00:00 to Sun 29 Nov 09:00:00",
        "  first       Sat 28 Nov 08:00:00",
        "  clock       Sun 28 Mar: 02:30 does not exist",
        "  dst         skip: not in a gap",
        "  collides    with disk 2 times, first Sat 28 Nov 08:00:00",
    ]


def test_a_simulation_of_one_that_follows_another() -> None:
    facts = {"runs": 0, "skipped": {}, "longest_gap_s": 2_592_000.0, "gap_from": iso(NOW), "gap_to": iso(NOW + 1),
             "dst": [], "first": [], "collisions": [], "follows": ["after disk has succeeded"]}  # fmt: skip
    assert simulation_lines({"mail": facts}, {"mail": UTC}, 30, NOW) == [
        "mail: after disk has succeeded, which is not foreseen",
        "  zone        UTC",
    ]
    facts |= {"runs": 30, "longest_gap_s": 0}
    assert simulation_lines({"mail": facts}, {"mail": UTC}, 30, NOW)[0] == (
        "mail: 30 times in 30 days, and after disk has succeeded"
    )


def test_a_simulation_and_next_have_the_same_times(sbctl: Sbctl, home: Home) -> None:
    make_plugins(home, "web")
    compiled(home, [{"plugins": ["disk"], "commands": ["get"], "cron": "0 6 * * *", "jitterMinutes": 60},
                    {"plugins": ["web"], "commands": ["get"], "intervalHours": 7}])  # fmt: skip
    Path(home.id_file).parent.mkdir(parents=True, exist_ok=True)
    Path(home.id_file).write_bytes(id_line(home, "5f3a0c0ffee0c0ff"))
    Path(home.intent_file).write_text(json.dumps({"schedules": {"web": {"first_seen": 1_700_000_123}}}))
    for name in ("disk", "web"):
        slots = json.loads(sbctl("next", name, "-n", "3", "--json")[1])["slots"]
        tested = json.loads(sbctl("schedule", "test", name, "--days", "9", "--json")[1])["schedules"][name]
        assert tested["first"][:3] == [slot["due"] for slot in slots]


# completion


def test_a_tab_offers_schedules_and_plugins(home: Home) -> None:
    def offered(line: str) -> list[str]:
        words = completing.split(line)[1:]
        return [word for word, _ in completing.offered(["--home", home.path, *words])]

    assert offered("sbctl next m") == ["mail"]
    assert offered("sbctl run ") == ["disk", "mail"]
    assert offered("sbctl schedule show ") == ["mail"]
    assert offered("sbctl schedule p") == ["pause"]
    assert offered("sbctl show l") == ["last"]
    assert offered("sbctl why ma") == ["mail"]


def test_a_tab_offers_commands_behind_a_name_and_tenants(home: Home) -> None:
    commands = {"get": "true", "push": "true", "server": "sleep 9"}
    manifest = {"id": "mail", "name": "mail", "commands": commands}
    Path(home.plugins, "mail", "manifest.json").write_text(json.dumps(manifest))
    tenants = [("early", "acme"), ("late", "beta"), ("later", "acme")]
    tasks: list[dict[str, object]] = [
        {"plugins": ["mail"], "name": name, "tenant": tenant, "cron": "0 6 * * *"} for name, tenant in tenants
    ]
    compiled(home, tasks)

    def offered(line: str) -> list[str]:
        words = completing.split(line)[1:]
        return [word for word, _ in completing.offered(["--home", home.path, *words])]

    assert offered("sbctl run mail ") == ["get", "push"]
    assert offered("sbctl run mail.late p") == ["push"]
    assert offered("sbctl run --wait mail get ") == ["push"]
    assert offered("sbctl run nobody ") == []
    assert offered("sbctl run mail -- ") == []
    assert offered("sbctl runs --tenant ") == ["acme", "beta"]
    assert offered("sbctl schedule list --tenant=a") == ["--tenant=acme"]
    assert offered("sbctl cancel mail ") == []
