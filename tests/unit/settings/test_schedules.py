"""From what people write about schedules to what the scheduler reads."""

from __future__ import annotations

from typing import Any

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.model.inputs import stale
from supervisor.model.schedule import Catalogue, Policy, Schedule
from supervisor.settings import api, revisions

COMMANDS = {"get": "true", "process": "true", "push": "true"}


@pytest.fixture(autouse=True)
def berlin(files: SettingsFiles) -> None:
    files.settings("timezone: Europe/Berlin")
    for name in ("twitter", "instagram"):
        files.manifest(name, {"id": name, "commands": COMMANDS})


def section(files: SettingsFiles) -> dict[str, Any]:
    found: dict[str, Any] = files.document("scheduler")["schedules"]
    return found


def schedules(files: SettingsFiles) -> dict[str, Schedule]:
    return Catalogue(section(files)).schedules


def one(files: SettingsFiles, rest: dict[str, Any] | None = None, **keys: Any) -> Schedule:
    """The schedule of a task with these keys; `rest`: what else is in the file."""
    files.scheduler({"tasks": [{"plugins": ["twitter"], "intervalHours": 6, **keys}], **(rest or {})})
    return schedules(files)["twitter"]


def triggers(files: SettingsFiles, **keys: Any) -> list[dict[str, Any]]:
    files.scheduler({"tasks": [{"plugins": ["twitter"], **keys}]})
    return schedules(files)["twitter"].triggers


def policy(files: SettingsFiles, rest: dict[str, Any] | None = None, **keys: Any) -> Policy:
    return one(files, rest, **keys).policy


def test_the_example_of_the_documents(files: SettingsFiles) -> None:
    files.scheduler(
        {
            "activeHours": {"start": 7, "end": 23},
            "tasks": [
                {
                    "plugins": ["twitter", "instagram"],
                    "commands": ["get", "process", "push"],
                    "intervalHours": 6,
                    "jitterMinutes": 30,
                }
            ],
        }
    )

    found = schedules(files)

    assert files.lines() == []
    assert sorted(found) == ["instagram", "twitter"]
    its = found["twitter"]
    assert (its.plugin, its.steps, its.zone) == ("twitter", ("get", "process", "push"), "Europe/Berlin")
    assert its.triggers == [{"kind": "interval", "seconds": 21_600.0, "after_finish": False}]
    assert its.source == "etc/scheduler.json"
    assert (its.enabled, its.run_at_start) == (True, True)
    assert its.policy is found["instagram"].policy
    assert (its.policy.jitter, its.policy.jitter_kind) == (1800.0, "perRun")
    assert (its.policy.active_hours, its.policy.outside) == ([[None, 25_200, 82_800]], "defer")
    assert its.policy.safety == {
        "level": "moderate",
        "min_data": None,
        "max_data": None,
        "quality": 0.7,
        "validation": 0.85,
        "rollback_on_degradation": True,
        "max_memory_mb": None,
        "max_cpu_percent": None,
        "max_failures": 3,
        "cooldown": 43_200.0,
    }


def test_the_manifest_of_the_documents_is_a_schedule_of_its_own(files: SettingsFiles) -> None:
    keys = {"mode": "interval", "defaultIntervalHours": 24, "cmd": ["push"]}
    files.manifest("chrome-history", {"id": "chrome-history", "commands": COMMANDS, "scheduler": keys})

    its = schedules(files)["chrome-history"]

    assert (its.steps, its.source) == (("push",), "plugins/chrome-history/manifest.json")
    assert its.triggers[0]["seconds"] == 86_400

    files.scheduler({"tasks": [{"plugins": ["chrome-history"], "name": "x", "at": "08:00"}]})
    assert sorted(schedules(files)) == ["chrome-history.x"]


