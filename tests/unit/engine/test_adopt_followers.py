"""Who is to be restarted with another one is, wherever the scheduler is killed that has heard of that one's end."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from support.fakes import FakeSpawner, FakeWorld, spec
from unit.engine.test_adopt_waits import entry

from supervisor.engine.adopt import Adoption, Kept
from supervisor.model.order import Need, Order
from supervisor.model.service import Spec

OTHER = "cron"  # whose note is out of date already


class Wire(FakeSpawner):
    """All that was said, in its order; a note that may go with the next one goes by itself, which is worse."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[Any, ...]] = []

    def spawn(self, key: str, *args: Any, **more: Any) -> None:
        super().spawn(key, *args, **more)
        self.said.append(("spawn", key))

    def signal(self, key: str, number: int, *, main: bool = False) -> None:
        self.said.append(("signal", key))

    def note(self, name: str, blob: dict[str, Any] | None) -> None:
        self.said.append(("note", name, copy.deepcopy(blob)))

    note_with_next = note


def specs(fast: float) -> list[Spec]:
    first, second, third = spec("db", delays=(5.0,), fast_crash=fast), spec("web", gated=True), spec("zoo", gated=True)
    second.order, third.order = (
        Order(requires=(Need("db", restart=True),)),
        Order(requires=(Need("web", restart=True),)),
    )
    return [spec(OTHER), first, second, third]


def died(fast: float, *, is_dirty: bool) -> tuple[list[tuple[Any, ...]], int, float]:
    """What was said in all; how much of it before db died, and when that was."""
    world, wire = FakeWorld(), Wire()
    world.engine.spawner = wire  # type: ignore[assignment]
    world.engine.load(specs(fast))
    for name in (OTHER, "db", "web", "zoo"):
        world.loop.run_soon()
        world.engine.spawned(f"{name}.1", 4000, 1)
    world.loop.pass_time(60)
    before = len(wire.said)
    if is_dirty:
        world.engine.detail(OTHER, "of the same turn")
    world.engine.exited("db.1", 9, True)
    world.loop.run_soon()
    world.loop.close()
    return wire.said, before, world.loop.fake.time


@pytest.mark.parametrize("is_dirty", [False, True])
@pytest.mark.parametrize("fast", [1.0, 100.0], ids=["at once", "backs off"])
def test_whoever_follows_is_restarted_wherever_it_is_killed(fast: float, is_dirty: bool) -> None:
    said, before, at = died(fast, is_dirty=is_dirty)
    assert ("signal", "zoo.1") in said[before:]
    for count in range(before, len(said) + 1):
        kept, told = Kept(), said[:count]
        notes = {words[1]: words[2] for words in told if words[0] == "note"}
        kept.notes = {name: copy.deepcopy(note) for name, note in notes.items() if note is not None}
        db = entry("db.2") if ("spawn", "db.2") in told else entry("db.1", status=9)
        kept.take_entries([db, *(entry(f"{name}.1") for name in (OTHER, "web", "zoo"))], [])
        world = FakeWorld()
        world.loop.fake.time = at
        Adoption(world.engine, world.spawner, lambda _key, _pid: False).run(kept, specs(fast))  # type: ignore[arg-type]
        world.loop.run_soon()

        ended = {words[1] for words in world.spawner.take() if words[0] == "signal"}
        ended |= {words[1] for words in told[before:] if words[0] == "signal"}
        assert ended == {"zoo.1"}, said[before:count]
        world.engine.exited("zoo.1", 15, True)
        world.loop.run_soon()
        assert ("signal", "web.1", 15) in world.spawner.take(), said[before:count]
        world.loop.close()
