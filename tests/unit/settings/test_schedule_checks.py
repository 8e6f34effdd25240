"""What of a schedule can't be, or has no effect."""

from __future__ import annotations

from typing import Any

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.base import zones


@pytest.fixture(autouse=True)
def plugins(files: SettingsFiles) -> None:
    files.settings("timezone: Europe/Berlin")
    for name in ("a", "b", "c"):
        files.manifest(name, {"id": name, "commands": {"get": "true"}})


def found(files: SettingsFiles, *tasks: dict[str, Any], **rest: Any) -> list[str]:
    given = [{"plugins": ["abc"[number]], **task} for number, task in enumerate(tasks)]
    files.scheduler({"tasks": given, **rest})
    return [f"{each.level} {each.path}: {each.message} -> {each.remedy}" for each in files.check()]


MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"cron": "61 * * * *"}, "error tasks.0.cron: minute", ""),
    ({"cron": ["0 2 * * *", "0 0 30 2 *"]}, "error tasks.0.cron.1: '0 0 30 2 *' never fires", ""),
    ({"cron": "* * * * * *"}, "error tasks.0.cron: '* * * * * *' has 6 fields", "`seconds: true`"),
    (
        {"cron": ["0 0 9 * * *", "0 30 1-10 * * *"], "seconds": True},
        "error tasks.0.cron.1: '0 30 1-10 * * *': programs disagree on what a range of hours in a line with seconds",
        '"dst": "literal"',
    ),
    (
        {"cron": "CRON_TZ=America/New_York 0 30 2 * * * 2030-2090", "seconds": True, "timezone": "UTC"},
        "error tasks.0.cron: '0 30 2 * * * 2030-2090': programs disagree on what a line with a year does",
        '"dst": "vixie"',
    ),
    ({"cron": "CRON_TZ=Mars/Base 0 2 * * *"}, "error tasks.0.cron: Mars/Base: not a time zone", "write a name"),
    ({"at": "08:00", "timezone": "Mars/Base"}, "error tasks.0.timezone: not a time zone that is known here", "write a"),
    ({"intervalMinutes": 0.001}, "error tasks.0.intervalMinutes: is less than a second", "write a second"),
    ({"intervalHours": 1, "missed": "all"}, "error tasks.0.missed: all contradicts overlap: skip", "queueAll"),
    (
        {"intervalHours": 1, "missed": "all", "overlap": "cancelOther"},
        "warning tasks.0.missed: with overlap: cancelOther the next slot takes the place of those that still wait",
        "queueAll",
    ),
    ({"at": "08:00", "validFrom": "2100-02-01", "validUntil": "2100-01-01"}, "error tasks.0.validUntil: is before", ""),
    ({"at": "08:00", "safety": {"minDataThreshold": 5, "maxDataThreshold": 4}}, "error tasks.0.safety.minData", ""),
    ({"at": "08:00", "retry": {"times": 1, "codes": [1], "notCodes": [1]}}, "error tasks.0.retry.notCodes: exit", ""),
    ({"at": "08:00", "group": "bg"}, "error tasks.0.group: there is no bg in groups", "did you mean big?"),
    ({"at": "08:00", "check": "x"}, "error tasks.0.check: there is no x in checks", "add it to checks"),
    ({"at": "08:00", "blackouts": ["big"]}, "error tasks.0.blackouts.0: there is no big in blackouts", "add it to"),
    ({"afterSchedule": "aa"}, "error tasks.0.afterSchedule: there is no schedule aa", "did you mean a?"),
    ({"once": "2020-01-01T00:00"}, "warning tasks.0.once: is over", "write a time to come"),
    ({"at": "08:00", "validUntil": "2020-01-01"}, "warning tasks.0.validUntil: is over", "write a later date"),
    ({"cron": "0 2 * * *", "weekdays": "mon"}, "warning tasks.0.weekdays: without at it says nothing", "add at"),
    ({"at": "08:00", "afterFinish": True}, "warning tasks.0.afterFinish: without intervalHours or", ""),
    ({"at": "08:00", "seconds": True}, "warning tasks.0.seconds: without cron it says nothing", ""),
    ({"at": "08:00", "jitter": "stable"}, "warning tasks.0.jitter: without jitterMinutes or", ""),
    ({"at": "08:00", "overlapMax": 3}, "warning tasks.0.overlapMax: counts only with", "queueAll"),
    ({"at": "08:00", "missedMax": 3}, "warning tasks.0.missedMax: counts only with missed: all", ""),
    (
        {"at": "08:00", "missed": "skip", "missedWindowHours": 3},
        "warning tasks.0.missedWindowHours: nothing is made",
        "",
    ),
    ({"at": "08:00", "retry": {"delaySeconds": 3}}, "warning tasks.0.retry.delaySeconds: without times", ""),
    (
        {"at": "08:00", "timeoutMinutes": 1, "stepTimeoutMinutes": 2},
        "warning tasks.0.stepTimeoutMinutes: is longer",
        "",
    ),
    (
        {"intervalMinutes": 10, "jitterSeconds": 301},
        "warning tasks.0.jitterSeconds: is more than half of",
        "write less",
    ),
    (
        {"intervalMinutes": 10, "jitterMinutes": 11},
        "warning tasks.0.jitterMinutes: is more than the time",
        "write less",
    ),
    ({"commands": "get"}, "warning tasks.0.plugins.0: says no time: it runs only by hand", "add intervalHours"),
]


