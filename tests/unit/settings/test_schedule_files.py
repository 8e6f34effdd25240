"""Files of single schedules: how they beat others, and how commands make and remove them."""

from __future__ import annotations

import os
from typing import Any

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.base.errors import Problem
from supervisor.model.inputs import stale
from supervisor.model.schedule import Catalogue, Schedule
from supervisor.settings import api, revisions


@pytest.fixture(autouse=True)
def plugins(files: SettingsFiles) -> None:
    files.settings("timezone: UTC")
    for name in ("web", "api"):
        files.manifest(name, {"id": name, "commands": {"get": "true", "push": "true"}})


def schedules(files: SettingsFiles) -> dict[str, Schedule]:
    return Catalogue(files.document("scheduler")["schedules"]).schedules


def by_hand(files: SettingsFiles, name: str, keys: dict[str, Any]) -> None:
    files.write(f"etc/schedules.d/{name}", keys)


def test_a_file_makes_a_schedule(files: SettingsFiles) -> None:
    by_hand(files, "web.night.json", {"at": "02:00"})
    by_hand(files, "api.json", {"format": 1, "plugin": "api", "cron": "@daily"})

    found = schedules(files)

    assert files.lines() == []
    assert (found["web.night"].plugin, found["web.night"].source) == ("web", "etc/schedules.d/web.night.json")
    assert found["api"].triggers[0]["expr"] == "@daily"


def test_a_file_beats_a_task_key_by_key(files: SettingsFiles) -> None:
    task = {"plugins": ["web", "api"], "intervalHours": 6, "retry": {"times": 3, "factor": 3}, "commands": ["get"]}
    files.scheduler({"tasks": [task]})
    by_hand(files, "web.json", {"retry": {"times": 1}, "enabled": False})

    found = schedules(files)

    assert (found["web"].enabled, found["api"].enabled) == (False, True)
    assert found["web"].steps == ("get",)
    assert found["web"].triggers == found["api"].triggers
    assert (found["web"].policy.retry["times"], found["web"].policy.retry["factor"]) == (1, 3)
    assert found["web"].source == "etc/schedules.d/web.json"


def test_a_time_rule_in_a_file_replaces_all_of_the_task(files: SettingsFiles) -> None:
    files.scheduler({"tasks": [{"plugins": ["web"], "intervalHours": 6, "afterFinish": True, "at": "08:00"}]})
    by_hand(files, "web.json", {"cron": "0 2 * * *"})

    assert [each["kind"] for each in schedules(files)["web"].triggers] == ["cron"]
    assert files.lines() == []


def test_a_file_beats_a_manifest(files: SettingsFiles) -> None:
    keys = {"mode": "interval", "defaultIntervalHours": 24, "cmd": "push"}
    files.manifest("web", {"id": "web", "commands": {"push": "true"}, "scheduler": keys})
    by_hand(files, "web.json", {"description": "x"})

    its = schedules(files)["web"]

    assert (its.steps, its.triggers[0]["seconds"], its.description) == (("push",), 86_400, "x")


BAD = [
    ("Bad Name.json", {}, "error: not the id of a schedule"),
    ("run.json", {}, "error: run is a word of sbctl itself"),
    ("web.json", {"plugin": "api", "at": "08:00"}, "error: plugin: the name of the file says web"),
    ("web.json", {"att": "08:00"}, "error: att: not a known key"),
    ("web.json", {"cron": "x"}, "error: cron: 'X' has 1 fields"),
    ("none.json", {"at": "08:00"}, "warning: there is no such plugin"),
    ("web.yaml", {"at": "08:00"}, "warning: a file of this name is not read"),
]


@pytest.mark.parametrize(("name", "keys", "message"), BAD)
def test_mistakes_in_a_file(files: SettingsFiles, name: str, keys: dict[str, Any], message: str) -> None:
    by_hand(files, name, keys)

    (line,) = files.lines()

    assert line.startswith(f"etc/schedules.d/{name}:")
    assert message in line


