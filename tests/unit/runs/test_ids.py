"""Names of runs: short, in order of time, and never given twice."""

from __future__ import annotations

from support.desk import AT

from supervisor.runs.run import Ids, mark_of


def test_names_sort_by_time_even_a_thousand_in_one_moment() -> None:
    ids = Ids(mark_of(bytes(4)))
    names = [ids.draw(AT) for _ in range(1000)] + [ids.draw(AT + 1)]

    assert names == sorted(set(names))


def test_a_clock_that_is_set_back_gives_no_name_again() -> None:
    ids = Ids("abc")
    assert len({ids.draw(AT + second) for second in (0, 1, 2, 0, 1, 2)}) == 6


def test_two_schedulers_at_one_moment_give_two_names() -> None:
    marks = [mark_of(number.to_bytes(4, "big")) for number in range(2000)]

    assert len(set(marks)) == 2000
    assert {len(mark) for mark in marks} == {3}
    assert len({Ids(mark).draw(AT) for mark in marks}) == 2000