@pytest.mark.parametrize(("keys", "message", "remedy"), MISTAKES)
def test_mistakes(files: SettingsFiles, keys: dict[str, Any], message: str, remedy: str) -> None:
    (text,) = found(files, keys, groups={"big": 1})

    assert text.startswith(message)
    assert remedy in text.partition(" -> ")[2]
    assert text.partition(" -> ")[2]


FINE: list[dict[str, Any]] = [
    {"intervalMinutes": 10, "jitterMinutes": 10},
    {"intervalMinutes": 10, "jitterSeconds": 300},
    {"intervalHours": 1, "missed": "all", "overlap": "queueAll", "missedMax": 5},
    {"commands": "get", "enabled": False},
    {"at": "08:00", "jitter": "none"},
    {"at": "08:00", "retry": 0},
    {"cron": "0 30 1-10 * * *", "seconds": True, "dst": "literal"},
    {"cron": "0 30 2 * * * 2030-2090", "seconds": True, "dst": "vixie"},
    {"cron": "0 30 1-10 * * *", "seconds": True, "timezone": "UTC"},
    {"cron": ["0 30 2 * * *", "0 0 9-17 * * *"], "seconds": True},
]


@pytest.mark.parametrize("keys", FINE)
def test_what_is_fine(files: SettingsFiles, keys: dict[str, Any]) -> None:
    assert found(files, keys) == []


LEAP = {"cron": "0 0 29 2 *", "validFrom": "2097-01-01", "timezone": "UTC"}  # 2100 has no such day
NEW_YEAR = {"cron": "0 0 1 1 *", "validFrom": "2098-06-01", "validUntil": "2099-06-01"}
NEVER_COMES: list[tuple[dict[str, Any], str, str]] = [
    ({"once": "2100-01-01T10:00", "exclude": "2100-01-01"}, "once: never comes: it lies on a date of exclude", "take"),
    ({"once": "2100-01-01T10:00", "validUntil": "2099-12-31"}, "once: never comes: it is after validUntil", "later"),
    ({"once": "2100-01-01T10:00", "validFrom": "2100-01-02"}, "once: never comes: it is before validFrom", "earlier"),
    # 23:30 UTC is the next day in Berlin
    ({"once": "2100-01-01T23:30Z", "exclude": "2100-01-02"}, "once: never comes: it lies on a date of exclude", "take"),
    (
        {"once": ["2100-01-01T10:00", "2100-01-02T10:00"], "exclude": "2100-01-02", "at": "08:00"},
        "once.1: never comes: it lies on a date of exclude",
        "take",
    ),
    ({**LEAP, "validUntil": "2103-12-31"}, "validUntil: never runs: it has no slot up to then", "later"),
    ({**NEW_YEAR, "exclude": "2099-01-01"}, "validUntil: never runs: it has no slot up to then that exclude", ""),
]


@pytest.mark.parametrize(("keys", "message", "remedy"), NEVER_COMES)
def test_times_that_are_all_taken_out_are_warned_of(
    files: SettingsFiles, keys: dict[str, Any], message: str, remedy: str
) -> None:
    (line,) = found(files, keys)

    assert line.startswith(f"warning tasks.0.{message}")
    assert remedy in line.partition(" -> ")[2]


COMES: list[dict[str, Any]] = [
    {"once": "2100-01-01T10:00", "exclude": "2100-01-02", "validFrom": "2100-01-01", "validUntil": "2100-01-01"},
    {"once": "2100-01-01T22:30Z", "exclude": "2100-01-02"},
    {**LEAP, "validUntil": "2104-02-29"},
    {**LEAP, "validUntil": "2103-12-31", "at": "12:00"},
    {**NEW_YEAR, "exclude": "2100-01-01"},
    {"intervalHours": 24, "validUntil": "2100-01-01", "exclude": ["2100-01-01"]},
    {**LEAP, "validUntil": "2103-12-31", "intervalHours": 24},
    {**LEAP, "validUntil": "2103-12-31", "intervalHours": 24, "afterFinish": True},
]