TRIGGERS: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    ({"intervalMinutes": 5}, [{"kind": "interval", "seconds": 300.0, "after_finish": False}]),
    ({"intervalSeconds": 5, "afterFinish": True}, [{"kind": "interval", "seconds": 5.0, "after_finish": True}]),
    ({"at": "08:00"}, [{"kind": "at", "times": [28_800], "weekdays": None}]),
    (
        {"at": ["12:30", "8:00:30", "12:30"], "weekdays": ["fri-mon", "Wednesday"]},
        [{"kind": "at", "times": [28_830, 45_000], "weekdays": [0, 2, 4, 5, 6]}],
    ),
    ({"at": "08:00", "weekdays": "mon-sun"}, [{"kind": "at", "times": [28_800], "weekdays": None}]),
    ({"cron": "H 2 * * *"}, [{"kind": "cron", "expr": "H 2 * * *", "seconds": False}]),
    (
        {"cron": ["*/10 * * * * *", "0 0 2 * * *"], "seconds": True},
        [
            {"kind": "cron", "expr": "*/10 * * * * *", "seconds": True},
            {"kind": "cron", "expr": "0 0 2 * * *", "seconds": True},
        ],
    ),
    ({"once": "2100-12-01T10:00"}, [{"kind": "once", "at": 4_131_334_800}]),
    ({"once": ["2100-12-01T10:00Z"]}, [{"kind": "once", "at": 4_131_338_400}]),
    ({"once": "2100-12-01T10:00+01:00"}, [{"kind": "once", "at": 4_131_334_800}]),
    (
        {"afterSchedule": "instagram"},
        [{"kind": "after", "schedule": "instagram", "when": "succeeded", "delay": 0.0}],
    ),
    (
        {"afterSchedule": [{"schedule": "instagram", "when": "done", "delaySeconds": 5}], "at": "08:00"},
        [
            {"kind": "at", "times": [28_800], "weekdays": None},
            {"kind": "after", "schedule": "instagram", "when": "done", "delay": 5.0},
        ],
    ),
]


@pytest.mark.parametrize(("keys", "wanted"), TRIGGERS)
def test_time_rules(files: SettingsFiles, keys: dict[str, Any], wanted: list[dict[str, Any]]) -> None:
    files.scheduler({"tasks": [{"plugins": ["twitter"], **keys}, {"plugins": ["instagram"], "at": "09:00"}]})

    assert schedules(files)["twitter"].triggers == wanted
    assert files.lines() == []


def test_yaml_takes_times_and_dates_as_texts(files: SettingsFiles) -> None:
    (files.path / "etc" / "scheduler.yaml").write_text(
        "tasks:\n- plugins: [twitter]\n  at: [08:00, '10:30']\n  exclude: 2026-12-24\n  once: 2100-12-01T10:00\n"
    )

    its = schedules(files)["twitter"]

    assert [each["kind"] for each in its.triggers] == ["at", "once"]
    assert its.triggers[0]["times"] == [28_800, 37_800]
    assert list(its.policy.exclude) == ["2026-12-24"]


