"""Whatever stands where a value is expected, there is a finding with a place and a remedy, never an exception."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.settings.api import json_schema
from supervisor.settings.reference import _choices

ODD: list[Any] = [
    [], {}, "", "x\n", "é", 0, -1, 1.5, 10**18, True, [[]], [{}], {"": 1}, "unix:", "http://[", "200-", ["a", 1],
    {"command": {}},
]  # fmt: skip


def paths(root: dict[str, Any], schema: dict[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Of every key below, at any depth; a step into a list is `0`."""
    for name, value in schema.get("properties", {}).items():
        yield (*prefix, name)
        for choice in _choices(root, value):
            yield from paths(root, choice, (*prefix, name))
            for item in _choices(root, choice.get("items", {})):
                yield from paths(root, item, (*prefix, name, "0"))


def nested(path: tuple[str, ...], value: Any) -> Any:
    for step in reversed(path):
        value = [value] if step == "0" else {step: value}
    return value


SCHEMA = json_schema("manifest.json")
PATHS = sorted(set(paths(SCHEMA, SCHEMA["$defs"]["ServerPolicy"])))


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_every_key_of_a_server_with_odd_values(files: SettingsFiles, path: tuple[str, ...]) -> None:
    good = 0
    for value in ODD:
        files.server("web", server=nested(path, value))
        found = files.check()
        assert all(each.line and each.remedy and each.path.startswith("server") for each in found), (value, found)
        good += not found
    assert good < len(ODD)


def test_there_are_many() -> None:
    assert len(PATHS) > 80
    assert ("requires", "0", "condition") in PATHS
