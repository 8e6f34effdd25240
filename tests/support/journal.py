"""The journal, read back and looked over: whoever is killed in the midst of a write leaves the start of a line,
which the next one ends. Nothing else may be torn."""

from __future__ import annotations

import json
import re
from typing import Any

_EPOCH = re.compile(r'\{"seq":"(\d+)\.')


def read(text: str) -> list[dict[str, Any]]:
    """The events of `text`, oldest first, without a last line that is still being written."""
    lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
    events: list[dict[str, Any]] = []
    for number, line in enumerate(lines):
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:
            rest = lines[number + 1 :]
            assert not rest or _by_another(line, rest[0]), f"a torn line whose writer went on: {line!r}, {rest[0]!r}"
    return events


def _by_another(torn: str, after: str) -> bool:
    """Did another daemon write `after`? A line that was torn before its number tells nothing."""
    before, behind = _EPOCH.match(torn), _EPOCH.match(after)
    return before is None or behind is None or before[1] != behind[1]
