"""What the verbs of every daemon do with words, patterns and several services at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.fakes import FakeWorld, spec

from supervisor.base.errors import Problem
from supervisor.daemons.verbs import EngineVerbs
from supervisor.engine import change
from supervisor.model.order import Need, Order


class Answer:
    """In the place of a connection's reply."""

    def __init__(self) -> None:
        self.sent: dict[str, Any] = {}

    def send(self, message: dict[str, Any]) -> None:
        self.sent = message

    def on_closed(self, call: Any) -> None:
        pass


class Asked:
    """Verbs on an engine with nothing real around it."""

    def __init__(self) -> None:
        self.world = FakeWorld()
        self.verbs = EngineVerbs("scheduler", self.world.engine, started=0.0, settle=0.3)

    def ask(self, verb: str, **args: Any) -> dict[str, Any]:
        reply = Answer()
        self.verbs.table()[verb](args, reply)  # type: ignore[arg-type]
        self.world.loop.run_soon()
        return reply.sent

    def load(self, *names: str) -> None:
        specs = [spec(name) for name in names]
        for one in specs:
            one.plugin, _, number = one.name.partition(":")
            one.instance = int(number or 0)
        self.world.engine.load(specs)
        for name in names:
            self.up(name)

    def up(self, name: str) -> None:
        self.world.engine.spawned(self.world.engine.services[name].key, 40, 1)
        self.world.loop.run_soon()


@pytest.fixture
def asked() -> Iterator[Asked]:
    asked = Asked()
    yield asked
    asked.world.loop.close()


def test_a_plugin_and_a_pattern_mean_all_of_them_once(asked: Asked) -> None:
    asked.load("web:1", "web:2", "api")

    answer = asked.ask("stop", names=["web", "web:2", "*i"])

    assert answer["accepted"] == ["web:1", "web:2", "api"]


@pytest.mark.parametrize("words", [["web", "wbe"], ["web", "x*"]])
def test_one_word_that_means_nothing_stops_all(asked: Asked, words: list[str]) -> None:
    asked.load("web")

    with pytest.raises(Problem, match="no service"):
        asked.ask("stop", names=words)

    assert asked.world.phase("web") == "running"


def test_a_restart_of_several_plugins_is_at_once_and_of_instances_one_by_one(asked: Asked) -> None:
    asked.load("web:1", "web:2", "api", "db")
    asked.world.spawner.take()

    asked.ask("restart", names=["*"])

    assert sorted(key for what, key, *_ in asked.world.spawner.take() if what == "signal") == [
        "api.1",
        "db.1",
        "web:1.1",
    ]


@pytest.mark.parametrize(("rolling", "first"), [(True, ["api.1"]), (False, ["api.1", "web:1.1", "web:2.1"])])
def test_how_a_restart_goes_can_be_asked_for(asked: Asked, rolling: bool, first: list[str]) -> None:
    asked.load("api", "web:1", "web:2")
    asked.world.spawner.take()

    asked.ask("restart", names=["*"], rolling=rolling)

    assert sorted(key for what, key, *_ in asked.world.spawner.take() if what == "signal") == first


def test_a_signal_goes_to_those_that_run(asked: Asked) -> None:
    asked.load("web:1", "web:2")
    asked.world.engine.stop("web:2")
    asked.world.engine.exited("web:2.1", 0, True)
    asked.world.spawner.take()

    assert asked.ask("signal", names=["web"], signal="HUP")["accepted"] == ["web:1"]
    assert asked.world.spawner.take() == [("signal", "web:1.1", 1, "main")]
    asked.ask("signal", names=["web:1"], signal=10, group=True)
    assert asked.world.spawner.take() == [("signal", "web:1.1", 10)]
    with pytest.raises(Problem, match="web:2 does not run"):
        asked.ask("signal", names=["web:2"], signal="HUP")


def test_a_limit_kills_also_who_had_not_had_its_turn(asked: Asked) -> None:
    web = spec("web", gated=True, grace=100.0)
    web.order = Order(requires=(Need("db"),))
    asked.world.engine.load([spec("db"), web])
    asked.world.loop.run_soon()
    asked.up("db")
    asked.up("web")

    answer = asked.ask("stop", names=["db"], timeout=2.0)
    assert answer == {"accepted": ["db"], "already": [], "with": ["web"]}
    asked.world.spawner.take()
    asked.world.loop.pass_time(2.1)

    assert asked.world.spawner.take() == [("signal", "db.1", 9), ("signal", "web.1", 9)]
    asked.world.engine.exited("db.1", 9, True)
    asked.world.engine.exited("web.1", 9, True)
    asked.world.loop.pass_time(200)
    assert (asked.world.phase("db"), asked.world.phase("web")) == ("stopped", "waiting")


