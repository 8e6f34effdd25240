"""Commands beside a service: one answer each, whatever becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fakes import FakeWorld, spec

from supervisor.engine.jobs import commands_log
from supervisor.engine.service import Service
from supervisor.engine.tail import KEPT
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.launch import NONE, Launch
from supervisor.model.limits import KernelLimits


@pytest.fixture
def world() -> Iterator[FakeWorld]:
    world = FakeWorld()
    world.engine.load([spec()])
    world.engine.spawned("server.1", 41, 1)
    world.spawner.take()
    yield world
    world.loop.close()


class Told:
    """What `done` was called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[bool, str]] = []

    def __call__(self, ok: bool, text: str) -> None:
        self.calls.append((ok, text))


def server(world: FakeWorld) -> Service:
    return world.engine.services["server"]


def test_keys_are_unique_and_of_the_job_not_of_the_service(world: FakeWorld) -> None:
    for _ in range(3):
        world.engine.jobs.run(server(world), "alive", ("true",), 5, Told())

    keys = world.spawner.spawns()

    assert len(set(keys)) == 3
    assert all(key.startswith("server/alive.") for key in keys)
    assert world.engine.by_key(keys[0]) is None


def test_an_end_is_told_once_and_forgotten(world: FakeWorld) -> None:
    told = Told()
    job = world.engine.jobs.run(server(world), "alive", ("true",), 5, told)
    world.engine.spawned(job.key, 99, 1)
    for _ in range(2):
        world.engine.exited(job.key, 0, True)
    world.loop.pass_time(60)

    assert told.calls == [(True, "")]
    assert world.spawner.asked[-1] == ("drop", job.key)
    assert len(world.engine.jobs) == 0
    assert world.engine.services["server"].pid == 41


@pytest.mark.parametrize(
    ("status", "text"), [(256, "exit code 1"), (9, "killed by SIGKILL"), (None, "ended while nobody could wait for it")]
)
def test_a_failure_says_how_it_ended(world: FakeWorld, status: int | None, text: str) -> None:
    told = Told()
    job = world.engine.jobs.run(server(world), "alive", ("true",), 5, told)
    world.engine.exited(job.key, status, True)

    assert told.calls == [(False, text)]


def test_one_that_can_not_be_spawned_is_a_failure(world: FakeWorld) -> None:
    told = Told()
    job = world.engine.jobs.run(server(world), "alive", ("true",), 5, told)
    world.engine.spawn_failed(job.key, Cause(CauseKind.NOT_FOUND, "no such program"))

    assert told.calls == [(False, "no such program")]


def test_at_its_limit_it_is_killed_and_that_is_told_at_its_end(world: FakeWorld) -> None:
    told = Told()
    job = world.engine.jobs.run(server(world), "alive", ("true",), 2, told)
    world.loop.pass_time(1.9)
    world.spawner.take()
    world.loop.pass_time(0.2)
    assert world.spawner.take() == [("signal", job.key, 9)]
    assert told.calls == []

    world.engine.exited(job.key, 9, True)

    assert told.calls == [(False, "not done within 2 s")]


def test_nobody_is_told_of_one_that_was_left(world: FakeWorld) -> None:
    told = Told()
    job = world.engine.jobs.run(server(world), "alive", ("true",), 5, told)
    job.leave()
    world.engine.exited(job.key, 0, True)
    world.loop.pass_time(60)

    assert told.calls == []
    assert ("drop", job.key) in world.spawner.asked


def test_the_jobs_of_a_service_end_with_it(world: FakeWorld) -> None:
    job = world.engine.jobs.run(server(world), "alive", ("true",), 5, Told())
    world.engine.remove("server")
    world.engine.exited("server.1", 15, True)

    assert ("drop", job.key) in world.spawner.asked
    assert len(world.engine.jobs) == 0


def test_a_probes_output_is_kept_in_memory_as_far_as_it_is_of_use(world: FakeWorld) -> None:
    told = Told()
    real = WritingSpawner(world, b"x" * 50_000 + b"\nfirst\nno answer\n\n")
    job = world.engine.jobs.run(server(world), "alive", ("true",), 5, told)
    world.loop.run_soon()
    assert job.tail is not None
    assert len(job.tail._data) <= KEPT

    world.engine.exited(job.key, 512, True)

    assert told.calls == [(False, "exit code 2: no answer")]
    assert real.wrote


