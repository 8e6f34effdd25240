"""Who is above a limit for long enough, or too old; told by figures that the tests make up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.fakes import FakeWorld, spec

from supervisor.engine.governor import Governor, Watched, amount, draw
from supervisor.engine.service import Service
from supervisor.engine.usage import Tree
from supervisor.model.limits import WatchedLimits

MIB = 1 << 20


class MadeUp:
    """Memory in MiB and processor time in percent, as the test says."""

    def __init__(self, world: FakeWorld) -> None:
        self._clock = world.loop.fake
        self.memory: dict[str, int] = {}
        self.cpu: dict[str, float] = {}
        self.looks: list[float] = []
        self._ticks: dict[str, tuple[float, float]] = {}

    def trees(self, services: list[Service]) -> dict[str, Tree]:
        self.looks.append(self._clock.now())
        return {service.name: self._tree(service) for service in services}

    def _tree(self, service: Service) -> Tree:
        tree = Tree()
        tree.pids = [service.pid]
        tree.memory = self.memory.get(service.name, 1) * MIB
        at, ticks = self._ticks.get(service.key, (service.state.started or 0.0, 0.0))
        ticks += (self._clock.now() - at) * self.cpu.get(service.name, 0.0)
        self._ticks[service.key] = (self._clock.now(), ticks)
        tree.ticks = round(ticks)
        return tree


class World(FakeWorld):
    """With a governor in it."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = 0.5
        self.used = MadeUp(self)
        self.governor = Governor(self.engine, self.used, lambda: self.drawn)  # type: ignore[arg-type]

    def run(self, name: str = "web", *, plugin: str = "", **limits: Any) -> Service:
        made = spec(name)
        made.limits = WatchedLimits(**limits)
        made.plugin = plugin or name
        self.engine.load([made])
        return self.spawn(name)

    def spawn(self, name: str) -> Service:
        service = self.engine.services[name]
        self.engine.spawned(service.key, 4242, 1)
        return service

    def ended(self, name: str) -> None:
        self.engine.exited(self.engine.services[name].key, 15, True)

    def told(self, kind: str) -> list[str]:
        return [event.text for event in self.events if event.kind == kind]


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.loop.close()


def test_memory_above_its_limit_for_its_time_ends_the_process(world: World) -> None:
    world.run(memory=512 * MIB, memory_for=30)
    world.used.memory["web"] = 612
    world.loop.pass_time(39)
    assert world.phase("web") == "running"

    world.loop.pass_time(2)

    assert world.phase("web") == "stopping"
    world.ended("web")
    cause = world.engine.services["web"].state.cause
    assert cause is not None
    assert (cause.kind.value, cause.text) == ("over-limit", "612 MiB of memory for 30 s, its limit is 512 MiB")


def test_a_break_begins_the_time_anew(world: World) -> None:
    world.run(memory=512 * MIB, memory_for=30)
    for _ in range(5):
        world.used.memory["web"] = 612
        world.loop.pass_time(30)
        world.used.memory["web"] = 512
        world.loop.pass_time(10)

    assert world.phase("web") == "running"


def test_processor_time_above_its_limit_ends_the_process(world: World) -> None:
    world.run(cpu=150.0, cpu_for=60)
    world.used.cpu["web"] = 180.0
    world.loop.pass_time(75)

    assert world.phase("web") == "stopping"
    event = next(event for event in world.events if event.kind == "service.over_limit")
    assert (event.data["what"], event.data["cpu_percent"], event.data["limit_percent"]) == ("cpu", 180.0, 150.0)
    assert event.data["seconds"] == 60.0


def test_a_new_process_has_a_time_of_its_own(world: World) -> None:
    world.run(memory=512 * MIB, memory_for=30)
    world.used.memory["web"] = 612
    world.loop.pass_time(35)
    world.engine.restart("web")
    world.ended("web")
    world.spawn("web")

    world.loop.pass_time(30)

    assert world.phase("web") == "running"
    world.loop.pass_time(10)
    assert world.phase("web") == "stopping"


def test_a_warning_is_given_once_until_it_is_below_again(world: World) -> None:
    world.run(memory=512 * MIB, memory_for=30, action="warn")
    world.used.memory["web"] = 612
    world.loop.pass_time(600)
    assert world.told("service.over_limit") == ["web: 612 MiB of memory for 30 s, its limit is 512 MiB"]
    assert world.told("service.within_limit") == []

    world.used.memory["web"] = 100
    world.loop.pass_time(600)
    assert world.told("service.within_limit") == ["web: within its limit of memory again"]

    world.used.memory["web"] = 700
    world.loop.pass_time(600)
    assert len(world.told("service.over_limit")) == 2
    assert world.phase("web") == "running"


