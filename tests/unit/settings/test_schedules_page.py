"""The examples in docs/schedules.md are settings."""

from __future__ import annotations

import json
import re
from pathlib import Path

from unit.settings.settings_files import SettingsFiles

from supervisor.settings.safety_keys import LEVELS
from supervisor.settings.schedule_keys import ScheduleKeys

PAGE = (Path(__file__).parents[3] / "docs" / "schedules.md").read_text()


def test_the_examples_are_without_a_finding(files: SettingsFiles) -> None:
    for name in ("twitter", "instagram", "reports"):
        files.manifest(name, {"id": name, "commands": {"get": "true", "process": "true", "push": "true"}})
    blocks = [text for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) if text.startswith("{")]

    assert len(blocks) == 2
    for block in blocks:
        files.scheduler(json.loads(block))
        assert files.lines() == []


def test_the_levels_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)`[^|]*\| ([\d.]+) \| ([\d.]+) \| (\d+) \| (\d+) h \|$", PAGE, re.MULTILINE)

    assert {row[0]: tuple(map(float, row[1:])) for row in rows} == LEVELS


def test_the_keys_are_those_of_the_code() -> None:
    known = {field.alias for field in ScheduleKeys.model_fields.values()}
    shown = set(re.findall(r"`([a-z]+[A-Z]\w+)`", PAGE))

    assert shown - known <= {"killOther", "queueOne", "queueAll", "cancelOther", "delaySeconds"}