@pytest.mark.parametrize(
    ("status", "said", "used_ms", "text"),
    [
        (24, b"", 2000, "killed by SIGXCPU (cpuTimeSeconds is 2)"),
        (9, b"", 2000, "killed by SIGKILL: 2.00 s of processor time used (cpuTimeSeconds is 2)"),
        (9, b"", None, "killed by SIGKILL"),
        ((128 + 25) << 8, b"", None, "exit code 153 (fileMb is 1)"),
        (256, b"MemoryError\nbye\n", None, "exit code 1: MemoryError (addressSpaceMb is 64)"),
        (256, b"no answer\n", None, "exit code 1: no answer"),
    ],
)
def test_a_limit_of_the_kernel_is_named(
    world: FakeWorld, status: int, said: bytes, used_ms: int | None, text: str
) -> None:
    limits = {"cpu": (2, 3), "fsize": (1 << 20, 1 << 20), "as": (64 << 20, 64 << 20)}
    server(world).spec.launch.limits = KernelLimits(rlimits=limits)
    told = Told()
    WritingSpawner(world, said or b"\n")
    job = world.engine.jobs.run(server(world), "alive", ("true",), 5, told)
    world.engine.exited(job.key, status, True, None, None if used_ms is None else (used_ms, 0))

    assert told.calls == [(False, text)]


def test_what_we_have_killed_met_no_limit(world: FakeWorld) -> None:
    server(world).spec.launch.limits = KernelLimits(rlimits={"cpu": (1, 1)})
    told = Told()
    job = world.engine.jobs.run(server(world), "alive", ("true",), 2, told)
    world.loop.pass_time(2.1)
    world.engine.exited(job.key, 9, True, None, (1000, 0))

    assert told.calls == [(False, "not done within 2 s")]


class WritingSpawner:
    """In the place of a process that says something."""

    def __init__(self, world: FakeWorld, data: bytes) -> None:
        self._spawn, self._data, self.wrote = world.spawner.spawn, data, 0
        world.spawner.spawn = self.spawn  # type: ignore[method-assign]

    def spawn(self, key: str, launch: Launch, *, ends: Any, **more: Any) -> None:
        import os

        self.wrote = os.write(ends.out_write, self._data)
        self._spawn(key, launch, ends=ends, **more)


def test_a_command_writes_to_a_file_beside_the_servers_log(tmp_path: Path) -> None:
    world = FakeWorld()
    one = spec(before=5.0)
    one.launch.log = str(tmp_path / "web" / "server-2.log")
    one.commands = {"before": ("true",)}
    WritingSpawner(world, b"hello\n")
    world.engine.load([one])

    assert (tmp_path / "web" / "server-2.commands.log").read_text() == "hello\n"
    assert commands_log(Launch(argv=(), cwd="", log=one.launch.log, sink=NONE)) == "/dev/null"
    world.loop.close()


def test_a_before_that_is_done_lets_the_service_start_and_one_that_fails_does_not() -> None:
    for status, phase in ((0, "starting"), (256, "backoff")):
        world = FakeWorld()
        one = spec(before=5.0)
        one.commands = {"before": ("true",)}
        world.engine.load([one])
        (key,) = world.spawner.spawns()
        assert key.startswith("server/before.")

        world.engine.exited(key, status, True)

        assert world.phase("server") == phase
        assert ("server.1" in world.spawner.spawns()) == (status == 0)
        world.loop.close()


def test_a_folder_that_can_not_be_made_for_its_log_stops_no_command(world: FakeWorld, tmp_path: Path) -> None:
    told = Told()
    service = server(world)
    (tmp_path / "file").write_text("")
    service.spec.launch.log = str(tmp_path / "file/web/server.log")
    service.spec.commands = {"before": ("true",)}

    job = world.engine.jobs.run_command(service, "before", 5, told)
    world.loop.run_soon()
    assert world.spawner.spawns() == [job.key]
    world.engine.exited(job.key, 0, True)

    assert told.calls == [(True, "")]
