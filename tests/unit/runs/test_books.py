"""Ends wait for processes that are being made, but not for long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.fakes import FakeLoop

from supervisor.runs.books import LONGEST_S, Books


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