def test_nobody_looks_where_nothing_is_limited(world: World) -> None:
    world.run()
    world.run("old", max_age=3600.0)
    idle = world.run("idle", memory=512 * MIB)
    world.engine.stop("idle")
    world.ended("idle")
    world.loop.pass_time(60)
    looks = len(world.used.looks)

    world.loop.pass_time(1800)

    assert idle.state.phase.value == "stopped"
    assert len(world.used.looks) == looks <= 1


def test_one_timer_serves_all_as_often_as_the_strictest_needs(world: World) -> None:
    world.run("slow", memory=512 * MIB, memory_for=300)
    world.run("quick", cpu=50.0, cpu_for=6)
    world.loop.pass_time(60)

    assert len(world.used.looks) == 30
    world.engine.stop("quick")
    world.ended("quick")
    world.used.looks.clear()
    world.loop.pass_time(60)
    assert len(world.used.looks) in (6, 7)


@pytest.mark.parametrize(("drawn", "age"), [(0.0, 90.0), (0.5, 100.0), (1.0, 110.0)])
def test_an_old_one_is_replaced_within_its_spread(world: World, drawn: float, age: float) -> None:
    world.drawn = drawn
    world.run(max_age=100.0, max_age_spread=0.1)
    world.loop.pass_time(age - 0.1)
    assert world.phase("web") == "running"

    world.loop.pass_time(0.2)

    assert world.phase("web") == "stopping"
    world.ended("web")
    assert world.phase("web") == "starting"
    assert world.engine.services["web"].state.deaths == ()


def test_the_age_counts_from_the_real_start(world: World) -> None:
    """As after a hand-over: it ran before anybody watched it here."""
    service = world.run(max_age=100.0)
    world.loop.pass_time(60)
    service.state.started = 1000.0 - 35
    governor = Governor(world.engine, world.used, lambda: 0.5)  # type: ignore[arg-type]

    governor.review()
    world.loop.pass_time(4.9)
    assert world.phase("web") == "running"
    world.loop.pass_time(0.2)

    assert world.phase("web") == "stopping"


def test_never_two_instances_of_one_plugin_at_a_time(world: World) -> None:
    for name in ("web:1", "web:2", "web:3"):
        world.run(name, plugin="web", max_age=100.0)
    world.run("mail", max_age=100.0)
    world.engine.stop("web:3")
    world.ended("web:3")  # by a person: that holds up nobody
    world.loop.pass_time(101)
    assert [world.phase(name) for name in ("web:1", "web:2", "mail")] == ["stopping", "running", "stopping"]

    world.ended("web:1")
    world.loop.pass_time(60)
    assert world.phase("web:2") == "running"
    world.spawn("web:1")
    world.loop.pass_time(6)

    assert [world.phase(name) for name in ("web:1", "web:2")] == ["running", "stopping"]


def test_who_is_about_to_be_stopped_is_let_go_in_its_order(world: World) -> None:
    service = world.run(memory=512 * MIB, memory_for=30, max_age=100.0)
    world.used.memory["web"] = 612
    service.leaving = "stop"

    world.loop.pass_time(200)

    assert world.phase("web") == "running"


def test_other_limits_hold_at_once(world: World) -> None:
    service = world.run(memory=512 * MIB, memory_for=30)
    world.used.memory["web"] = 400
    world.loop.pass_time(100)
    changed = spec("web")
    changed.limits = WatchedLimits(memory=300 * MIB, memory_for=3)
    service.spec = changed

    world.governor.review()
    world.loop.pass_time(6)

    assert world.phase("web") == "stopping"


def test_without_its_limits_it_is_left_alone(world: World) -> None:
    service = world.run(memory=512 * MIB, memory_for=30, max_age=100.0)
    world.used.memory["web"] = 600
    service.spec = spec("web")

    world.governor.review()
    world.loop.pass_time(500)

    assert world.phase("web") == "running"
    assert world.used.looks == [1010.0]


def test_a_service_that_is_forgotten_is_not_watched(world: World) -> None:
    world.run(memory=512 * MIB, max_age=100.0)
    world.engine.remove("web")
    world.ended("web")
    assert "web" not in world.engine.services

    world.loop.pass_time(500)

    assert len(world.used.looks) <= 1


@pytest.mark.parametrize(
    ("count", "text"), [(840 * 1024, "840 KiB"), (612.4 * MIB, "612 MiB"), (1.5 * 1024 * MIB, "1.5 GiB")]
)
def test_amounts(count: float, text: str) -> None:
    assert amount(count) == text


def test_chance_is_from_nought_to_one_and_differs() -> None:
    drawn = {draw() for _ in range(20)}

    assert len(drawn) > 1
    assert all(0 <= each < 1 for each in drawn)


def test_each_that_starts_is_looked_at_for_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    spans = Watched.spans
    monkeypatch.setattr(Watched, "spans", lambda its: [asked.append(its.key), spans(its)][1])
    for number in range(20):
        world.run(f"s{number}", memory=MIB, memory_for=30.0)

    assert len(asked) == 20, "one look is to come for all, and none of those before is asked again"
