"""Hundreds of services that need one another: what is done for each event must not grow with all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from support.fakes import FakeWorld, spec

from supervisor.core.order import blocked
from supervisor.engine import gate
from supervisor.engine.view import Settling
from supervisor.model.order import Need, Order
from supervisor.model.service import Phase, Spec

MANY = 500


@pytest.fixture
def world() -> Iterator[FakeWorld]:
    world = FakeWorld()
    yield world
    world.loop.close()


def chain(*, backwards: bool = False) -> list[Spec]:
    specs = []
    for number in range(MANY):
        one = spec(f"s{number:03}", gated=True)
        one.order = Order(requires=(Need(f"s{number - 1:03}"),) if number else ())
        specs.append(one)
    return specs[::-1] if backwards else specs


@pytest.mark.parametrize("backwards", [False, True])
def test_a_long_chain_is_loaded_in_no_time(world: FakeWorld, backwards: bool) -> None:
    specs = chain(backwards=backwards)
    began = time.process_time()
    world.engine.load(specs)

    assert time.process_time() - began < 1.0  # it takes a tenth of that on a machine with nothing else to do
    assert {service.state.phase for service in world.engine.services.values()} == {Phase.WAITING}


def test_the_end_of_the_first_of_a_long_chain_reaches_the_last(world: FakeWorld) -> None:
    world.engine.load(chain())
    for number in range(MANY):
        world.loop.run_soon()
        world.engine.spawned(f"s{number:03}.1", 4242, 1)
    world.loop.pass_time(60)
    world.spawner.take()

    began = time.process_time()
    along = world.engine.stops.stop(["s000"])

    assert time.process_time() - began < 1.0
    assert len(along) == MANY - 1
    assert [words[1] for words in world.spawner.take() if words[0] == "signal"] == [f"s{MANY - 1}.1"]


@pytest.mark.parametrize("number", [50, 200])
def test_with_each_that_comes_up_only_those_behind_it_are_asked_what_is_in_their_way(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(gate, "blocked", lambda order, look: asked.append(order) or blocked(order, look))
    world.engine.load(chain()[:number])
    for at in range(number):
        world.loop.run_soon()
        world.engine.spawned(f"s{at:03}.1", 4242, 1)

    assert {service.state.phase for service in world.engine.services.values()} == {Phase.RUNNING}
    assert len(asked) <= 6 * number


@pytest.mark.parametrize("backwards", [False, True])
def test_whoever_waits_for_a_long_chain_is_answered(world: FakeWorld, backwards: bool) -> None:
    answers: list[bool] = []
    world.engine.load(chain(backwards=backwards))
    world.loop.run_soon()
    Settling(world.engine, [f"s{MANY - 1}"], 100.0, 0.3, answers.append)
    Settling(world.engine, None, 100.0, 0.3, answers.append)
    world.loop.run_soon()
    assert answers == []  # the first of all is on its way

    began = time.process_time()
    world.engine.exited("s000.1", 256, True)
    world.loop.run_soon()

    assert answers == [True, True]  # it tries again: who knows when
    assert time.process_time() - began < 1.0
