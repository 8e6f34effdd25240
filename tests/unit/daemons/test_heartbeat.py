"""The scheduler's look at what it believes: a net below the news of exits."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.fakes import FakeWorld, spec

from supervisor.daemons.heartbeat import Heartbeat

BEAT_S = 30.0
NEVER_S = 1e6


@pytest.fixture
def world() -> FakeWorld:
    """Three servers, of the pids 41, 42 and 43."""
    world = FakeWorld()
    world.engine.load([spec(name) for name in ("a", "b", "c")])
    world.loop.run_soon()
    for pid, name in enumerate(("a", "b", "c"), 41):
        world.engine.spawned(f"{name}.1", pid, 1)
    return world


def test_who_is_gone_at_two_looks_has_ended_and_who_is_not_to_be_signalled_is_there(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        asked.append((pid, number))
        if pid == 42:
            raise ProcessLookupError
        if pid == 43:
            raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    nothing = SimpleNamespace(beat=lambda: None)
    compiled = {"tick": NEVER_S, "reconcile": BEAT_S}
    daemon = SimpleNamespace(loop=world.loop, engine=world.engine, channel=None, time=nothing, compiled=compiled)
    Heartbeat(cast("Any", daemon)).begin()

    world.loop.pass_time(BEAT_S)
    assert asked == [(41, 0), (42, 0), (43, 0)]
    assert [world.phase(name) for name in "abc"] == ["running"] * 3, "its news may be on the way"
    world.loop.pass_time(BEAT_S)
    assert [name for name in "abc" if "service.exited" in world.kinds(name)] == ["b"]
    world.loop.close()
