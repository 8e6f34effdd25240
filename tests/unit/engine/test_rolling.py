"""One after the other: the next goes when the one before is back, or nobody goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.fakes import FakeWorld, spec

from supervisor.engine.rolling import Rolling

NAMES = ["web:1", "web:2", "web:3"]


@pytest.fixture
def world() -> Iterator[FakeWorld]:
    world = FakeWorld()
    world.engine.load([spec(name) for name in NAMES])
    for name in NAMES:
        up(world, name)
    world.loop.pass_time(60)
    world.spawner.take()
    yield world
    world.loop.close()


def up(world: FakeWorld, name: str) -> None:
    world.engine.spawned(world.engine.services[name].key, 4242, 1)
    world.loop.run_soon()


def down(world: FakeWorld, name: str, status: int = 0) -> None:
    world.engine.exited(world.engine.services[name].key, status, True)
    world.loop.run_soon()


def signalled(world: FakeWorld) -> list[str]:
    return [str(words[1]) for words in world.spawner.take() if words[0] == "signal"]


def test_each_goes_when_the_one_before_has_lived_long_enough(world: FakeWorld) -> None:
    Rolling(world.engine, 0.3).restart(NAMES)
    assert signalled(world) == ["web:1.1"]
    down(world, "web:1")
    up(world, "web:1")
    world.loop.pass_time(0.2)
    assert signalled(world) == []

    world.loop.pass_time(0.2)
    assert signalled(world) == ["web:2.1"]
    down(world, "web:2")
    up(world, "web:2")
    world.loop.pass_time(1)

    assert signalled(world) == ["web:3.1"]
    down(world, "web:3")
    up(world, "web:3")
    world.loop.pass_time(1)
    assert world.spawner.notes["#rolling"] is None


def test_it_ends_at_one_that_does_not_come_back(world: FakeWorld) -> None:
    Rolling(world.engine, 0.3).restart(NAMES)
    down(world, "web:1")
    up(world, "web:1")
    down(world, "web:1", 256)
    world.loop.pass_time(60)

    halted = [event for event in world.events if event.kind == "service.rolling_halted"]
    assert [(event.service, event.data["left"]) for event in halted] == [("web:1", ["web:2", "web:3"])]
    assert signalled(world) == ["web:1.1"]
    assert world.spawner.notes["#rolling"] is None


def test_one_that_a_person_stops_meanwhile_holds_up_nobody(world: FakeWorld) -> None:
    Rolling(world.engine, 0.3).restart(NAMES)
    world.engine.stop("web:1")
    down(world, "web:1")

    assert "web:2.1" in signalled(world)


def test_it_goes_on_from_its_note(world: FakeWorld) -> None:
    first = Rolling(world.engine, 0.3)
    first.restart(NAMES)
    note = world.spawner.notes["#rolling"]
    first._rolls.clear()
    down(world, "web:1")
    up(world, "web:1")
    world.loop.pass_time(1)
    world.spawner.take()

    Rolling(world.engine, 0.3).restore(note)

    assert signalled(world) == ["web:2.1"]


def test_whoever_is_in_a_list_already_is_not_restarted_twice(world: FakeWorld) -> None:
    rolling = Rolling(world.engine, 0.3)
    rolling.restart(NAMES)
    rolling.restart(["web:2", "web:3"])

    assert signalled(world) == ["web:1.1"]
