"""Keys that would change nothing, or harm: each is said, and what would give it an effect keeps quiet."""

from __future__ import annotations

from typing import Any

import pytest
from unit.settings.settings_files import SettingsFiles

PORT = {"tcp": 8080}
TOLD = {"intervalSeconds": 1, "timeoutSeconds": 1, "successes": 2, "graceSeconds": 1}

# What stands under "server"; what is said of which keys; what beside it makes it right ({}: nothing can).
USELESS: list[tuple[dict[str, Any], str, list[str], str, dict[str, Any]]] = [
    ({"limits": {"memorySeconds": 3}}, "warning", ["limits.memorySeconds"], "without memoryMb", {"memoryMb": 9}),
    ({"limits": {"cpuSeconds": 3}}, "warning", ["limits.cpuSeconds"], "without cpuPercent", {"cpuPercent": 9}),
    ({"limits": {"onExceed": "warn"}}, "warning", ["limits.onExceed"], "without memoryMb or", {"cpuPercent": 9}),
    ({"limits": {"onExceed": "warn", "maxAgeHours": 1}}, "warning", ["limits.onExceed"], "without", {"memoryMb": 9}),
    (
        {"limits": {"maxAgeSpreadPercent": 3}},
        "warning",
        ["limits.maxAgeSpreadPercent"],
        "without maxAgeHours",
        {"maxAgeHours": 9},
    ),
    ({"limits": {"ifRefused": "start"}}, "warning", ["limits.ifRefused"], "there is no limit that", {"coreMb": 0}),
    (
        {"limits": {"ifRefused": "start", "cgroup": {}}},
        "warning",
        ["limits.cgroup", "limits.ifRefused"],
        "there is no limit",
        {"cgroup": {"memoryMb": 64}},
    ),
    ({"stop": {"commandSeconds": 3}}, "warning", ["stop.commandSeconds"], "there is no command", {"command": "true"}),
    ({"stop": {"signal": "SIGCONT"}}, "warning", ["stop.signal"], "SIGCONT ends no program", {}),
    ({"stop": {"signals": [{"signal": "winch"}]}}, "warning", ["stop.signals"], "winch ends no program", {}),
    ({"waitFor": {"timeoutSeconds": 3}}, "warning", ["waitFor.timeoutSeconds"], "there is nothing", {"files": ["x"]}),
    ({"ready": {"notify": True, **TOLD}}, "warning", [f"ready.{key}" for key in sorted(TOLD)], "a notify check", {}),
    ({"ready": {"log": "up", **TOLD}}, "warning", [f"ready.{key}" for key in sorted(TOLD)], "a log check", {}),
    ({"startTimeoutSeconds": 5}, "warning", ["startTimeoutSeconds"], "it counts only until", {"ready": PORT}),
    ({"critical": True, "retryFailedMinutes": 5}, "warning", ["critical"], "there is no try after", {}),
    ({"restart": "never", "noRestartCodes": [3]}, "warning", ["noRestartCodes"], "it is never restarted", {}),
    ({"log": {"sink": "none", "stderr": "separate"}}, "error", ["log.stderr"], "there is no output", {}),
    (
        {"instances": 2, "waitFor": {"portsFree": [8080]}},
        "error",
        ["waitFor.portsFree"],
        "all instances wait for the same port: when web:1 listens there, web:2 waits for ever",
        {},
    ),
    ({"limits": {"openFiles": 15}}, "error", ["limits.openFiles"], "must be from 16 to 1000000000 (no program", {}),
]


@pytest.mark.parametrize(("keys", "level", "paths", "words", "missing"), USELESS)
def test_said_with_a_remedy(
    files: SettingsFiles, keys: dict[str, Any], level: str, paths: list[str], words: str, missing: dict[str, Any]
) -> None:
    files.server(server=keys)
    found = files.check()
    assert sorted(each.path for each in found) == [f"server.{path}" for path in paths]
    for each in found:
        assert each.level == level
        assert each.message.startswith(words)
        assert each.remedy
        assert each.line > 1
    if missing:
        name = next(iter(keys))
        inner = {name: {**keys[name], **missing}} if isinstance(keys[name], dict) else {**keys, **missing}
        files.server(server=inner)
        assert files.check() == []


@pytest.mark.parametrize(
    "keys",
    [
        {"stop": {"signals": [{"signal": "CONT", "seconds": 1}, {"signal": "TERM"}]}},
        {"instances": 1, "waitFor": {"portsFree": [8080]}},
        {"limits": {"openFiles": 16}},
        {"restart": "never", "noRestartCodes": []},
        {"log": {"sink": "syslog", "stderr": "separate"}},
        {"ready": {**PORT, **TOLD}, "startTimeoutSeconds": 5},
    ],
)
def test_what_has_an_effect_is_not_blamed(files: SettingsFiles, keys: dict[str, Any]) -> None:
    files.server(server=keys)
    assert files.check() == []


def test_both_files_count_together(files: SettingsFiles) -> None:
    files.server("db")
    files.server(server={"limits": {"memoryMb": 99}, "requires": ["db"]})
    files.scheduler({"servers": {"web": {"limits": {"memorySeconds": 3}, "waitFor": {"timeoutSeconds": 9}}}})
    assert files.check() == []
