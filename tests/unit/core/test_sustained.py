"""Above a limit without a break."""

from __future__ import annotations

import pytest

from supervisor.core.sustained import Sustained, end_of_age, time_between_looks


def test_the_time_counts_from_the_first_look_above() -> None:
    sustained = Sustained()

    assert [
        sustained.look(above=above, now=now) for now, above in [(0, False), (10, True), (20, True), (35, True)]
    ] == [
        None,
        0,
        10,
        25,
    ]


def test_one_look_below_is_a_break() -> None:
    sustained = Sustained()
    sustained.look(above=True, now=0)

    assert sustained.look(above=False, now=29) is None
    assert sustained.look(above=True, now=30) == 0
    assert sustained.look(above=True, now=31) == 1


@pytest.mark.parametrize(("spans", "between"), [([], 10), ([300], 10), ([30], 10), ([60, 12], 4), ([0], 1), ([2.4], 1)])
def test_looks_come_three_times_in_the_shortest_span(spans: list[float], between: float) -> None:
    assert time_between_looks(spans) == between


@pytest.mark.parametrize(("drawn", "due"), [(0.0, 190.0), (0.5, 200.0), (1.0, 210.0)])
def test_an_age_ends_sooner_or_later_by_its_spread(drawn: float, due: float) -> None:
    assert end_of_age(100.0, 100.0, 0.1, drawn) == pytest.approx(due)
    assert end_of_age(100.0, 100.0, 0.0, drawn) == pytest.approx(200.0)
