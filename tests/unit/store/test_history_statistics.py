"""Figures about durations."""

from __future__ import annotations

import pytest

from supervisor.store.statistics import figures, judge, longest_usual, percentile


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.01, 1), (0.5, 50), (0.501, 51), (0.95, 95), (0.99, 99), (1.0, 100)]
)
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile(range(1, 101), share) == value


def test_a_single_value_is_every_percentile() -> None:
    assert figures([7]) == {"count": 1, "avg_ms": 7, "p50_ms": 7, "p95_ms": 7}


def test_no_values_have_no_figures() -> None:
    assert figures([]) == {"count": 0, "avg_ms": None, "p50_ms": None, "p95_ms": None}
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_the_order_of_the_values_does_not_matter() -> None:
    assert figures([30, 10, 20, 100]) == {"count": 4, "avg_ms": 40, "p50_ms": 20, "p95_ms": 100}


@pytest.mark.parametrize(
    ("took", "verdict"),
    [(60_000, ""), (120_000, ""), (120_001, "too_long"), (6_000, ""), (5_999, "too_short"), (0, "too_short")],
)
def test_out_of_the_ordinary(took: int, verdict: str) -> None:
    assert judge(took, [60_000] * 10) == verdict


def test_short_runs_are_never_out_of_the_ordinary_by_seconds() -> None:
    assert judge(10_050, [50] * 10) == ""
    assert judge(0, [9_000] * 10) == ""


def test_with_few_runs_nothing_is() -> None:
    assert judge(10**9, [1] * 9) == ""
    assert longest_usual([1] * 9) is None
