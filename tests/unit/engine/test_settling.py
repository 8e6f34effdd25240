"""Who waits for services is answered once, when it is decided how they are, and not a moment later."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.fakes import FakeWorld, spec

from supervisor.engine.change import apply
from supervisor.engine.view import Settling
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.order import Need, Order

CRASH = Cause(CauseKind.EXIT_CODE, "exit code 1", code=1)


class Waiting:
    """One who waits: what it was told, and when."""

    def __init__(self, world: FakeWorld, names: list[str] | None, *, limit: float = 10.0) -> None:
        self._world = world
        self.told: list[tuple[bool, float]] = []
        self.settling = Settling(world.engine, names, limit, 0.3, self._done)

    def _done(self, settled: bool) -> None:
        self.told.append((settled, round(self._world.loop.fake.time - 1000.0, 3)))


@pytest.fixture
def world() -> Iterator[FakeWorld]:
    world = FakeWorld()
    yield world
    world.loop.close()


def spawned(world: FakeWorld, name: str = "server") -> None:
    world.engine.spawned(world.engine.services[name].key, 4242, 1)


def test_up_means_running_for_the_settle_time(world: FakeWorld) -> None:
    world.engine.load([spec()])
    waiting = Waiting(world, None)
    world.loop.pass_time(1)
    spawned(world)
    world.loop.pass_time(0.29)
    assert waiting.told == []

    world.loop.pass_time(5)

    assert waiting.told == [(True, 1.3)]


def test_a_crash_within_that_time_is_the_answer(world: FakeWorld) -> None:
    world.engine.load([spec()])
    waiting = Waiting(world, ["server"])
    spawned(world)
    world.loop.pass_time(0.1)
    world.engine.exited("server.1", 256, True)
    world.loop.pass_time(5)

    assert waiting.told == [(True, 0.1)]


def test_a_service_that_says_itself_when_it_is_ready_needs_no_more_time(world: FakeWorld) -> None:
    world.engine.load([spec(wait_ready=True)])
    waiting = Waiting(world, None)
    spawned(world)
    world.loop.pass_time(2)
    assert waiting.told == []

    world.engine.ready("server", up=True)
    world.loop.pass_time(1)

    assert waiting.told == [(True, 2.0)]


def test_the_slowest_decides(world: FakeWorld) -> None:
    world.engine.load([spec("a"), spec("b")])
    waiting = Waiting(world, None)
    spawned(world, "a")
    world.loop.pass_time(1)
    spawned(world, "b")
    world.loop.pass_time(1)

    assert waiting.told == [(True, 1.3)]


def test_the_time_limit_is_the_last_word(world: FakeWorld) -> None:
    world.engine.load([spec()])
    waiting = Waiting(world, None, limit=2)
    world.loop.pass_time(30)

    assert waiting.told == [(False, 2.0)]


def test_only_the_named_are_waited_for(world: FakeWorld) -> None:
    world.engine.load([spec("a"), spec("b")])
    waiting = Waiting(world, ["a", "gone"])
    spawned(world, "a")
    world.loop.pass_time(1)

    assert waiting.told == [(True, 0.3)]


def test_nothing_wanted_is_settled_at_once_but_not_within_the_call(world: FakeWorld) -> None:
    world.engine.load([spec(auto_start=False)])
    waiting = Waiting(world, None)
    assert waiting.told == []

    world.loop.pass_time(0)

    assert waiting.told == [(True, 0.0)]


def test_a_stop_is_waited_for_until_it_is_done(world: FakeWorld) -> None:
    world.engine.load([spec()])
    spawned(world)
    world.loop.pass_time(1)
    world.engine.stop("server")
    waiting = Waiting(world, ["server"])
    world.loop.pass_time(1)
    assert waiting.told == []

    world.engine.exited("server.1", 15, True)
    world.loop.pass_time(1)

    assert waiting.told == [(True, 2.0)]


def test_a_service_that_is_removed_is_not_waited_for(world: FakeWorld) -> None:
    world.engine.load([spec()])
    waiting = Waiting(world, None)
    apply(world.engine, [])
    world.engine.spawn_failed("server.1", CRASH)
    world.loop.pass_time(1)

    assert waiting.told == [(True, 0.0)]


def test_nobody_is_told_after_hanging_up_and_nothing_stays(world: FakeWorld) -> None:
    world.engine.load([spec()])
    waiting = Waiting(world, None)
    spawned(world)
    world.loop.pass_time(0.1)

    waiting.settling.cancel()
    world.loop.pass_time(20)

    assert waiting.told == []
    assert world.engine._watchers == []


def test_a_wait_is_settled_once_nobody_is_on_the_way(world: FakeWorld) -> None:
    """Somebody on the way may be the one it waits for, so that long it is not decided."""
    web = spec("web", gated=True)
    web.order = Order(requires=(Need("db"),))
    world.engine.load([spec("db", wait_ready=True), web])
    waiting = Waiting(world, ["web"])
    spawned(world, "db")
    world.loop.pass_time(2)
    assert world.phase("web") == "waiting"
    assert waiting.told == []

    world.engine.exited("db.1", 256, True)
    world.loop.pass_time(4)

    assert world.phase("db") == "backoff"
    assert waiting.told == [(True, 2.0)]
