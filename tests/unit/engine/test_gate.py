"""Who waits for whom, and who is let in when: decided at each change, all in one turn."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pytest
from support.fakes import FakeWorld, spec

from supervisor.core.machine import Ending
from supervisor.engine.change import apply
from supervisor.model.order import Condition, Need, Order
from supervisor.model.service import Phase, Spec


@pytest.fixture
def world() -> Iterator[FakeWorld]:
    world = FakeWorld()
    yield world
    world.loop.close()


def ordered(name: str, *requires: str, after: tuple[str, ...] = (), restart: bool = False, **policy: Any) -> Spec:
    one = spec(name, gated=True, **policy)
    one.order = Order(after=after, requires=tuple(Need(other, restart=restart) for other in requires))
    return one


def up(world: FakeWorld, name: str) -> None:
    world.engine.spawned(world.engine.services[name].key, 4242, 1)
    world.loop.run_soon()


def down(world: FakeWorld, name: str, status: int = 0) -> None:
    world.engine.exited(world.engine.services[name].key, status, True)
    world.loop.run_soon()


def phases(world: FakeWorld) -> dict[str, str]:
    return {name: service.state.phase.value for name, service in world.engine.services.items()}


def test_one_after_the_other_in_whatever_order_they_are_written(world: FakeWorld) -> None:
    world.engine.load([ordered("web", "api"), ordered("api", "db"), spec("db")])
    world.loop.run_soon()
    assert world.spawner.spawns() == ["db.1"]

    up(world, "db")
    assert world.spawner.spawns() == ["db.1", "api.1"]
    assert world.engine.services["web"].state.waits_for == "api (starting)"
    up(world, "api")

    assert world.spawner.spawns() == ["db.1", "api.1", "web.1"]
    assert world.kinds("web") == ["service.waiting"]


def test_order_alone_waits_only_for_who_is_on_the_way(world: FakeWorld) -> None:
    world.engine.load([ordered("web", after=("db", "asleep", "unknown")), spec("db"), spec("asleep", auto_start=False)])
    world.loop.run_soon()
    assert phases(world)["web"] == "waiting"

    down(world, "db", 256)

    assert phases(world) == {"web": "starting", "db": "backoff", "asleep": "stopped"}


def test_a_start_pulls_up_what_it_requires_but_for_what_is_disabled(world: FakeWorld) -> None:
    world.engine.intent = {"off": False}
    world.engine.load([ordered("web", "db", "off"), spec("db", auto_start=False), spec("off")])
    world.loop.run_soon()

    assert phases(world) == {"web": "waiting", "db": "starting", "off": "stopped"}
    up(world, "db")
    assert world.engine.services["web"].state.waits_for == "off (stopped: disabled)"


def test_one_that_was_stopped_while_it_waited_is_not_let_in(world: FakeWorld) -> None:
    world.engine.load([ordered("web", "db"), spec("db")])
    world.loop.run_soon()
    world.engine.stop("web")

    up(world, "db")

    assert phases(world)["web"] == "stopped"


def test_only_so_many_start_at_once(world: FakeWorld) -> None:
    world.engine.gate.max_starting = 2
    world.engine.load([ordered(name) for name in "abc"])
    world.loop.run_soon()
    assert world.spawner.spawns() == ["a.1", "b.1"]
    assert world.engine.services["c"].state.waits_for == "its turn (2 are starting)"

    up(world, "b")

    assert world.spawner.spawns() == ["a.1", "b.1", "c.1"]


@pytest.mark.parametrize("most", [2, 0])
def test_more_room_is_used_at_once(world: FakeWorld, most: int) -> None:
    world.engine.gate.max_starting = 1
    world.engine.load([ordered(name) for name in "ab"])
    world.loop.run_soon()
    assert world.spawner.spawns() == ["a.1"]

    world.engine.gate.let_start(most)
    world.loop.run_soon()

    assert world.spawner.spawns() == ["a.1", "b.1"]


def test_what_it_waits_for_is_said_as_it_is_now(world: FakeWorld) -> None:
    """Whatever of it has changed: its phase, what a person or the settings say of it, that it is about to go."""
    services = world.engine.services
    world.engine.load([ordered("web", "db", "never"), spec("db"), spec("never", auto_start=False), spec("other")])
    up(world, "never")
    world.engine.stop("never")
    down(world, "never")

    def said() -> str:
        world.engine.tell_changed(services["other"], services["other"].state.phase)
        world.loop.run_soon()
        return services["web"].state.waits_for

    assert said() == "db (starting), never (stopped)"
    services["never"].intent = False
    assert said() == "db (starting), never (stopped: disabled)"
    services["db"].leaving = "stop"
    assert said() == "db (stopping), never (stopped: disabled)"
    services["db"].leaving = ""
    down(world, "db", 256)
    assert said() == "db (backoff: exit code 1), never (stopped: disabled)"
    services["web"].spec.order = Order(requires=(Need("db"),))
    assert said() == "db (backoff: exit code 1)"
    services["db"].removed = True
    assert said() == "db (not in the settings)"


class FakeOutside:
    """Somebody else's programs, by service."""

    def __init__(self, **running: int) -> None:
        self.running = running
        self.looks: list[list[str]] = []
        self.ours: set[int] = set()  # what it needs not read
        self.gone: dict[str, Any] = {}

    def look(self, specs: list[Spec], ours: Collection[int] = ()) -> dict[str, tuple[int, int]]:
        self.ours = set(ours)
        self.looks.append([one.name for one in specs])
        return {one.name: (self.running[one.name], 1) for one in specs if one.name in self.running}

    def watch(self, name: str, pid: int, started: int, gone: Any) -> Any:
        self.gone[name] = gone
        return self

    def cancel(self) -> None:
        pass