def test_what_is_wrong_is_said_of_the_file_that_says_it(files: SettingsFiles) -> None:
    files.scheduler({"tasks": [{"plugins": ["web"], "at": "08:00", "group": "none"}]})
    by_hand(files, "web.json", {"check": "none"})

    assert [line.partition(": error: ")[0::2] for line in files.lines()] == [
        ("etc/scheduler.json:8:16", "tasks.0.group: there is no none in groups"),
        ("etc/schedules.d/web.json:2:12", "check: there is no none in checks"),
    ]


def test_a_start_notices_a_changed_file(files: SettingsFiles) -> None:
    assert api.compile_home(files.home).ok
    before = revisions.read_compiled(files.home, "start")
    by_hand(files, "web.json", {"at": "08:00"})
    assert stale(before, files.home)
    assert api.compile_home(files.home).written
    compiled = revisions.read_compiled(files.home, "start")
    assert not stale(compiled, files.home)

    by_hand(files, "web.json", {"at": "09:00"})
    assert stale(compiled, files.home)


def test_an_undo_brings_files_back_and_takes_them_away(files: SettingsFiles) -> None:
    api.compile_home(files.home)
    assert not api.write_schedule(files.home, "web", {"at": "08:00"})
    api.compile_home(files.home)

    api.undo(files.home, 1)
    assert api.read_schedule_file(files.home, "web") is None
    api.undo(files.home, 2)
    assert api.read_schedule_file(files.home, "web") == {"at": "08:00"}


def test_a_schedule_is_written_and_removed(files: SettingsFiles) -> None:
    assert api.write_schedule(files.home, "web.night", {"at": "08:00", "description": "für alle"}) == []

    path = files.path / "etc" / "schedules.d" / "web.night.json"
    assert path.read_text() == '{\n  "format": 1,\n  "at": "08:00",\n  "description": "für alle"\n}\n'
    assert path.stat().st_mode & 0o777 == 0o644
    assert schedules(files)["web.night"].description == "für alle"
    assert api.read_schedule_file(files.home, "web.night") == {"at": "08:00", "description": "für alle"}

    assert api.remove_schedule(files.home, "web.night") == []
    assert not path.exists()
    assert os.listdir(path.parent) == []


def test_a_mistake_changes_nothing(files: SettingsFiles) -> None:
    (finding,) = api.write_schedule(files.home, "web", {"at": "25:00"})

    assert finding.headline().startswith("etc/schedules.d/web.json:3:9: error: at: must be a time of day")
    assert not (files.path / "etc" / "schedules.d").exists()

    assert not api.write_schedule(files.home, "web", {"at": "08:00"})
    assert api.write_schedule(files.home, "web", {"group": "none"})[0].is_error
    assert api.read_schedule_file(files.home, "web") == {"at": "08:00"}


def test_what_others_wait_for_is_not_removed(files: SettingsFiles) -> None:
    assert not api.write_schedule(files.home, "web", {"at": "08:00"})
    assert not api.write_schedule(files.home, "api", {"afterSchedule": "web"})

    (finding,) = api.remove_schedule(files.home, "web")

    assert finding.headline().startswith("etc/schedules.d/api.json:")
    assert api.read_schedule_file(files.home, "web") is not None


def test_a_broken_file_can_be_removed_or_replaced(files: SettingsFiles) -> None:
    by_hand(files, "web.json", {"at": "25:00"})
    (files.path / "etc" / "schedules.d" / "api.json").write_text("{")

    with pytest.raises(Problem) as caught:
        api.read_schedule_file(files.home, "api")
    assert "not JSON" in caught.value.what
    assert api.remove_schedule(files.home, "api")[0].file == "etc/schedules.d/web.json"
    assert api.write_schedule(files.home, "web", {"at": "08:00"})[0].file == "etc/schedules.d/api.json"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", ".x", "web.", "all", "Web", "web.a.b", "web\n"])
def test_no_path_is_made_of_what_is_no_id(files: SettingsFiles, name: str) -> None:
    for ask in (api.read_schedule_file, api.remove_schedule, lambda home, its: api.write_schedule(home, its, {})):
        with pytest.raises(Problem):
            ask(files.home, name)


def test_what_is_not_there_can_not_be_removed(files: SettingsFiles) -> None:
    with pytest.raises(Problem) as caught:
        api.remove_schedule(files.home, "web")
    assert caught.value.what == "there is no etc/schedules.d/web.json"
