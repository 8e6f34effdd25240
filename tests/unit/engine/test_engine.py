"""The engine around the machine: generations, notes, removal, and words that come too late."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes import FakeWorld, spec

from supervisor.base.wire import MAX_PACKET, encode
from supervisor.core.machine import End
from supervisor.engine import view
from supervisor.engine.change import apply
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.check import DEGRADE, Check
from supervisor.model.service import Launch, Policy, Spec

SYSTEM = Cause(CauseKind.SYSTEM, "could not be spawned: no memory")


@pytest.fixture
def world() -> Iterator[FakeWorld]:
    world = FakeWorld()
    yield world
    world.loop.close()


def test_each_life_replaces_the_one_before(world: FakeWorld) -> None:
    world.engine.load([spec()])
    world.engine.spawned("server.1", 41, 1)
    world.loop.pass_time(60)
    world.engine.exited("server.1", 256, True)

    assert world.spawner.take() == [("spawn", "server.1", ""), ("spawn", "server.2", "server.1")]


def test_a_late_word_about_an_earlier_life_concerns_nobody(world: FakeWorld) -> None:
    world.engine.load([spec()])
    world.engine.spawned("server.1", 41, 1)
    world.loop.pass_time(60)
    world.engine.exited("server.1", 256, True)
    world.engine.spawned("server.2", 42, 1)
    world.events.clear()

    for late in ("server.1", "server.99", "other.1", "", "server"):
        world.engine.exited(late, 256, True)
        world.engine.emptied(late)
        world.engine.spawn_failed(late, SYSTEM)

    assert world.events == []
    assert world.phase("server") == "running"


def test_a_process_that_nobody_wants_any_more_is_dropped_when_it_comes(world: FakeWorld) -> None:
    world.engine.spawned("unknown.1", 41, 1)

    assert world.spawner.asked == [("drop", "unknown.1")]


def test_an_end_is_judged_once_however_often_it_is_told(world: FakeWorld) -> None:
    world.engine.load([spec()])
    world.engine.spawned("server.1", 41, 1)
    for _ in range(3):
        world.engine.exited("server.1", 256, True)

    assert world.kinds().count("service.exited") == 1
    assert world.engine.services["server"].state.streak == 1


def test_a_system_without_room_is_tried_again_without_costing_the_budget(world: FakeWorld) -> None:
    world.engine.load([spec()])
    for number in range(1, 20):
        world.engine.spawn_failed(f"server.{number}", SYSTEM)
        world.loop.pass_time(31)

    state = world.engine.services["server"].state
    assert (state.streak, world.phase("server")) == (0, "starting")


def test_notes_are_written_once_a_turn(world: FakeWorld) -> None:
    world.engine.load([spec("a"), spec("b")])
    assert world.spawner.notes == {}

    world.loop.run_soon()

    assert set(world.spawner.notes) == {"a", "b"}
    world.spawner.notes.clear()
    world.engine.spawned("a.1", 41, 1)
    world.loop.run_soon()
    assert set(world.spawner.notes) == {"a"}


def test_the_last_note_takes_the_others_along(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A packet for each would wake `start` for each."""
    alone: list[str] = []
    note = world.spawner.note
    monkeypatch.setattr(world.spawner, "note", lambda name, blob: (alone.append(name), note(name, blob)))
    world.engine.load([spec(f"s{number}") for number in range(20)])
    world.loop.run_soon()

    assert len(world.spawner.notes) == 20
    assert len(alone) == 1


def test_a_note_fits_into_a_message_however_often_it_died(world: FakeWorld) -> None:
    """Settings may allow a million deaths an hour; last words may be in the widest script."""
    words = tuple("\\" * 1000 for _ in range(30))
    world.engine.load([spec(window_deaths=1_000_000)])
    state = world.engine.services["server"].state
    state.deaths = tuple(1e6 / 7 + number for number in range(100_000))
    state.cause = Cause(CauseKind.EXIT_CODE, "exit code 1", code=1, words=words)
    state.exited = End(state.cause, at=1.0, fast=True)
    world.loop.run_soon()

    note = world.spawner.notes["server"]

    assert note is not None
    assert len(encode({"verb": "note", "name": "server", "blob": note})) < MAX_PACKET
    assert note["state"]["deaths"][-1] == state.deaths[-1]