def test_one_look_finds_what_runs_outside_and_ours_starts_when_that_ends(world: FakeWorld) -> None:
    outside = FakeOutside(a=77)
    world.engine.gate.outside = outside  # type: ignore[assignment]
    world.engine.load([spec("a", look_outside=True), spec("b", look_outside=True)])
    world.loop.run_soon()
    assert outside.looks == [["a", "b"]]
    assert phases(world) == {"a": "external", "b": "starting"}
    assert world.engine.services["a"].state.outside == 77

    outside.running.clear()
    outside.gone["a"]()
    world.loop.run_soon()

    assert phases(world)["a"] == "starting"


def test_a_look_outside_does_not_read_what_we_have_started(world: FakeWorld) -> None:
    """With a chain, or so many at once, there is a look for each: a thousand would read what a thousand are, each."""
    outside = FakeOutside()
    world.engine.gate.outside = outside  # type: ignore[assignment]
    names = [f"s{number}" for number in range(5)]
    world.engine.load([ordered(name, *names[:at][-1:], look_outside=True) for at, name in enumerate(names)])
    world.loop.run_soon()
    for at, name in enumerate(names):
        assert outside.ours == set(range(100, 100 + at))
        world.engine.spawned(world.engine.services[name].key, 100 + at, 1)
        world.loop.run_soon()

    down(world, "s4", 256)
    world.engine.restart("s4")
    world.loop.run_soon()

    assert outside.ours == {100, 101, 102, 103}  # nobody knows who has its number now


def test_who_has_waited_is_looked_for_again_before_it_starts(world: FakeWorld) -> None:
    outside = FakeOutside()
    world.engine.gate.outside = outside  # type: ignore[assignment]
    world.engine.load([ordered("web", "db", look_outside=True), spec("db")])
    world.loop.run_soon()
    outside.running["web"] = 77

    up(world, "db")

    assert phases(world)["web"] == "external"


# -- ends in order


def chain(world: FakeWorld, *, restart: bool = False) -> None:
    world.engine.load([spec("db"), ordered("api", "db", restart=restart), ordered("web", "api", restart=restart)])
    for name in ("db", "api", "web"):
        world.loop.run_soon()
        up(world, name)
    world.loop.pass_time(60)
    world.spawner.take()


def signals(world: FakeWorld) -> list[str]:
    return [str(words[1]) for words in world.spawner.take() if words[0] == "signal"]


def test_a_stop_takes_along_who_needs_it_in_reverse(world: FakeWorld) -> None:
    chain(world)

    assert world.engine.stops.stop(["db"]) == ["api", "web"]

    assert signals(world) == ["web.1"]
    assert world.engine.services["db"].is_going_down
    down(world, "web")
    assert signals(world) == ["api.1"]
    down(world, "api")
    assert signals(world) == ["db.1"]
    down(world, "db")
    assert phases(world) == {"db": "stopped", "api": "waiting", "web": "waiting"}
    assert world.spawner.notes["#stopping"] is None


def test_a_stop_of_all_keeps_the_order_and_now_does_not(world: FakeWorld) -> None:
    chain(world)
    world.engine.stop_all()
    assert signals(world) == ["web.1"]

    world.engine.stop_all(now=True)

    assert sorted(signals(world)) == ["api.1", "db.1", "web.1"]
    for name in ("db", "api", "web"):
        down(world, name, 9)
    assert world.engine.all_gone


def test_one_that_ends_by_itself_before_its_turn_is_stopped_all_the_same(world: FakeWorld) -> None:
    chain(world)
    world.engine.stops.stop(["db"])
    down(world, "db", 256)
    assert phases(world)["db"] == "stopping", "it would have been started again at once"

    up(world, "db")
    down(world, "db")

    assert phases(world)["db"] == "stopped"


def test_a_start_calls_off_a_stop_whose_turn_has_not_come(world: FakeWorld) -> None:
    chain(world)
    world.engine.stops.stop(["db"])

    world.engine.start("db")
    down(world, "web")
    world.loop.run_soon()

    assert phases(world)["db"] == phases(world)["api"] == "running"
    assert world.spawner.notes["#stopping"] is None


def test_a_restart_takes_along_only_who_asked_for_it(world: FakeWorld) -> None:
    chain(world)
    assert world.engine.stops.restart(["db"]) == []
    assert signals(world) == ["db.1"]

    other = FakeWorld()
    chain(other, restart=True)
    assert other.engine.stops.restart(["db"]) == ["api", "web"]
    for name in ("web", "api", "db"):
        assert signals(other) == [f"{name}.1"]
        down(other, name)
    for name in ("db", "api", "web"):
        assert phases(other)[name] == "starting"
        up(other, name)
    other.loop.close()


