"""Gates on a run's own figures: what is wrong in words, "" when nothing is."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor.core.quality import accepted_after, data_gate, figure, is_standard, quality_gate


@pytest.mark.parametrize(
    ("metrics", "found"),
    [
        ({}, None),
        ({"data": 3}, 3.0),
        ({"count": 2.5}, 2.5),
        ({"data": "7", "records": 4}, 4.0),
        ({"data": True, "items": 5}, 5.0),
        ({"data": 0, "count": 9}, 0.0),
    ],
)
def test_the_first_name_that_is_a_number_counts(metrics: dict[str, Any], found: float | None) -> None:
    assert figure(metrics, ("data", "count", "records", "items")) == found


@pytest.mark.parametrize(
    ("safety", "metrics", "wrong"),
    [
        ({}, {}, ""),
        ({"min_data": None, "max_data": None}, {}, ""),
        ({"min_data": 5}, {"data": 5}, ""),
        ({"min_data": 5}, {"data": 4}, "too little data: 4, at least 5 wanted"),
        ({"max_data": 5}, {"data": 5}, ""),
        ({"max_data": 5}, {"data": 6}, "too much data: 6, at most 5 wanted"),
        ({"min_data": 0}, {"data": 0}, ""),
    ],
)
def test_the_amount_of_data(safety: dict[str, Any], metrics: dict[str, Any], wrong: str) -> None:
    assert data_gate(metrics, safety) == wrong


def test_a_limit_on_data_that_nobody_has_counted_is_a_failure_that_says_what_to_write() -> None:
    assert "$SB_RESULT_FILE" in data_gate({}, {"min_data": 1})
    assert "$SB_RESULT_FILE" in data_gate({}, {"max_data": 1})


@pytest.mark.parametrize(
    ("metrics", "accepted", "wrong"),
    [
        ({}, {}, ""),
        ({"quality": 0.7}, {}, ""),
        ({"quality": 0.69}, {}, "quality 0.69 is below 0.7"),
        ({"quality": 0.9, "validation": 0.8}, {}, "validation 0.8 is below 0.85"),
        ({"quality_score": 0.1}, {}, "quality 0.1 is below 0.7"),
        ({"quality": 0.8}, {"quality": 0.8}, ""),
        ({"quality": 0.8}, {"quality": 0.9}, "quality 0.8 is worse than 0.9, which was accepted last"),
        ({"quality": 0.9, "validation": 0.9}, {"validation": 0.95}, "validation 0.9 is worse than 0.95, "),
    ],
)
def test_quality(metrics: dict[str, Any], accepted: dict[str, Any], wrong: str) -> None:
    safety = {"quality": 0.7, "validation": 0.85, "rollback_on_degradation": True}

    found = quality_gate(metrics, safety, accepted)

    assert found.startswith(wrong)
    assert bool(found) is bool(wrong)


def test_worse_than_before_is_allowed_where_nobody_forbids_it() -> None:
    assert quality_gate({"quality": 0.8}, {"quality": 0.7}, {"quality": 0.9}) == ""


@pytest.mark.parametrize("said", ["nan", "null", "bad", True])
def test_quality_that_is_no_number_is_no_quality(said: object) -> None:
    """A model that has gone astray reports NaN: an open gate would push it."""
    wrong = quality_gate({"quality": said}, {"quality": 0.5}, {})
    assert wrong == f"quality is no number: {said}"


@pytest.mark.parametrize(
    ("metrics", "before", "expected"),
    [
        ({}, {"quality": 0.9, "rows": 1}, {"quality": 0.9, "rows": 1}),
        ({"quality": 0.8}, {"quality": 0.9, "rows": 1}, {"quality": 0.8}),
        ({"validation": 0.7}, {"quality": 0.9}, {"validation": 0.7, "quality": 0.9}),
        ({"quality_score": 0.8}, {"quality": 0.9}, {"quality_score": 0.8}),
        ({"2026-11-29": 1}, {"2026-11-28": 1}, {"2026-11-29": 1}),
    ],
)
def test_what_the_next_run_is_compared_with(
    metrics: dict[str, Any], before: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert accepted_after(metrics, before) == expected


@pytest.mark.parametrize(
    ("did", "whole", "expected"),
    [
        ("get process push", "get process push", True),
        ("process push", "get process push", True),
        ("get process", "get process push", False),
        ("process", "get process push", False),
        ("get process push", "get process", True),
        ("get process", "get process", True),
        ("process", "get process", False),
        ("get", "get", True),
        ("backup process", "backup process", True),
    ],
)
def test_only_what_went_out_or_a_whole_run_sets_the_standard(did: str, whole: str, expected: bool) -> None:
    assert is_standard(did.split(), whole.split()) is expected