def test_a_removed_service_is_forgotten_once_it_is_gone(world: FakeWorld) -> None:
    world.engine.load([spec()])
    world.engine.spawned("server.1", 41, 1)
    apply(world.engine, [])
    assert "server" in world.engine.services

    world.engine.exited("server.1", 15, True)
    world.loop.run_soon()

    assert world.engine.services == {}
    assert world.spawner.notes == {"server": None}
    assert world.spawner.asked[-1] == ("drop", "server.1")
    assert world.loop.next_due() is None


def test_stopping_all_starts_nothing_again(world: FakeWorld) -> None:
    world.engine.load([spec("running"), spec("in-flight"), spec("waiting"), spec("stopped", auto_start=False)])
    world.engine.spawned("running.1", 41, 1)
    world.engine.spawned("waiting.1", 42, 1)
    world.engine.exited("waiting.1", 256, True)
    world.spawner.take()

    world.engine.stop_all()
    assert world.spawner.take() == [("signal", "running.1", 15)]
    world.engine.exited("running.1", 15, True)
    world.engine.spawned("in-flight.1", 43, 1)
    assert world.spawner.take() == [("signal", "in-flight.1", 15)]
    assert not world.engine.all_gone
    world.engine.exited("in-flight.1", 15, True)
    world.loop.pass_time(1000)

    assert world.engine.all_gone
    assert world.spawner.take() == []


def test_the_pid_file_comes_and_goes_with_the_process(world: FakeWorld, tmp_path: Path) -> None:
    path = tmp_path / "not yet" / "server.pid"
    launch = Launch(argv=("true",), cwd="/", log=os.devnull)
    world.engine.load([Spec(name="server", kind="plugin", launch=launch, policy=Policy(), pid_file=str(path))])
    world.engine.spawned("server.1", 41, 1)
    assert path.read_text() == "41\n"

    world.engine.exited("server.1", 256, True)

    assert not path.exists()


def test_a_pid_file_that_can_not_be_written_stops_nobody(world: FakeWorld, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    launch = Launch(argv=("true",), cwd="/", log=os.devnull)
    path = str(tmp_path / "file" / "server.pid")
    world.engine.load([Spec(name="server", kind="plugin", launch=launch, policy=Policy(), pid_file=path)])

    world.engine.spawned("server.1", 41, 1)

    assert world.phase("server") == "running"


def test_only_the_last_ten_events_are_kept_by_a_service(world: FakeWorld) -> None:
    world.engine.load([spec(give_up=1000)])
    for number in range(1, 50):
        world.engine.spawned(f"server.{number}", 41, 1)
        world.engine.exited(f"server.{number}", 256, True)
        world.loop.pass_time(50)

    assert len(world.engine.services["server"].events) == 10


def test_a_service_can_not_deny_what_its_alive_check_has_found(world: FakeWorld) -> None:
    checked = spec()
    checked.alive = Check(kind="http", shown="http 127.0.0.1:1/", action=DEGRADE)
    world.engine.load([checked])
    world.engine.spawned("server.1", 41, 1)
    world.engine.degrade("server", "answered 500")
    world.engine.ready("server")

    assert world.engine.services["server"].degraded
    assert view.rows(world.engine)[0]["ready"] is False
    world.engine.recover("server")
    assert not world.engine.services["server"].degraded


def test_one_that_watches_and_fails_costs_the_others_nothing(world: FakeWorld) -> None:
    told: list[str] = []
    failures: list[BaseException] = []
    world.loop._report = failures.append

    def fail() -> None:
        raise RuntimeError("a defect")

    world.engine.watch(fail)
    world.engine.watch(lambda: told.append("told"))
    world.engine.load([spec()])

    assert told
    assert {str(error) for error in failures} == {"a defect"}