@pytest.mark.parametrize("keys", COMES)
def test_times_of_which_some_are_left_are_not(files: SettingsFiles, keys: dict[str, Any]) -> None:
    assert found(files, keys) == []


def test_too_much_jitter_is_cut(files: SettingsFiles) -> None:
    found(files, {"intervalMinutes": 10, "jitterSeconds": 400}, {"intervalMinutes": 10, "jitterMinutes": 60})
    section = files.document("scheduler")["schedules"]

    assert [section["policies"][row["policy"]]["jitter"] for row in section["schedules"]] == [300.0, 600.0]


def test_defaults_are_not_said_to_be_useless_for_each(files: SettingsFiles) -> None:
    defaults = {"overlapMax": 5, "jitter": "stable", "missedMax": 3}

    assert found(files, {"at": "08:00"}, {"at": "09:00"}, defaults=defaults) == []


def test_what_defaults_say_is_reported_there(files: SettingsFiles) -> None:
    assert found(files, {"at": "08:00"}, {"at": "09:00"}, defaults={"group": "none"}) == [
        "error defaults.group: there is no none in groups -> add it to groups"
    ]


def test_defaults_may_say_what_a_change_of_the_clock_does(files: SettingsFiles) -> None:
    task = {"cron": "0 30 1-10 * * *", "seconds": True}

    assert found(files, task, defaults={"dst": "vixie"}) == []
    assert len(found(files, task)) == 1


def test_circles_are_shown_whole(files: SettingsFiles) -> None:
    circle = [{"afterSchedule": "c"}, {"afterSchedule": ["a", "c"]}, {"afterSchedule": {"schedule": "b"}}]

    lines = found(files, *circle)

    assert any("tasks.0.afterSchedule: a circle" in line and ": a -> b -> c -> a " in line for line in lines)
    assert any("tasks.1.afterSchedule: a circle" in line and ": b -> c -> b " in line for line in lines)
    assert found(files, {"afterSchedule": "a"})[0].startswith("error tasks.0.afterSchedule: a circle")


def test_a_diamond_is_no_circle(files: SettingsFiles) -> None:
    assert found(files, {"at": "08:00"}, {"afterSchedule": "a"}, {"afterSchedule": ["a", "b"]}) == []


def test_a_long_chain_is_walked_without_recursion(files: SettingsFiles) -> None:
    tasks = [{"plugins": ["a"], "name": f"n{each}", "afterSchedule": f"a.n{each + 1}"} for each in range(3000)]
    files.scheduler({"tasks": [*tasks, {"plugins": ["a"], "name": "n3000", "at": "08:00"}]})

    assert files.lines() == []


def test_no_zones_at_all_is_said(files: SettingsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise zones.UnknownZone(name, "this machine has no time zones at all (Debian's package tzdata)")

    files.settings("timezone: Asia/Tokyo")
    monkeypatch.setattr(zones, "zone", missing)

    (finding,) = files.check()

    assert finding.message == (
        "not a time zone that is known here: this machine has no time zones at all (Debian's package tzdata)"
    )
    assert "tzdata" in finding.remedy


def test_a_machine_whose_zone_is_not_known_is_said_where_it_counts(
    files: SettingsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Nowhere/None")
    zones.forget()

    named = files.lines()
    files.settings("format: 1")
    (line,) = files.lines()
    zones.forget()

    assert line.startswith("etc/sbctl.yaml: warning: timezone: the zone of this machine is not known (")
    assert line.endswith("all goes by UTC")
    assert named == []


MODES = [
    ({"mode": "cron", "at": "08:00"}, "is cron, but there is at"),
    ({"mode": "cron"}, "is cron, but there is no cron"),
    ({"mode": "interval"}, "is interval, but there is no defaultIntervalHours"),
    ({"mode": "at", "at": "08:00", "intervalMinutes": 5}, "is at, but there is intervalMinutes"),
]


@pytest.mark.parametrize(("keys", "message"), MODES)
def test_the_mode_of_a_manifest_must_agree(files: SettingsFiles, keys: dict[str, Any], message: str) -> None:
    files.manifest("a", {"id": "a", "commands": {"get": "true"}, "scheduler": keys})

    assert [each.message for each in files.check() if each.path == "scheduler.mode"] == [message]


def test_two_words_for_one_thing_in_a_manifest(files: SettingsFiles) -> None:
    keys = {"defaultIntervalHours": 1, "intervalMinutes": 5, "cmd": "get", "commands": "get"}
    files.manifest("a", {"id": "a", "commands": {"get": "true"}, "scheduler": keys})

    assert [(each.path, each.message) for each in files.check()] == [
        ("scheduler.defaultIntervalHours", "there is also intervalMinutes"),
        ("scheduler.cmd", "there is also commands"),
    ]


NEVER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"at": "03:00"}, {"activeHours": {"start": 7, "end": 23}}),
    ({"cron": "*/5 0-6 * * *"}, {"activeHours": {"start": 7, "end": 23}}),
    ({"at": "12:00", "weekdays": "sat"}, {"activeHours": {"start": 7, "end": 23, "weekdays": "mon-fri"}}),
    ({"at": "12:00", "weekdays": "sat", "blackouts": "weekend"}, {"blackouts": {"weekend": [{"weekdays": "sat-sun"}]}}),
]