def test_a_crash_takes_along_only_who_asked_for_it(world: FakeWorld) -> None:
    chain(world)
    down(world, "db", 256)
    assert signals(world) == []

    other = FakeWorld()
    chain(other, restart=True)
    down(other, "db", 256)
    assert signals(other) == ["web.1"]
    down(other, "web")
    assert signals(other) == ["api.1"]
    other.loop.close()


def test_what_has_failed_takes_along_all_who_need_it(world: FakeWorld) -> None:
    chain(world)
    world.engine.services["db"].spec.policy.give_up = 1
    world.engine.services["db"].spec.policy.fast_crash = 1000

    down(world, "db", 256)

    assert phases(world)["db"] == "failed"
    assert signals(world) == ["web.1"]


def test_who_needed_work_to_be_finished_does_not_need_it_later(world: FakeWorld) -> None:
    web = spec("web", gated=True)
    web.order = Order(requires=(Need("migrate", Condition.FINISHED),))
    world.engine.load([spec("migrate", restart="on-failure"), web])
    world.loop.run_soon()
    up(world, "migrate")
    assert phases(world)["web"] == "waiting"
    down(world, "migrate")
    up(world, "web")

    world.engine.start("migrate")
    world.engine.stops.stop(["migrate"])
    world.loop.run_soon()

    assert phases(world)["web"] == "running"


def test_a_plan_goes_on_from_its_note(world: FakeWorld) -> None:
    chain(world)
    world.engine.stops.stop(["db"])
    note = world.spawner.notes["#stopping"]
    assert note == {"api": ["hold", "db is stopped"], "db": ["stop", ""]}

    after = FakeWorld()
    chain(after)
    after.engine.must_end("web", Ending.DEPENDENCY, "db is stopped")
    after.engine.stops.restore(note)
    assert signals(after) == ["web.1"]
    for name in ("web", "api", "db"):
        down(after, name)

    assert phases(after) == {"db": "stopped", "api": "waiting", "web": "waiting"}
    after.loop.close()


def test_every_change_is_told_with_the_phase_before(world: FakeWorld) -> None:
    seen: list[tuple[str, str, str]] = []
    world.engine.watch_service(lambda service, before: seen.append((service.name, before, service.state.phase)))
    world.engine.load([spec()])
    up(world, "server")
    world.engine.stop("server")
    down(world, "server")

    assert seen == [
        ("server", Phase.STOPPED, Phase.STARTING),
        ("server", Phase.STARTING, Phase.RUNNING),
        ("server", Phase.RUNNING, Phase.STOPPING),
        ("server", Phase.STOPPING, Phase.STOPPED),
    ]


def test_a_kill_of_one_leaves_the_order_of_another_plan(world: FakeWorld) -> None:
    world.engine.load([spec("db"), ordered("web", "db"), spec("other")])
    for name in ("db", "web", "other"):
        up(world, name)
    world.engine.stops.stop(["db"])
    assert signals(world) == ["web.1"]

    world.engine.stops.stop(["other"], now=True)
    world.loop.run_soon()

    assert ("signal", "other.1", 9) in world.spawner.asked
    assert signals(world) == ["other.1"]
    assert world.engine.services["db"].leaving == "stop"


def test_who_only_queues_is_not_looked_for_outside(world: FakeWorld) -> None:
    outside = FakeOutside()
    world.engine.gate.outside = outside  # type: ignore[assignment]
    world.engine.gate.max_starting = 2
    names = [f"s{number}" for number in range(8)]
    world.engine.load([spec(name, wait_ready=True, look_outside=True) for name in names])
    world.loop.run_soon()
    assert world.spawner.spawns() == ["s0.1", "s1.1"]
    assert outside.looks == [names]  # all at once, when they had just asked
    looks = len(outside.looks)

    world.engine.tell_changed(world.engine.services["s0"], Phase.STARTING)
    up(world, "s0")
    assert len(outside.looks) == looks
    assert world.engine.services["s7"].state.waits_for == "its turn (2 are starting)"

    world.engine.ready("s0")
    world.loop.run_soon()
    assert outside.looks[looks:] == [["s2"]]
    assert world.spawner.spawns() == ["s0.1", "s1.1", "s2.1"]


def test_another_number_of_instances_waits_for_the_old_names_to_go(world: FakeWorld) -> None:
    def instance(name: str) -> Spec:
        made = spec(name)
        made.plugin, made.policy.gated = "api", True
        return made

    world.engine.load([instance("api:1"), instance("api:2")])
    world.loop.run_soon()
    up(world, "api:1")
    up(world, "api:2")

    apply(world.engine, [instance("api")])
    world.loop.run_soon()
    down(world, "api:1")
    assert world.engine.services["api"].state.waits_for == "api:2 (stopping, not in the settings any more)"
    down(world, "api:2")

    assert phases(world) == {"api": "starting"}
