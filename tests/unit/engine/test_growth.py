"""Twice the services cost twice as much, and not four times: counted in calls, so a slow machine does not matter."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any, cast

from support.calls import calls_of
from support.fakes import FakeWorld, spec

from supervisor.daemons.announcing import Announcing
from supervisor.daemons.taking_over import recall_all
from supervisor.engine.view import Settling

FEW, MANY = 300, 600
LINEAR = 2.1


class Busy:
    """As the scheduler has it: who waits for a start, and who looks after each change whether all is done."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.world = FakeWorld()
        self.engine = self.world.engine
        self.said: list[Any] = []
        self.settled: list[bool] = []
        self.stopping = self.all_gone = False
        daemon = SimpleNamespace(
            engine=self.engine,
            door=SimpleNamespace(trouble=""),
            is_there=True,
            channel=SimpleNamespace(send=self.said.append),
            time=SimpleNamespace(count=lambda: 0),
        )
        self._announcing = Announcing(cast(Any, daemon))
        self.engine.watch(self._after_change)

    def _after_change(self) -> None:
        if self.stopping:
            self.all_gone = self.engine.all_gone
        else:
            self._announcing.look()

    def start(self) -> None:
        self.engine.load([spec(f"s{number:03}", gated=True) for number in range(self.count)])
        self.world.loop.run_soon()
        Settling(self.engine, None, 100.0, 0.3, self.settled.append)
        for number in range(self.count):
            self.engine.spawned(f"s{number:03}.1", 4242, 1)
            self.world.loop.run_soon()
        self.world.loop.pass_time(1)

    def stop(self) -> None:
        self.stopping = True
        self.engine.stop_all()
        for number in range(self.count):
            self.engine.exited(f"s{number:03}.1", 15, True)
            self.world.loop.run_soon()


def test_a_start_and_a_stop_of_many_grow_no_faster_than_their_number() -> None:
    costs: list[tuple[int, int]] = []
    for count in (FEW, MANY):
        busy = Busy(count)
        costs.append((calls_of(busy.start), calls_of(busy.stop)))
        assert busy.settled == [True]
        assert any(said.get("ready") for said in busy.said)
        assert busy.all_gone
        busy.world.loop.close()

    (start, stop), (start_of_many, stop_of_many) = costs
    assert start_of_many < LINEAR * start
    assert stop_of_many < LINEAR * stop


def test_what_the_journal_tells_of_many_is_not_gone_through_for_each() -> None:
    costs: list[int] = []
    for count in (FEW, MANY):
        world = FakeWorld()
        world.engine.load([spec(f"s{number:03}") for number in range(count)])
        past = [{"service": name, "kind": "service.started"} for name in world.engine.services] * 2
        costs.append(calls_of(partial(recall_all, world.engine.services, past)))
        assert all(len(service.events) == 2 for service in world.engine.services.values())
        world.loop.close()

    assert costs[1] < LINEAR * costs[0]