OUTSIDE = "lies outside the active hours"
IN_BLACKOUT = "lies in a blackout"
BOTH = "lies outside the active hours or in a blackout"
BLAME: list[tuple[dict[str, Any], dict[str, Any], str, bool]] = [
    ({"at": "03:00"}, {"activeHours": {"start": 7, "end": 23}}, OUTSIDE, True),
    ({"at": "03:00"}, {"activeHours": {"start": 7, "end": 23}, "blackouts": {"b": ["2100-01-01"]}}, OUTSIDE, True),
    ({"at": "08:00"}, {"blackouts": {"b": [{"weekdays": "mon-sun"}]}}, IN_BLACKOUT, False),
    (
        {"at": "08:00"},
        {"activeHours": {"start": 7, "end": 23}, "blackouts": {"b": [{"weekdays": "mon-sun"}]}},
        IN_BLACKOUT,
        False,
    ),
    (
        {"at": ["03:00", "08:00"]},
        {"activeHours": {"start": 7, "end": 23}, "blackouts": {"b": [{"start": 8, "end": 9}]}},
        BOTH,
        True,
    ),
    (
        {"at": ["03:00", "08:00"]},
        {"activeHours": {"start": 7, "end": 23}, "blackouts": {"b": [{"weekdays": "mon-sun"}]}},
        IN_BLACKOUT,
        False,
    ),
    # 03:00 lies in it and outside, 05:00 only outside
    (
        {"at": ["03:00", "05:00"]},
        {"activeHours": {"start": 7, "end": 23}, "blackouts": {"b": [{"start": 2, "end": 4}]}},
        BOTH,
        True,
    ),
]


@pytest.mark.parametrize(("keys", "rest", "blame", "hours_help"), BLAME)
def test_what_is_to_blame_is_named_and_what_helps(
    files: SettingsFiles, keys: dict[str, Any], rest: dict[str, Any], blame: str, *, hours_help: bool
) -> None:
    its = {**keys, "blackouts": "b"} if "blackouts" in rest else keys
    (line,) = found(files, its, **rest)

    text, _, remedy = line.partition(" -> ")
    assert text == f"error tasks.0.at: never runs: for 400 days each of its slots {blame}"
    assert ("outsideHours" in remedy, "blackout" in remedy) == (hours_help, blame == IN_BLACKOUT)
    with_run = [each.partition(":")[0] for each in found(files, {**its, "outsideHours": "run"}, **rest)]
    assert with_run == ([] if hours_help else ["warning tasks.0.blackouts"])  # the advice is good


@pytest.mark.parametrize(("keys", "rest"), NEVER)
def test_slots_that_all_lie_outside_the_hours(files: SettingsFiles, keys: dict[str, Any], rest: dict[str, Any]) -> None:
    (line,) = found(files, keys, **rest)

    key = "cron" if "cron" in keys else "at"
    assert line.startswith(f"error tasks.0.{key}: never runs: for 400 days each of its slots lies ")
    at_any_hour = found(files, {**keys, "outsideHours": "run"}, **rest)
    # A blackout holds it all the same.
    assert [each.partition(":")[0] for each in at_any_hour] == ["warning tasks.0.blackouts"] * ("blackouts" in keys)


