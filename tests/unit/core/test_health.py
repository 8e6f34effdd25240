"""So many in a row, and when a probe is asked again."""

from __future__ import annotations

import pytest

from supervisor.core.health import FIRST_S, Health, Turn, after, in_a_row, in_step, offset, pause


def turns(answers: str, *, well: bool, failures: int = 3, successes: int = 2) -> list[str]:
    """What each answer (`+` or `-`) has changed."""
    health, told = Health(well=well), []
    for answer in answers:
        health, turn = after(health, ok=answer == "+", failures=failures, successes=successes)
        told.append(turn.value)
    return told


@pytest.mark.parametrize(
    ("answers", "well", "expected"),
    [
        ("++", False, ["", "well"]),
        ("+-++", False, ["", "", "", "well"]),
        ("-----", False, [""] * 5),  # what never was well can't become unwell
        ("---", True, ["", "", "unwell"]),
        ("--+--", True, [""] * 5),
        ("---++", True, ["", "", "unwell", "", "well"]),
        ("---+-++---", True, ["", "", "unwell", "", "", "", "well", "", "", "unwell"]),
        ("------", True, ["", "", "unwell", "", "", ""]),  # said once
    ],
)
def test_only_so_many_in_a_row_turn_it(answers: str, well: bool, expected: list[str]) -> None:
    assert turns(answers, well=well) == expected


def test_a_health_is_never_changed_in_place() -> None:
    old = Health(well=True)
    new, turn = after(old, ok=False, failures=1, successes=1)

    assert turn is Turn.UNWELL
    assert (old, new) == (Health(well=True), Health(well=False, failed=1))


def test_tries_come_quickly_at_first_and_never_more_slowly_than_the_interval() -> None:
    pauses = [pause(tries, 1.0) for tries in range(8)]

    assert pauses == [0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0, 1.0]
    assert pause(0, 0.005) == 0.005
    assert pause(10_000, 10.0, FIRST_S) == 10.0


def test_each_name_has_its_place_in_the_interval() -> None:
    places = [offset(f"server-{number}", 10.0) for number in range(100)]

    assert places == [offset(f"server-{number}", 10.0) for number in range(100)]
    tenths = [sum(int(place) == second for place in places) for second in range(10)]
    assert sum(tenths) == 100
    assert max(tenths) < 30


@pytest.mark.parametrize("interval", [1e-310, 0.05, 0.3, 1.0, 10.0, 25.5, 30.4, 61.0, 3600.0])
def test_whoever_goes_from_place_to_place_keeps_the_interval(interval: float) -> None:
    first = due = in_step(1000.0, interval)
    for _ in range(100):
        due = in_step(due + interval + min(interval / 100, 0.3), interval)  # a little late each time

    if interval >= 0.1:
        assert due - first == pytest.approx(100 * interval)
    assert due >= first


def test_places_are_few() -> None:
    for interval, most in ((0.5, 20), (10.0, 20), (30.0, 30), (300.0, 300)):
        places = {
            round(in_step(number * 0.1237, interval) % interval, 6) % round(interval, 6) for number in range(20_000)
        }
        assert len(places) <= most


def test_numbers_are_said_only_where_there_are_several() -> None:
    assert in_a_row("answered 500", 3) == "answered 500, 3 times in a row"
    assert in_a_row("answered 500", 1) == "answered 500"
