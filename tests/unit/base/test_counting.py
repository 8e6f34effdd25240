"""One of something is not many."""

from __future__ import annotations

import pytest

from supervisor.base.counting import counted


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (1, "server", "1 server"),
        (0, "server", "0 servers"),
        (2, "fast crash", "2 fast crashes"),
        (1, "fast crash", "1 fast crash"),
        (21, "day", "21 days"),
    ],
)
def test_numbers_of_things(count: int, noun: str, text: str) -> None:
    assert counted(count, noun) == text
