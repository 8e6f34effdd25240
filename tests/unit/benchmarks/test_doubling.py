"""Growth: the cost of twice as many, to that of half of them."""

from __future__ import annotations

import pytest

from benchmarks.doubling import Doubling, table

MOST = 2.1


def a_series(*costs: float, first: int = 125) -> Doubling:
    series = Doubling("start", "s")
    for number, cost in enumerate(costs):
        series.add(first << number, cost * 0.5, cost, cost * 5)  # a median: one odd value says nothing
        series.add(first << number, cost * 3)  # and neither does a round that was disturbed
    return series


def test_what_is_fixed_makes_a_doubling_cheaper_but_is_not_seen_in_the_slope() -> None:
    series = a_series(2.0, 3.0, 5.0, 9.0)  # 1 + N

    assert series.ratios == pytest.approx([1.5, 5 / 3, 1.8])
    assert series.slope == pytest.approx(2.0)


def test_the_worst_doubling_is_judged() -> None:
    figure = table("Growth", "growth", [a_series(1.0, 2.0, 4.0), a_series(1.0, 4.0, 8.0)], MOST)

    linear, worse = figure.rows
    assert [linear.median, worse.median] == pytest.approx([2.0, 4.0])
    assert [figure.verdict(row) for row in (linear, worse)] == ["ok", "over"]
    assert "1 s of 125, 4 s of 250, 8 s of 500" in worse.note


def test_a_number_that_was_not_measured_leaves_no_ratio() -> None:
    series = a_series(1.0)

    assert series.ratios == []
    assert series.slope is None
    assert table("Growth", "growth", [series], MOST).rows == []
