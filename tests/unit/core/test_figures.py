"""Which figures a run keeps, where its steps report more than it has room for."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.core.figures import ASKED_FOR, MOST, keep, left_out
from supervisor.core.room import FIGURES, size_of


def numbers(count: int) -> dict[str, Any]:
    return {f"n{number}": number for number in range(count)}


def test_so_many_are_kept_and_no_more() -> None:
    kept: dict[str, Any] = {}
    keep(kept, numbers(MOST + 50))
    more = {"another": 1, "n0": -1}
    keep(kept, more)

    assert (len(kept), kept["n0"]) == (MOST, -1)
    assert left_out(kept, more) == "reported more than is kept: left out are 1 of its figures, another"


@pytest.mark.parametrize("letter", ["x", "\x1b", "\U0001f600"])
def test_so_long_they_are_together_as_they_are_noted(letter: str) -> None:
    kept: dict[str, Any] = {}
    for step in range(5):
        keep(kept, {f"{step}-{number}{letter * 150}": letter * 200 for number in range(30)})

    assert size_of(kept) <= FIGURES
    assert len(kept) == MOST or size_of(kept) > FIGURES - 2200


def test_what_gates_ask_for_always_has_room() -> None:
    kept: dict[str, Any] = {}
    keep(kept, numbers(MOST))
    keep(kept, {"more": 1, **dict.fromkeys(ASKED_FOR, 0.5)})

    assert len(kept) == MOST + len(ASKED_FOR)
    assert "more" not in kept


def test_an_old_value_never_stands_for_a_new_one_without_room() -> None:
    kept: dict[str, Any] = {"a": "old"}
    keep(kept, {f"n{number}": "x" * 198 for number in range(MOST - 1)})
    new = {"a": "x" * FIGURES}
    keep(kept, new)

    assert "a" not in kept
    assert left_out(kept, new)
