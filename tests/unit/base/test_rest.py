"""Whether anybody is left, for the price of one look at each."""

from __future__ import annotations

import random

import pytest

from supervisor.base.rest import Rest

MANY = 1000


class Looks:
    """Counts how often it was looked at one."""

    def __init__(self) -> None:
        self.there = set(range(MANY))
        self.count = 0

    def is_there(self, one: int) -> bool:
        self.count += 1
        return one in self.there


@pytest.mark.parametrize("order", ["first to last", "last to first", "any"])
def test_each_is_looked_at_a_few_times_in_whatever_order_they_leave(order: str) -> None:
    looks = Looks()
    rest = Rest(lambda: range(MANY), looks.is_there)
    leaving = list(range(MANY))
    if order == "any":
        random.Random(1).shuffle(leaving)
    elif order == "last to first":
        leaving.reverse()

    for one in leaving:
        assert rest.anybody()
        looks.there.discard(one)

    assert not rest.anybody()
    assert looks.count < 5 * MANY


def test_whoever_comes_back_or_comes_new_is_seen() -> None:
    looks = Looks()
    rest = Rest(lambda: range(MANY), looks.is_there)
    looks.there = {3}
    assert rest.anybody()

    looks.there = {7}
    assert rest.anybody()
    looks.there = set()
    assert not rest.anybody()
    looks.there = {3}
    assert rest.anybody()
