"""Who has kept its process is looked at, and said."""

from __future__ import annotations

import pytest

from supervisor.cli.ran_on import told


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, ", 2 servers ran on"),
        ({"a": 1}, {"a": 1, "new": 9}, ", 1 server ran on"),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, ", 1 of 2 servers ran on, not b: sbctl why b"),
        ({"a": 1, "b": 2}, {}, ", 0 of 2 servers ran on, not a, b: sbctl why a"),
        ({}, {}, ""),
        (None, {"a": 1}, ""),
        ({"a": 1}, None, ""),
    ],
)
def test_what_is_said(before: dict[str, int] | None, after: dict[str, int] | None, text: str) -> None:
    assert told(before, after) == text
