"""Words about a schedule: which slot a typed time means, and how long its runs usually take."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.base.zones import zone
from supervisor.cli.schedule_story import _asked, _slot
from supervisor.cli.schedule_view import _runs, _usual
from supervisor.cli.table import Style
from supervisor.cli.times import parse_iso


def slot(nominal: str, nominal_to: str | None = None, due: str | None = None) -> dict[str, Any]:
    return {"nominal": f"2026-11-28T{nominal}Z", "nominal_to": nominal_to and f"2026-11-28T{nominal_to}Z",
            "due": due and f"2026-11-28T{due}Z"}  # fmt: skip


SLOTS = [
    slot("10:24:51.000"),
    slot("10:24:35.000"),
    slot("10:20:00.000", due="10:23:07.000"),
    slot("09:00:00.000", "09:30:00.000"),
]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("10:24:35.000", 1),  # to the second: that one, and not a newer one near it
        ("10:24:51.000", 0),
        ("10:24:00.000", 1),  # to the minute: the nearest
        ("10:23:07.000", 2),  # what `next` had shown: when it was due
        ("10:20:00.000", 2),
        ("09:12:13.000", 3),  # within a stretch
        ("08:00:00.000", None),
        ("10:24:40.000", None),
    ],
)
def test_the_slot_that_a_time_means(asked: str, meant: int | None) -> None:
    found = _asked(SLOTS, f"2026-11-28T{asked}Z")
    assert found == ([] if meant is None else [SLOTS[meant]])


@pytest.mark.parametrize(
    ("note", "text"),
    [
        ("paused since 08:30 by anna, until 09:30", "paused (paused since 08:30 by anna, until 09:30)"),
        ("3 failures", "paused, until 09:30 (3 failures)"),
        (None, "paused, until 09:30"),
    ],
)
def test_until_when_a_slot_was_held_is_said_once(note: str | None, text: str) -> None:
    held = {**slot("09:00:00.000"), "outcome": "skipped", "reason": "paused", "note": note}
    held["until"] = "2026-11-28T09:30:00.000Z"
    now = parse_iso("2026-11-28T09:10:00.000Z")
    assert now is not None
    assert _slot(held, {}, zone("UTC"), now, Style(colour=False)) == f"09:00  skipped: {text}"


def test_without_a_time_none_is_meant() -> None:
    assert _asked(SLOTS, None) == []


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((0, 0, 0, 0), "none yet"),
        ((4, 0, 4, 4), "4: 0% of 4 went well, 4 failed in a row"),
        ((10, 9, 1, 0), "10: 90% of 10 went well"),
        ((10, 3, 1, 1), "10: 75% of 4 went well, 6 cancelled or cut off"),
        ((2, 0, 0, 0), "2: 2 cancelled or cut off"),
    ],
)
def test_what_became_of_its_runs(counts: tuple[int, ...], text: str) -> None:
    names = ("total_runs", "successful_runs", "failed_runs", "consecutive_failures")
    assert _runs(dict(zip(names, counts, strict=True))) == text


def test_how_long_its_runs_take() -> None:
    usual = {"p50_s": 41.2, "p95_s": 3.25, "average_s": 95.0, "runs": 7}
    assert _usual(usual) == "41s (p50), 3.2s (p95), 1m 35s on average, of the last 7 that succeeded"
    assert _usual(None) == ""