ALL_DAY = {"blackouts": {"all": [{"weekdays": "mon-sun"}]}}
NIGHT = {"blackouts": {"all": [{"start": 2, "end": 4}]}}
HELD: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"intervalHours": 6}, ALL_DAY),
    ({"intervalHours": 6, "afterFinish": True}, ALL_DAY),
    ({"intervalHours": 6, "outsideHours": "run"}, {"activeHours": {"start": 7, "end": 23}, **ALL_DAY}),
    ({"at": "08:00", "outsideHours": "run"}, ALL_DAY),
    ({"cron": "0 * * * *", "outsideHours": "defer"}, ALL_DAY),
    ({"at": "03:00", "outsideHours": "run"}, {"activeHours": {"start": 7, "end": 23}, **NIGHT}),
    ({"intervalHours": 6}, {"activeHours": {"start": 2.5, "end": 3.5}, **NIGHT}),
    ({"intervalHours": 6}, {"blackouts": {"all": [{"from": "2020-01-01", "to": "2199-01-01"}]}}),
    ({"at": "03:00", "outsideHours": "run", "jitterSeconds": 600}, NIGHT),
    ({"intervalHours": 6, "validUntil": "2199-01-01"}, ALL_DAY),
]


@pytest.mark.parametrize(("keys", "rest"), HELD)
def test_what_a_blackout_always_holds_is_warned_of(
    files: SettingsFiles, keys: dict[str, Any], rest: dict[str, Any]
) -> None:
    (line,) = found(files, {**keys, "blackouts": "all"}, **rest)

    assert line.startswith("warning tasks.0.blackouts: never runs: for two years a blackout holds each time")
    assert line.partition(" -> ")[2]
    assert found(files, keys, **rest) == []


FREE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"intervalHours": 6}, NIGHT),
    ({"intervalHours": 1}, {"activeHours": {"start": 3, "end": 5}, **NIGHT}),
    ({"intervalHours": 6}, {"blackouts": {"all": [{"weekdays": "mon-sat"}]}}),
    ({"intervalHours": 6}, {"blackouts": {"all": [{"from": "2020-01-01", "to": "2027-06-01"}]}}),
    ({"at": "03:59:50", "outsideHours": "run", "jitterSeconds": 600}, NIGHT),
    # 05:30 lies in the blackout, and waits for the second stretch of its hours, which does not
    (
        {"at": "05:30", "outsideHours": "defer", "activeHours": [{"start": 3, "end": 5}, {"start": 7, "end": 9}]},
        {"blackouts": {"all": [{"start": 2, "end": 6}]}},
    ),
    (
        {
            "at": ["04:00", "05:30"],
            "outsideHours": "defer",
            "activeHours": [{"start": 3, "end": 5}, {"start": 7, "end": 9}],
        },
        {"blackouts": {"all": [{"start": 2, "end": 6}]}},
    ),
]


@pytest.mark.parametrize(("keys", "rest"), FREE)
def test_what_a_blackout_leaves_a_time_is_not(files: SettingsFiles, keys: dict[str, Any], rest: dict[str, Any]) -> None:
    assert found(files, {**keys, "blackouts": "all"}, **rest) == []


def test_an_interval_may_count_from_another_moment_than_this_so_it_is_not_refused(files: SettingsFiles) -> None:
    hour = {"start": 3, "end": 3.5}
    lines = found(files, {"intervalHours": 24, "outsideHours": "skip", "blackouts": "all"}, activeHours=hour, **NIGHT)

    (line,) = lines
    assert line.startswith("warning activeHours: never runs: ")


SOMETIMES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"at": ["03:00", "07:00"]}, {"activeHours": {"start": 7, "end": 23}}),
    ({"at": "02:00"}, {"activeHours": {"start": 22, "end": 4}}),
    ({"cron": "0 3 1 1 *"}, {"activeHours": {"start": 0, "end": 4}}),
    ({"cron": "0 3 29 2 *"}, {"activeHours": {"start": 0, "end": 4, "weekdays": "mon-wed"}}),
    ({"intervalHours": 24}, {"activeHours": {"start": 7, "end": 7.5}}),
]


@pytest.mark.parametrize(("keys", "rest"), SOMETIMES)
def test_slots_that_sometimes_lie_within(files: SettingsFiles, keys: dict[str, Any], rest: dict[str, Any]) -> None:
    assert found(files, keys, **rest) == []


def test_last_slots_that_are_left_by_themselves_are_no_error(files: SettingsFiles) -> None:
    hours = {"start": 7, "end": 23}

    (line,) = found(files, {"at": "03:00", "validUntil": "2100-01-01"}, activeHours=hours)

    assert line.startswith("warning tasks.0.at: never runs")