RETRY = {
    "times": 2,
    "delay": 60.0,
    "factor": 2.0,
    "max_delay": 3600.0,
    "codes": None,
    "not_codes": [],
    "timeouts": False,
}
POLICIES: list[tuple[dict[str, Any], str, Any]] = [
    ({"jitterSeconds": 30}, "jitter_kind", "stable"),
    ({"jitterMinutes": 30, "jitter": "stable"}, "jitter_kind", "stable"),
    ({"jitterMinutes": 30, "jitter": "none"}, "jitter", 0.0),
    ({"activeHours": {"start": "07:30", "end": 2.5, "weekdays": "mon-tue"}}, "active_hours", [[[0, 1], 27_000, 9_000]]),
    (
        {"activeHours": [{"start": 1, "end": 2}, {"start": 3, "end": 24}]},
        "active_hours",
        [[None, 3600, 7200], [None, 10_800, 86_400]],
    ),
    ({"outsideHours": "run"}, "outside", "run"),
    ({"exclude": ["2026-12-25", "2026-12-24"]}, "exclude", ["2026-12-24", "2026-12-25"]),
    ({"validFrom": "2026-12-01"}, "valid_from", 1_796_079_600),
    ({"validUntil": "2100-12-01"}, "valid_until", 4_131_385_199),
    ({"validUntil": "2100-12-01T10:00"}, "valid_until", 4_131_334_800),
    ({"missed": "skip"}, "missed", "skip"),
    ({"missedWindowHours": 2}, "window", 7200.0),
    ({"missed": "all", "overlap": "queueAll", "missedMax": 3}, "max_catchup", 3),
    ({"missedSpreadSeconds": 0}, "spread", 0.0),
    ({"graceSeconds": 5}, "grace", 5.0),
    ({"overlap": "allow", "overlapMax": 4}, "overlap_max", 4),
    ({"timeoutMinutes": 2}, "run_timeout", 120.0),
    ({"safety": {"maxRunMinutes": 3}}, "run_timeout", 180.0),
    ({"safety": {"maxRunMinutes": 3}, "timeoutMinutes": 2}, "run_timeout", 120.0),
    ({"stepTimeoutMinutes": 0.5}, "step_timeout", 30.0),
    ({"stopGraceSeconds": 3}, "stop_grace", 3.0),
    ({"ledger": "required"}, "ledger", "required"),
    ({"interrupted": "rerun"}, "interrupted", "rerun"),
    ({"outputMaxMb": 0.5}, "output_max", 524_288),
    ({"dst": "skip"}, "dst", "skip"),
    ({}, "retry", {}),
    ({"retry": 0}, "retry", {}),
    ({"retry": 2}, "retry", RETRY),
    ({"retry": {"times": 2, "notCodes": [3, 2]}}, "retry", {**RETRY, "not_codes": [2, 3]}),
    ({"retry": {"times": 2, "codes": [5], "timeouts": True}}, "retry", {**RETRY, "codes": [5], "timeouts": True}),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "name", "value"), POLICIES)
