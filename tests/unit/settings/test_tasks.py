"""Schedules against the plugins that they name."""

from __future__ import annotations

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.settings.steps import is_typo


def tasks(files: SettingsFiles, *found: dict[str, object]) -> list[tuple[str, str]]:
    files.scheduler({"tasks": [{"intervalHours": 6, **each} for each in found]})
    return [(f"{finding.level} {finding.path}: {finding.message}", finding.remedy) for finding in files.check()]


def test_the_same_schedule_twice_asks_for_a_name(files: SettingsFiles) -> None:
    for name in ("web", "api"):
        files.manifest(name, {"id": name, "commands": {"get": "true"}})
    both = {"plugins": ["web", "api"]}

    assert tasks(files, both, {"plugins": ["api"]}) == [
        ("error tasks.1.plugins.0: the schedule api is also in tasks.0", "give one of the two tasks a name of its own")
    ]
    assert tasks(files, both, {**both, "name": "night"}, {"plugins": ["web"], "name": "night"}) == [
        ("error tasks.2.plugins.0: the schedule web.night is also in tasks.1", "give one of the two tasks another name")
    ]
    assert tasks(files, {"plugins": ["web", "web"]}) == [
        ("error tasks.0.plugins.1: web is in this list twice", "remove one of the two")
    ]
    assert tasks(files, both, {**both, "name": "night"}) == []


def test_no_plugin_that_can_not_be_is_asked_for(files: SettingsFiles) -> None:
    assert [remedy for _, remedy in tasks(files, {"plugins": ["Bad Name", "all"]})] == [
        "remove it here: no plugin can have this name"
    ] * 2


def test_schedules_of_what_is_not_there_are_warnings(files: SettingsFiles) -> None:
    files.manifest("web", {"id": "web", "commands": {"get": "true"}})
    files.manifest("api", {"id": "api", "commands": {"push": "true"}})
    files.manifest("broken", "{")
    named = ["web", "api", "gone", "broken"]

    assert tasks(files, {"plugins": named, "commands": ["get", "push", "backup"]})[1:] == [
        ("warning tasks.0.plugins.2: there is no such plugin", "make plugins/gone/manifest.json, or remove it here"),
        (
            "warning tasks.0.commands.0: api: no command get",
            "add commands.get to plugins/api/manifest.json, or leave it out here",
        ),
        (
            "warning tasks.0.commands.1: web: no command push",
            "add commands.push to plugins/web/manifest.json, or leave it out here",
        ),
        (
            "warning tasks.0.commands.2: api, web: no command backup",
            "add commands.backup to plugins/api/manifest.json, or leave it out here",
        ),
    ]
    assert tasks(files, {"plugins": ["web"], "commands": "gte"})[1:] == [
        ("warning tasks.0.commands: web: no command gte", "did you mean get?")
    ]


def test_a_plugin_that_has_nothing_to_run_gets_no_schedule(files: SettingsFiles) -> None:
    files.manifest("web", {"id": "web", "commands": {"sync": "true"}})

    assert tasks(files, {"plugins": ["web"]}) == [
        (
            "warning tasks.0.plugins.0: this plugin has none of the commands get, process and push: no schedule",
            'add one of them to plugins/web/manifest.json: name others of it in "commands" (sync)',
        )
    ]
    assert files.document("scheduler")["schedules"]["schedules"] == []


def test_a_command_twice_is_an_error(files: SettingsFiles) -> None:
    files.manifest("web", {"id": "web", "commands": {"get": "true"}})

    assert tasks(files, {"plugins": ["web"], "commands": ["get", "get"]}) == [
        ("error tasks.0.commands: get is in this list twice", "remove one of the two")
    ]


@pytest.mark.parametrize(
    ("name", "known"),
    [("gte", "get"), ("prcess", "process"), ("proccess", "process"), ("pussh", "push"), ("rol-back", "rollback"),
     ("Push", "push"), ("servre", "server"), ("backpu", "backup")],
)  # fmt: skip
def test_slips_of_the_finger_are_found(name: str, known: str) -> None:
    assert is_typo(name, known)


@pytest.mark.parametrize("name", ["set", "sync", "publish", "push2", "get-all", "report", "fetch", "test", "post"])
def test_other_words_are_no_slips(name: str) -> None:
    assert not any(is_typo(name, known) for known in ("server", "get", "process", "push", "backup", "rollback"))
