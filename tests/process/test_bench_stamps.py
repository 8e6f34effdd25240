"""Servers of the benchmarks that write down when they began; and how long a command takes."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import procs, workloads
from benchmarks.limits import LimitPython
from benchmarks.stamps import Stamps, compiled


class World:
    """Three servers under the least there is."""

    def __init__(self, folder: Path) -> None:
        why = workloads.build(folder)
        if why:
            pytest.skip(why)
        self.subject = LimitPython(folder, f"sb{os.getpid() % 100_000}")
        program = compiled(folder)
        assert program is not None
        self.stamps = Stamps(self.subject, program)

    def start(self, *, stay: bool) -> float:
        self.subject.prepare("sleep", self.stamps.services(3, stay=stay))
        return self.subject.launch()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    try:
        yield world
    finally:
        world.subject.end()
        world.stamps.close()


def test_each_start_is_told_with_its_time(world: World) -> None:
    began = world.start(stay=True)
    world.stamps.wait("three starts", 3, 10)

    stamps = world.stamps.since(0)
    assert all(began < at < procs.now() for at, _ in stamps)
    assert {pid for _, pid in stamps} == procs.pids_named(world.subject.comm)

    killed = procs.now()
    os.kill(stamps[1][1], signal.SIGKILL)
    world.stamps.wait("its successor", 4, 10)
    ((at, successor),) = world.stamps.since(3)
    assert at > killed
    assert procs.is_alive(successor)


def test_those_that_end_at_once_are_counted(world: World) -> None:
    world.start(stay=False)
    world.stamps.wait("a few rounds of them", 12, 10)


def test_all_ends_are_waited_for(world: World) -> None:
    world.start(stay=True)
    world.stamps.wait("three starts", 3, 10)
    ends = procs.Ends([pid for _, pid in world.stamps.since(0)])

    began = procs.now()
    world.subject.ask_stop()
    assert began < ends.wait(10) <= procs.now()
    assert not procs.pids_named(world.subject.comm)


def test_a_command_is_not_timed_in_steps() -> None:
    sleep = shutil.which("sleep") or "/bin/sleep"
    took = [procs.seconds_of([sleep, "0.034"], dict(os.environ)) for _ in range(3)]

    assert min(took) < 0.06  # subprocess with a time limit looks after 31 and then after 63 ms
    with pytest.raises(procs.TookTooLong):
        procs.seconds_of([sleep, "30"], dict(os.environ), timeout=0.05)
