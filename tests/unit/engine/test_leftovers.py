"""Who counts as left over by a killed `start`, and how they are ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest
from support.children import child
from support.fakes import FakeLoop
from support.processes import alive
from support.waiting import eventually

from supervisor.base import proc
from supervisor.engine.leftovers import Ending, find_left
from supervisor.engine.records import Record

RULE = (15, 60.0)
Start = Callable[..., int]


@pytest.fixture
def home_id() -> str:
    return f"test-of-leftovers-{os.getpid()}"


@pytest.fixture
def start(home_id: str) -> Iterator[Start]:
    """Children with or without the home's marker; says their pids."""
    started: list[subprocess.Popen[bytes]] = []

    def run(name: str = "ready", key: str = "") -> int:
        env = {"SB_HOME_ID": home_id, "SB_KEY": key} if key else {}
        process = subprocess.Popen(child(name), stdout=subprocess.PIPE, start_new_session=True, env=env)
        started.append(process)
        assert process.stdout
        process.stdout.readline()
        return process.pid

    yield run
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        assert process.stdout
        process.stdout.close()


def found(records: list[Record], home_id: str) -> list[tuple[int, str]]:
    lefts = find_left(records, home_id, RULE)
    for left in lefts:
        os.close(left.pidfd)
    return sorted((left.pid, left.key) for left in lefts)


def record(pid: int, *, off: int = 0, inode: int = 0) -> Record:
    return Record("server.1", pid, (proc.start_time(pid) or 0) + off, inode, (15, 2.0))


def inode_of(pid: int) -> int:
    fd = os.pidfd_open(pid)
    try:
        return proc.pidfd_inode(fd)
    finally:
        os.close(fd)


def test_a_record_counts_when_pid_and_start_time_match(start: Start, home_id: str) -> None:
    pid = start()

    assert found([record(pid)], home_id) == [(pid, "server.1")]
    assert found([record(pid, inode=inode_of(pid))], home_id) == [(pid, "server.1")]
    for wrong in (record(pid, off=1), record(pid, off=-1), record(2**22 + 1)):
        assert found([wrong], home_id) == []


def test_a_reused_pid_with_the_same_start_time_is_told_by_its_inode(start: Start, home_id: str) -> None:
    pid, other = start(), start()
    if inode_of(pid) == inode_of(other):
        pytest.skip("this kernel gives all pidfds one inode")

    assert found([record(pid, inode=inode_of(other))], home_id) == []


def test_the_marker_counts_without_a_record_and_once_beside_one(start: Start, home_id: str) -> None:
    pid = start(key="web.3")
    start()

    assert found([], home_id) == [(pid, "web.3")]
    assert found([record(pid)], home_id) == [(pid, "server.1")]
    assert found([], home_id + "0") == []


def test_the_one_who_asks_and_its_ancestors_are_spared(home_id: str) -> None:
    """A service may have called the `sbctl start` that looks for leftovers."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from supervisor.engine.leftovers import find_left; print(find_left([], sys.argv[2], (15, 1.0)))"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    env = {"SB_HOME_ID": home_id, "SB_KEY": "server.1"}
    done = subprocess.run(
        [*child("ready")[:1], "-c", code, root, home_id], env=env, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def test_all_are_asked_at_once_and_killed_after_their_grace(start: Start, home_id: str) -> None:
    polite, deaf = start(key="polite.1"), start("ignore_term", key="deaf.1")
    loop, done = FakeLoop(), [0]
    ending = Ending(loop, find_left([], home_id, RULE), lambda: done.__setitem__(0, done[0] + 1))
    ending.begin()
    eventually(lambda: (loop.run_soon(), not alive(polite))[1])
    loop.pass_time(59)
    assert (done, alive(deaf)) == ([0], True)

    loop.pass_time(1.5)

    eventually(lambda: (loop.run_soon(), done == [1])[1])
    assert not alive(deaf)
    loop.pass_time(100)
    assert done == [1]
    loop.close()


def test_nobody_left_is_done_but_not_within_the_call(home_id: str) -> None:
    loop, done = FakeLoop(), [0]
    Ending(loop, [], lambda: done.__setitem__(0, 1)).begin()
    assert done == [0]

    loop.run_soon()

    assert done == [1]
    loop.close()


def test_no_more_patience_means_now(start: Start, home_id: str) -> None:
    deaf = start("ignore_term", key="deaf.1")
    loop, done = FakeLoop(), [0]
    ending = Ending(loop, find_left([], home_id, RULE), lambda: done.__setitem__(0, 1))
    ending.begin()

    ending.kill_now()

    eventually(lambda: (loop.run_soon(), done == [1])[1])
    assert not alive(deaf)
    loop.close()
