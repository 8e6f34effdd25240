"""What a service takes: which processes are its own, what they sum up to, and when nobody looks."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator

import pytest
from support.children import child
from support.fakes import FakeWorld, spec
from support.waiting import eventually

from supervisor.base import proc
from supervisor.base.procstat import children_of, own_share, stat_of
from supervisor.engine import usage, view
from supervisor.engine.usage import Meter, Usage, follow, walk

SHARED = 48  # MiB


@pytest.fixture(scope="module")
def tree() -> Iterator[dict[str, int]]:
    """Three processes with shared memory: the leader, a child that left its session, an orphan that did not."""
    process = subprocess.Popen(child("tree", SHARED), stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout
    lines = [process.stdout.readline().split() for _ in range(3)]
    pids = {"leader": process.pid, **{words[0]: int(words[1]) for words in lines[:2]}}
    yield pids
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


@pytest.fixture
def world() -> Iterator[FakeWorld]:
    world = FakeWorld()
    yield world
    world.loop.close()


def run(world: FakeWorld, pid: int, name: str = "web") -> None:
    world.engine.load([spec(name)])
    world.engine.spawned(f"{name}.1", pid, proc.start_time(pid) or 0)


def test_a_walk_finds_the_session_and_all_descendants(tree: dict[str, int]) -> None:
    found = walk({tree["leader"]: "web", os.getpid(): "tests"})

    assert sorted(found["web"].pids) == sorted(tree.values())
    assert found["web"].threads == 3
    assert found["web"].ticks >= 4
    assert os.getpid() in found["tests"].pids
    assert not set(found["tests"].pids) & set(tree.values())


def test_children_are_followed_out_of_their_session(tree: dict[str, int]) -> None:
    found = follow({tree["leader"]: "web"})

    assert sorted(found["web"].pids) == sorted([tree["leader"], tree["child"]])


def test_the_child_of_any_thread_is_one() -> None:
    pids: list[int] = []
    thread = threading.Thread(target=lambda: pids.append(os.posix_spawn("/bin/sleep", ["sleep", "60"], {})))
    thread.start()
    eventually(lambda: pids)
    stat = stat_of(os.getpid())
    assert stat is not None

    assert pids[0] in children_of(stat)

    os.kill(pids[0], signal.SIGKILL)
    os.waitpid(pids[0], 0)
    thread.join()


def test_nobody_asked_for_costs_nothing() -> None:
    assert walk({}) == {}
    assert follow({}) == {}


def test_a_process_that_is_gone_is_left_out() -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    eventually(lambda: not proc.is_alive(pid))
    assert walk({pid: "web"})["web"].pids == []  # a zombie: it takes nothing any more
    os.waitpid(pid, 0)

    assert walk({pid: "web"}) == {}
    assert follow({pid: "web"}) == {}
    assert own_share(pid) is None


def test_shared_memory_counts_once_against_a_limit(tree: dict[str, int]) -> None:
    """Three processes see the same pages: three times in the sum, once in the truth."""
    found = walk({tree["leader"]: "web"})["web"]
    assert found.memory > 3 * SHARED << 20

    assert found.memory_over(2 * SHARED << 20) == 0
    over = found.memory_over(SHARED << 20)
    assert SHARED << 20 < over < 2 * SHARED << 20
    assert found.memory_over(found.memory) == 0


def test_memory_that_may_not_be_shared_out_is_added_up(tree: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    found = walk({tree["leader"]: "web"})["web"]
    monkeypatch.setattr(usage, "own_share", lambda _pid: None)

    assert found.memory_over(2 * SHARED << 20) == found.memory


def test_percent_is_since_the_last_look() -> None:
    meter = Meter()
    assert meter.percent("web.1", 100, now=10.0, started=0.0) == pytest.approx(10.0)  # since its start
    assert meter.percent("web.1", 150, now=11.0, started=0.0) == pytest.approx(50.0)
    assert meter.percent("web.1", 400, now=12.0, started=0.0) == pytest.approx(250.0)  # more than one processor


def test_too_short_a_span_tells_what_was_told() -> None:
    meter = Meter()
    assert meter.percent("web.1", 100, now=10.0, started=0.0) == pytest.approx(10.0)
    assert meter.percent("web.1", 120, now=10.1, started=0.0) == pytest.approx(10.0)
    assert meter.percent("web.1", 140, now=10.4, started=0.0) == pytest.approx(100.0)


def test_after_a_long_time_it_is_since_the_start() -> None:
    meter = Meter()
    meter.percent("web.1", 0, now=0.0, started=0.0)
    assert meter.percent("web.1", 1000, now=1000.0, started=0.0) == pytest.approx(1.0)


def test_another_process_begins_anew() -> None:
    meter = Meter()
    meter.percent("web.1", 5000, now=100.0, started=0.0)
    assert meter.percent("web.2", 10, now=101.0, started=100.0) == pytest.approx(10.0)
    meter.keep_only(["web.2"])
    assert meter.percent("web.1", 5000, now=100.0, started=0.0) == pytest.approx(50.0)


def test_time_never_runs_backwards() -> None:
    """A child that nobody waited for takes its time along when it goes."""
    meter = Meter()
    meter.percent("web.1", 500, now=10.0, started=0.0)
    assert meter.percent("web.1", 400, now=11.0, started=0.0) == 0.0
    assert meter.percent("web.2", 0, now=0.0, started=0.0) == 0.0


def test_a_row_tells_what_its_service_takes(world: FakeWorld, tree: dict[str, int]) -> None:
    run(world, tree["leader"])
    world.engine.load([spec("idle", auto_start=False)])

    rows = {row["name"]: row for row in view.rows(world.engine, Usage(world.engine).look())}

    assert (rows["web"]["processes"], rows["web"]["threads"]) == (3, 3)
    assert rows["web"]["memory_bytes"] > SHARED << 20
    assert rows["web"]["cpu_percent"] > 0
    assert [rows["idle"][key] for key in ("cpu_percent", "memory_bytes", "threads", "processes")] == [None] * 4
    assert view.rows(world.engine)[0]["memory_bytes"] is None


def test_two_who_ask_at_once_share_a_look(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    run(world, os.getpid())
    looks: list[int] = []
    monkeypatch.setattr(usage, "walk", lambda tops: looks.append(len(tops)) or {})  # type: ignore[func-returns-value]
    asked = Usage(world.engine)

    asked.look()
    world.loop.pass_time(0.09)
    asked.look()
    assert looks == [1]

    world.loop.pass_time(0.02)
    asked.look()
    assert looks == [1, 1]


def test_nothing_is_looked_at_before_somebody_asks(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(usage, "walk", lambda tops: looks.append(len(tops)) or {})  # type: ignore[func-returns-value]
    run(world, os.getpid())
    Usage(world.engine)

    world.loop.pass_time(3600)

    assert looks == []


def test_a_service_that_has_ended_takes_nothing(world: FakeWorld) -> None:
    run(world, os.getpid())
    asked = Usage(world.engine)
    assert list(asked.look()) == ["web"]
    world.engine.exited("web.1", 0, True)
    world.loop.pass_time(1)

    assert asked.look() == {}


def test_one_that_has_just_ended_takes_nothing_though_somebody_has_just_looked(world: FakeWorld) -> None:
    world.engine.load([spec()])
    world.engine.spawned("server.1", os.getpid(), 1)
    asked = Usage(world.engine)
    before = view.rows(world.engine, asked.look())
    world.engine.stop("server")
    world.engine.exited("server.1", 15, True)
    after = view.rows(world.engine, asked.look())

    assert before[0]["memory_bytes"] > 0
    assert after[0]["memory_bytes"] is None