@pytest.fixture
def successor() -> Iterator[Asked]:
    successor = Asked()
    yield successor
    successor.world.loop.close()


@pytest.mark.parametrize("started_again", [False, True])
def test_a_successor_keeps_the_limit(asked: Asked, successor: Asked, started_again: bool) -> None:
    asked.load("db")
    asked.ask("stop", names=["db"], timeout=2.0)
    note = asked.world.spawner.notes["#time_limits"]

    successor.load("db")
    if not started_again:
        successor.ask("stop", names=["db"])
    successor.world.spawner.take()
    successor.verbs.time_limits.restore(note)
    successor.world.loop.pass_time(1.9)
    assert successor.world.spawner.take() == []
    successor.world.loop.pass_time(0.2)
    assert successor.world.spawner.take() == ([] if started_again else [("signal", "db.1", 9)])
    assert successor.world.spawner.notes["#time_limits"] is None


def test_a_limit_that_is_asked_for_again_is_noted_once(asked: Asked) -> None:
    """However often: what is noted must fit its packet. A shorter one is one more."""
    asked.load("db", "web")
    for _ in range(20):
        asked.ask("stop", names=["db", "web"], timeout=60.0)
        asked.world.loop.pass_time(0.01)
    asked.ask("stop", names=["db"], timeout=1.0)

    limits = asked.world.spawner.notes["#time_limits"]["limits"]
    assert [sorted(keys) for _, keys in limits] == [["db.1", "web.1"], ["db.1"]]

    asked.world.spawner.take()
    asked.world.loop.pass_time(1.1)
    assert asked.world.spawner.take() == [("signal", "db.1", 9)]


def test_the_story_of_several_is_refused_by_name(asked: Asked) -> None:
    asked.load("web:1", "web:2")

    with pytest.raises(Problem, match="several"):
        asked.ask("why", name="web")
    assert asked.ask("why", name="web:2")["row"]["name"] == "web:2"


def test_what_is_being_removed_is_not_started_again(asked: Asked) -> None:
    asked.load("db", "web:1", "web:2")
    db, first, second = (service.spec for service in asked.world.engine.services.values())
    change.apply(asked.world.engine, [db, first])

    for verb in ("start", "restart"):
        with pytest.raises(Problem, match="web:2 is being removed"):
            asked.ask(verb, names=["web:2"])
    assert asked.ask("start", names=["web"])["already"] == ["web:1"]
    assert asked.ask("stop", names=["web:2"])["with"] == []

    asked.world.engine.exited("web:2.1", 15, True)
    assert list(asked.world.engine.services) == ["db", "web:1"]
    assert second.name not in asked.world.engine.services


def test_what_is_about_to_be_removed_is_neither_started_nor_pulled_up(asked: Asked) -> None:
    asked.load("api", "db", "web")
    engine = asked.world.engine
    for name in ("api", "web"):
        engine.services[name].spec.order = Order(requires=(Need("db"),))
    engine.ties.renew()
    asked.ask("stop", names=["api"])
    engine.exited("api.1", 15, True)
    engine.stops.remove(["db", "web"])
    assert engine.services["db"].leaving == "remove"

    with pytest.raises(Problem, match="db is being removed"):
        asked.ask("start", names=["db"])
    assert asked.ask("start", names=["api"])["with"] == []
    assert engine.services["db"].leaving == "remove"


def test_what_comes_back_into_the_settings_before_its_turn_stays(asked: Asked) -> None:
    asked.load("db", "web")
    engine = asked.world.engine
    engine.services["web"].spec.order = Order(requires=(Need("db"),))
    specs = [service.spec for service in engine.services.values()]
    engine.ties.renew()
    change.apply(engine, [])
    assert engine.services["db"].leaving == "remove"

    change.apply(engine, specs)
    engine.exited("web.1", 15, True)
    asked.world.loop.run_soon()

    assert asked.world.phase("db") == "running"
    assert not engine.services["db"].is_removed
    assert not engine.services["web"].is_removed
