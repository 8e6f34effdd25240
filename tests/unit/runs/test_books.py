"""Ends wait for processes that are being made, but not for long."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from support.fakes import FakeLoop

from supervisor.runs.books import LONGEST_S, SLICE_S, Books


class World:
    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.rests = False
        self.books = Books(self.loop, (self._rest,))
        self.heard: list[str] = []

    def _rest(self, rests: bool) -> None:
        assert rests is not self.rests
        self.rests = rests

    def put(self, name: str) -> None:
        self.books.put(lambda: self.heard.append(name))


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.loop.close()


def test_alone_it_is_heard_at_once(world: World) -> None:
    world.put("a")
    assert world.heard == ["a"]


def test_it_waits_for_the_last_answer(world: World) -> None:
    for key in ("one", "two"):
        world.books.asked(key)
    world.put("a")
    world.books.answered("one")
    world.put("b")
    world.loop.run_soon()
    assert world.heard == []
    assert world.rests

    world.books.answered("two")
    world.loop.run_soon()
    assert world.heard == ["a", "b"]
    assert not world.rests
    world.loop.pass_time(1)
    assert world.heard == ["a", "b"]


def test_it_does_not_wait_for_ever(world: World) -> None:
    world.books.asked("never")
    world.put("a")
    world.loop.pass_time(LONGEST_S * 0.9)
    world.put("b")
    assert world.heard == []
    world.loop.pass_time(LONGEST_S * 0.2)
    assert world.heard == ["a", "b"]

    world.put("c")
    world.books.asked("another")
    world.put("d")
    assert world.heard == ["a", "b", "c", "d"]
    assert not world.rests

    world.books.answered("never")
    world.books.answered("another")
    world.books.asked("later")
    world.put("e")
    assert world.rests
    assert world.heard == ["a", "b", "c", "d"]
    world.books.answered("later")
    world.loop.run_soon()
    assert world.heard == ["a", "b", "c", "d", "e"]


def test_a_beginning_in_between_keeps_the_order(world: World) -> None:
    world.books.asked("one")
    world.put("a")
    world.books.answered("one")
    world.put("b")  # before `a` was heard in the next turn
    world.loop.run_soon()

    assert world.heard == ["a", "b"]


def slow(world: World, *names: str) -> None:
    """Each takes a slice."""

    def take(name: str) -> None:
        world.heard.append(name)
        world.loop.fake.time += SLICE_S

    for name in names:
        world.books.put(partial(take, name))


def test_many_are_done_in_slices_with_turns_of_the_loop_between(world: World) -> None:
    world.books.asked("one")
    slow(world, "a", "b", "c")
    world.books.answered("one")
    heard: list[list[str]] = []
    for _ in range(4):
        world.loop.turn(0)
        heard.append(list(world.heard))
    assert heard == [["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c"]]


def test_what_comes_between_two_slices_waits_for_those_before(world: World) -> None:
    world.books.asked("one")
    slow(world, "a", "b")
    world.books.answered("one")
    world.loop.turn(0)
    world.put("c")
    assert world.heard == ["a"]

    world.loop.turn(0)
    world.loop.turn(0)
    assert world.heard == ["a", "b", "c"]
    world.put("d")
    assert world.heard[-1] == "d"


def test_beginnings_between_two_slices_stop_only_what_comes_after_them(world: World) -> None:
    world.books.asked("one")
    slow(world, "a", "b")
    world.books.answered("one")
    world.loop.turn(0)
    world.books.asked("two")
    world.put("c")
    for _ in range(3):
        world.loop.turn(0)
    assert world.heard == ["a", "b"]
    assert world.rests

    world.books.answered("two")
    world.loop.turn(0)
    assert world.heard == ["a", "b", "c"]


def test_who_asks_between_two_slices_has_all_of_it(world: World) -> None:
    world.books.asked("one")
    slow(world, "a", "b", "c")
    world.books.answered("one")
    world.loop.turn(0)
    world.books.keep()
    assert world.heard == ["a", "b", "c"]
    world.loop.turn(0)
    assert world.heard == ["a", "b", "c"]
