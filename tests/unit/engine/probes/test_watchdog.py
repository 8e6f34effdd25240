"""Signs of life: who gives none is ended, and a sign costs no timer."""

from __future__ import annotations

import pytest
from support.fakes import FakeWorld, spec

from supervisor.engine.notify import Heard
from supervisor.engine.probes.watchdog import Watchdog
from supervisor.model.check import NOTIFY, Check


@pytest.fixture
def dog(world: FakeWorld) -> Watchdog:
    return Watchdog(world.engine)


def start(world: FakeWorld, *, watchdog: float = 30.0, wait_ready: bool = False) -> None:
    its = spec("web", wait_ready=wait_ready, start_timeout=1000.0, fast_crash=1.0)
    its.watchdog = watchdog
    its.ready = Check(kind=NOTIFY, shown="notify") if wait_ready else None
    world.engine.load([its])
    world.loop.run_soon()
    world.engine.spawned("web.1", 41, 1)


def hear(world: FakeWorld, **said: object) -> None:
    heard = Heard()
    for name, value in said.items():
        setattr(heard, name, value)
    service = world.engine.services["web"]
    world.engine.hearing._hear(service, service.key, heard)


def test_silence_ends_it_with_that_cause(world: FakeWorld, dog: Watchdog) -> None:
    start(world)
    world.loop.pass_time(29.9)
    assert world.phase("web") == "running"

    world.loop.pass_time(0.2)

    assert world.phase("web") == "stopping"
    assert "service.watchdog" in world.kinds("web")
    world.engine.exited("web.1", 9, True)
    cause = world.engine.services["web"].state.cause
    assert cause is not None
    assert (cause.kind.value, cause.text) == ("watchdog", "no sign of life for 30 s")


def test_signs_keep_it_alive_and_cost_no_timer(world: FakeWorld, dog: Watchdog) -> None:
    start(world)
    for _ in range(100):
        world.loop.pass_time(1.0)
        before = len(world.loop._timers)
        for _ in range(50):
            hear(world, pings=1)
        assert len(world.loop._timers) == before

    assert world.phase("web") == "running"
    world.loop.pass_time(31.0)
    assert world.phase("web") == "stopping"


def test_it_counts_from_the_moment_it_is_ready(world: FakeWorld, dog: Watchdog) -> None:
    start(world, wait_ready=True)
    world.loop.pass_time(500.0)
    assert world.phase("web") == "starting"

    hear(world, ready=True)
    world.loop.pass_time(29.0)
    assert world.phase("web") == "running"
    world.loop.pass_time(2.0)

    assert world.phase("web") == "stopping"


def test_it_may_ask_for_its_end(world: FakeWorld, dog: Watchdog) -> None:
    start(world, watchdog=0.0)
    hear(world, trigger=True)

    assert world.phase("web") == "stopping"
    texts = [event.text for event in world.events if event.kind == "service.watchdog"]
    assert texts == ["web: restarting: it asked to be ended (WATCHDOG=trigger)"], "it did give a sign of life"


def test_a_new_life_and_a_new_scheduler_begin_a_new_count(world: FakeWorld, dog: Watchdog) -> None:
    start(world)
    world.loop.pass_time(20.0)
    world.engine.exited("web.1", 256, True)
    world.loop.run_soon()
    world.engine.spawned("web.2", 42, 1)
    world.loop.pass_time(20.0)
    assert world.phase("web") == "running"

    world.loop.pass_time(11.0)

    assert world.phase("web") == "stopping"


def test_whoever_slept_judges_nobody(world: FakeWorld, dog: Watchdog) -> None:
    """The machine stood still, or we were stopped: the others had no time to give a sign either."""
    start(world)
    world.loop.fake.time += 500.0
    world.loop.run_soon()
    assert world.phase("web") == "running"

    world.loop.pass_time(31.0)

    assert world.phase("web") == "stopping"


def test_a_sign_that_waits_to_be_read_counts(world: FakeWorld, dog: Watchdog) -> None:
    start(world)
    world.loop.at(world.loop.fake.time + 30.0, lambda: dog.sign("web"))  # in the very turn it is due, but behind it
    world.loop.pass_time(35.0)

    assert world.phase("web") == "running"


def test_the_scheduler_is_told_to_leave_its_servers_before_it_is_ended(world: FakeWorld, dog: Watchdog) -> None:
    left: list[str] = []
    world.engine.before_restart = left.append
    start(world)
    world.loop.pass_time(31.0)

    assert left == ["web"]


def test_without_a_limit_nobody_is_watched(world: FakeWorld, dog: Watchdog) -> None:
    start(world, watchdog=0.0)
    world.loop.pass_time(10_000.0)

    assert world.phase("web") == "running"
    assert world.loop.next_due() is None
