"""One after the other: the next goes when the one before is back, or nobody goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.fakes import FakeWorld, spec

from supervisor.engine.rolling import Rolling
from supervisor.model.order import Need, Order

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


def test_a_stop_of_all_takes_them_out(world: FakeWorld) -> None:
    Rolling(world.engine, 0.3).restart(NAMES)
    world.engine.stops.stop(NAMES)
    for name in NAMES:
        down(world, name)
    world.loop.pass_time(60)

    assert {world.phase(name) for name in NAMES} == {"stopped"}
    assert world.spawner.notes["#rolling"] is None


def test_one_that_is_stopped_before_its_turn_stays_down(world: FakeWorld) -> None:
    Rolling(world.engine, 0.3).restart(NAMES)
    world.engine.stops.stop(["web:2"])
    down(world, "web:2")
    down(world, "web:1")
    up(world, "web:1")
    world.loop.pass_time(1)

    assert world.phase("web:2") == "stopped"
    assert "web:3.1" in signalled(world)


def test_one_that_is_removed_is_taken_out(world: FakeWorld) -> None:
    Rolling(world.engine, 0.3).restart(NAMES)
    world.engine.stops.remove(["web:1", "web:2"])
    down(world, "web:1")
    down(world, "web:2")
    world.loop.pass_time(1)

    assert list(world.engine.services) == ["web:3"]
    assert "web:3.1" in signalled(world)


def test_nothing_is_started_again_once_all_are_to_go(world: FakeWorld) -> None:
    Rolling(world.engine, 0.3).restart(NAMES)
    world.engine.stop_all()
    for name in NAMES:
        down(world, name)
    world.loop.pass_time(60)

    assert world.spawner.spawns() == []
    assert world.engine.all_gone
    assert world.spawner.notes["#rolling"] is None


def test_it_ends_at_one_whose_command_before_it_fails(world: FakeWorld) -> None:
    service = world.engine.services["web:1"]
    service.spec.policy.before = 5.0
    service.spec.commands = {"before": ("false",)}
    Rolling(world.engine, 0.3).restart(NAMES)
    down(world, "web:1")
    (job,) = [key for key in world.spawner.spawns() if "/before." in key]
    world.spawner.take()
    world.engine.exited(job, 256, True)
    world.loop.pass_time(0.01)

    assert world.phase("web:1") == "backoff"
    assert "service.rolling_halted" in world.kinds("web:1")
    world.loop.pass_time(0.5)
    assert signalled(world) == []


def test_it_ends_at_one_that_waits_too_long(world: FakeWorld) -> None:
    service = world.engine.services["web:1"]
    service.spec.policy.gated, service.spec.policy.wait_timeout = True, 5.0
    service.spec.order = Order(requires=(Need("nobody"),))
    Rolling(world.engine, 0.3).restart(NAMES)
    down(world, "web:1")
    world.loop.pass_time(6)

    assert world.phase("web:1") == "failed"
    assert "service.rolling_halted" in world.kinds("web:1")


def test_how_one_was_before_its_own_restart_halts_nothing(world: FakeWorld) -> None:
    down(world, "web:1", 256)
    up(world, "web:1")
    down(world, "web:1", 256)
    assert world.phase("web:1") == "backoff"
    world.spawner.take()

    Rolling(world.engine, 0.3).restart(NAMES)
    up(world, "web:1")
    world.loop.pass_time(1)

    assert signalled(world) == ["web:2.1"]


def test_a_successor_asks_for_what_was_only_noted(world: FakeWorld) -> None:
    Rolling(world.engine, 0.3).restore({"rolls": [[NAMES, "web:1.1"]]})

    assert signalled(world) == ["web:1.1"]


def test_a_restart_that_is_called_off_holds_up_nobody(world: FakeWorld) -> None:
    world.engine.load([spec("api")])
    world.engine.services["api"].spec.order = Order(requires=(Need("web:1", restart=True),))
    world.engine.ties.renew()
    world.loop.run_soon()
    up(world, "api")
    world.loop.pass_time(60)
    world.spawner.take()
    Rolling(world.engine, 0.3).restart(["web:1", "web:2"])
    assert signalled(world) == ["api.1"]

    world.engine.start("web:1")
    world.loop.run_soon()

    assert signalled(world) == ["web:2.1"]


def test_a_successor_leaves_out_what_was_disabled_meanwhile(world: FakeWorld) -> None:
    world.engine.services["web:1"].intent = False
    world.engine.stops.stop(["web:1"])
    down(world, "web:1")
    world.spawner.take()

    Rolling(world.engine, 0.3).restore({"rolls": [[NAMES, "web:1.1"]]})

    assert signalled(world) == ["web:2.1"]
    assert world.phase("web:1") == "stopped"