def test_policies(files: SettingsFiles, keys: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(policy(files, **keys), name) == value
    assert files.lines() == []


def test_without_a_word_a_policy_is_that_of_the_model(files: SettingsFiles) -> None:
    safety = policy(files).safety

    assert policy(files).as_dict() == {**Policy().as_dict(), "safety": safety, "blackouts": [], "exclude": []}


def test_what_is_no_interval_is_left_out_outside_the_hours(files: SettingsFiles) -> None:
    files.scheduler({"tasks": [{"plugins": ["twitter"], "at": "08:00"}]})

    assert schedules(files)["twitter"].policy.outside == "skip"


LEVELS = [("strict", 0.9, 0.9, 2, 86_400.0), ("moderate", 0.7, 0.85, 3, 43_200.0), ("permissive", 0.5, 0.7, 5, 3600.0)]


@pytest.mark.parametrize(("level", "quality", "validation", "failures", "cooldown"), LEVELS)
def test_safety_levels(
    files: SettingsFiles, level: str, quality: float, validation: float, failures: int, cooldown: float
) -> None:
    found = policy(files, safety={"level": level}).safety

    assert [found[name] for name in ("quality", "validation", "max_failures", "cooldown")] == [
        quality, validation, failures, cooldown,
    ]  # fmt: skip


def test_the_controls_of_the_documents(files: SettingsFiles) -> None:
    keys = {
        "level": "strict",
        "minDataThreshold": 500,
        "maxDataThreshold": 10_000,
        "qualityThreshold": 0.8,
        "validationThreshold": 0.9,
        "rollbackOnDegradation": False,
        "maxMemoryUsageMb": 2048,
        "maxCpuUsagePercent": 75,
        "maxRunMinutes": 60,
        "maxConsecutiveFailures": 4,
        "failureCooldownHours": 2,
    }

    its = policy(files, safety=keys)

    assert its.run_timeout == 3600
    assert its.safety == {
        "level": "strict",
        "min_data": 500,
        "max_data": 10_000,
        "quality": 0.8,
        "validation": 0.9,
        "rollback_on_degradation": False,
        "max_memory_mb": 2048,
        "max_cpu_percent": 75,
        "max_failures": 4,
        "cooldown": 7200,
    }


def test_defaults_are_beaten_key_by_key(files: SettingsFiles) -> None:
    rest = {
        "safety": {"level": "strict", "minDataThreshold": 5},
        "activeHours": {"start": 7, "end": 23},
        "defaults": {"retry": {"times": 3, "factor": 3}, "jitterSeconds": 9, "tenant": "acme", "overlap": "queueOne"},
    }

    its = one(files, rest, retry={"times": 1}, jitterMinutes=1, safety={"qualityThreshold": 0.1}, activeHours=False)

    assert (its.policy.retry["times"], its.policy.retry["factor"]) == (1, 3)
    assert (its.policy.jitter, its.policy.jitter_kind, its.policy.overlap) == (60.0, "perRun", "queueOne")
    assert (its.policy.safety["quality"], its.policy.safety["validation"], its.policy.safety["min_data"]) == (
        0.1,
        0.9,
        5,
    )
    assert (its.tenant, its.policy.active_hours) == ("acme", [])


def test_calendars_groups_and_history(files: SettingsFiles) -> None:
    files.settings("timezone: Europe/Berlin\nhistory: {keepDays: 5, keepRuns: 7}")
    rules = [
        "2026-12-24",
        {"dates": ["2026-12-26", "2026-12-25"]},
        {"from": "2026-12-27", "to": "2027-01-02"},
        {"from": "2026-12-24T18:00", "to": "2026-12-24T20:00"},
        {"weekdays": ["sat-sun"]},
        {"start": 22, "end": "06:00"},
    ]
    rest = {"blackouts": {"holidays": rules}, "groups": {"big": 2}}

    its = policy(files, rest, blackouts="holidays", group="big", outsideHours="defer")

    found = section(files)
    assert (list(its.blackouts), its.group) == (["holidays"], "big")
    assert found["groups"] == {"big": 2}
    assert found["history"] == {"keep_days": 5, "keep_runs": 7, "keep_failed_days": 365}
    assert found["calendars"]["holidays"] == [
        {"dates": ["2026-12-24"]},
        {"dates": ["2026-12-25", "2026-12-26"]},
        {"from": "2026-12-27T00:00", "to": "2027-01-03T00:00"},
        {"from": "2026-12-24T18:00", "to": "2026-12-24T20:00"},
        {"weekdays": [5, 6], "start": 0, "end": 86_400},
        {"weekdays": None, "start": 79_200, "end": 21_600},
    ]


def test_named_checks_are_commands(files: SettingsFiles) -> None:
    checks = {
        "web": {"http": "https://example.org/health", "statuses": 204, "timeoutSeconds": 5},
        "db": {"tcp": 5432, "intervalSeconds": 7},
        "disk": {"exec": "/bin/sh -c true"},
    }

    assert policy(files, {"checks": checks}, check="web").check == "web"
    assert section(files)["checks"] == {
        "web": {
            "argv": ["role:probe", "https://example.org:443/health", "--timeout", "4.5", "--statuses", "204-204"],
            "timeout": 5,
            "fresh": 60,
            "name": "https://example.org:443/health",
            "exec": False,
            "plugin_env": None,
        },
        "db": {
            "argv": ["role:probe", "tcp://127.0.0.1:5432", "--timeout", "9", "--statuses", "200-399"],
            "timeout": 10,
            "fresh": 7,
            "name": "tcp://127.0.0.1:5432",
            "exec": False,
            "plugin_env": None,
        },
        "disk": {
            "argv": ["/bin/sh", "-c", "true"],
            "timeout": 10,
            "fresh": 60,
            "name": "exec /bin/sh -c true",
            "exec": True,
            "plugin_env": None,
        },
    }


def test_every_plugin_that_can_be_run_has_its_commands(files: SettingsFiles) -> None:
    files.manifest("serves", {"id": "serves", "commands": {"server": "/bin/sh x"}})
    files.manifest(
        "sync", {"id": "sync", "commands": {"sync-all": ["sh", "-c", "x"]}, "cwd": "home", "env": {"A": "b"}}
    )

    commands = Catalogue(section(files)).commands

    assert sorted(commands) == ["instagram", "sync", "twitter"]
    launch = commands["sync"]["sync-all"]
    assert (launch.argv, launch.cwd, launch.log) == (("sh", "-c", "x"), str(files.path), "")
    assert (launch.env["SB_PLUGIN"], launch.env["A"]) == ("sync", "b")
    assert "GITHUB_TOKEN" in launch.drop_env


def test_the_revision_is_that_of_what_says_when(files: SettingsFiles) -> None:
    before = one(files).revision

    assert one(files, description="x", overlap="allow").revision == before
    assert one(files, intervalHours=7).revision != before
    assert one(files, dst="literal").revision != before
    assert one(files, timezone="UTC").revision != before


def test_an_interval_from_the_environment(files: SettingsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def seconds() -> float:
        return float(triggers(files, intervalHours="env:SB_INTERVAL_HOURS")[0]["seconds"])

    monkeypatch.delenv("SB_INTERVAL_HOURS", raising=False)
    assert seconds() == 12 * 3600
    monkeypatch.setenv("SB_INTERVAL_HOURS", " 0.5 ")
    assert seconds() == 1800


BAD_HOURS = [("0", "must be"), ("-1", "must be"), ("six", "is not a number"), ("nan", "is not"), ("inf", "must be")]


@pytest.mark.parametrize(("value", "what"), BAD_HOURS)
def test_a_bad_interval_in_the_environment(
    files: SettingsFiles, monkeypatch: pytest.MonkeyPatch, value: str, what: str
) -> None:
    monkeypatch.setenv("SB_INTERVAL_HOURS", value)
    files.scheduler({"tasks": [{"plugins": ["twitter"], "intervalHours": "env:SB_INTERVAL_HOURS"}]})

    (line,) = files.lines()

    assert f"error: tasks.0.intervalHours: the variable SB_INTERVAL_HOURS, in hours, {what}" in line


def test_no_secret_is_taken_for_an_interval(files: SettingsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "canary")
    files.scheduler({"tasks": [{"plugins": ["twitter"], "intervalHours": "env:GITHUB_TOKEN"}]})

    (finding,) = files.check()

    assert finding.message == "GITHUB_TOKEN is a secret, not a number of hours"


def test_another_value_in_the_environment_is_noticed_by_a_start(
    files: SettingsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SB_INTERVAL_HOURS", "6")
    files.scheduler({"tasks": [{"plugins": ["twitter"], "intervalHours": "env:SB_INTERVAL_HOURS"}]})
    assert api.compile_home(files.home).ok
    compiled = revisions.read_compiled(files.home, "start")
    assert not stale(compiled, files.home)

    monkeypatch.setenv("SB_INTERVAL_HOURS", "7")

    assert stale(compiled, files.home)


def test_the_zone_is_that_of_the_machine_where_none_is_given(
    files: SettingsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    from supervisor.base import zones

    files.settings("")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    zones.forget()
    try:
        assert one(files).zone == section(files)["zone"] == "Asia/Tokyo"
        assert "timezone Asia/Tokyo" in files.document("start")["summary"]
        assert one(files, timezone="UTC").zone == "UTC"
    finally:
        zones.forget()


def test_the_banner_names_schedules_and_hours(files: SettingsFiles) -> None:
    one(files, {"activeHours": [{"start": 7, "end": 12.5}, {"start": "13:00", "end": 23, "weekdays": "mon-fri"}]})

    summary = files.document("start")["summary"]

    assert {"timezone Europe/Berlin", "1 schedule", "active hours 7-12.5, 13:00-23 mon-fri"} <= set(summary)


def test_a_plugin_with_errors_takes_its_schedules_along(files: SettingsFiles) -> None:
    files.manifest("bad", {"id": "bad", "commands": {"get": "true", "Sync": "true"}})
    files.scheduler({"tasks": [{"plugins": ["bad", "twitter"], "at": "08:00"}]})

    assert api.compile_home(files.home, tolerant=True).ok
    found = revisions.read_compiled(files.home, "scheduler")["schedules"]

    assert [row["id"] for row in found["schedules"]] == ["twitter"]
    assert sorted(found["commands"]) == ["instagram", "twitter"]
