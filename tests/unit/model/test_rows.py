"""Each row is one line of text with a field for each column, whatever is missing or was written by a program."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from supervisor.model.rows import COLUMNS, FIELDS, clean, encode_rows

FULL: dict[str, Any] = {
    "name": "web", "kind": "plugin", "state": "running", "desired": "up", "pid": 4711, "uptime_s": 12.5, "restarts": 0,
    "ready": None, "detail": "", "cpu_percent": 0.0, "memory_bytes": 1, "threads": 1, "processes": 0,
}  # fmt: skip
SUMMARY = {"state": "running", "pid": 1, "started": 1.0, "wall": 2.0, "ticks": 3}


def line(row: dict[str, Any]) -> list[str]:
    _head, text = encode_rows("scheduler", SUMMARY, [row]).decode("utf-8", "surrogateescape").split("\n")
    return text.split("\t")


def shown(value: object) -> str:
    return {None: "", True: "yes", False: "no"}[value] if value is None or isinstance(value, bool) else str(value)


def test_a_field_for_each_column() -> None:
    assert line(FULL) == ["web", "plugin", "running", "up", "4711", "12.5", "0", "", "", "0.0", "1", "1", "0"]


@pytest.mark.parametrize("missing", [names for count in (1, 2) for names in itertools.combinations(COLUMNS, count)])
def test_what_is_not_known_is_empty(missing: tuple[str, ...]) -> None:
    row = {**FULL, **dict.fromkeys(missing)}

    assert line(row) == [shown(row[name]) for name in COLUMNS]


@pytest.mark.parametrize("ready", [None, True, False])
def test_what_start_keeps_says_less(ready: bool | None) -> None:
    row = {name: FULL[name] for name in FIELDS} | {"ready": ready}

    assert line(row) == [shown(row.get(name)) for name in COLUMNS]
    assert line({**FULL, "ready": ready})[7] == shown(ready)


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "\x1b[31m", "\u202e", "\udc80", "\u2028", "plain ä"])
@pytest.mark.parametrize("where", ["name", "detail"])
def test_nothing_breaks_the_form(where: str, text: str) -> None:
    row = {**FULL, where: text}

    assert line(row) == [clean(text) if name == where else shown(row[name]) for name in COLUMNS]
    assert line(row)[COLUMNS.index(where)].isprintable()
