"""Start times by the clock are those of the kernel."""

from __future__ import annotations

import os

import pytest

from supervisor.base import proc
from supervisor.base.start_times import COMPARED, TICK_NS, StartTimes, now


def a_child() -> int:
    return os.posix_spawn("/bin/sleep", ["sleep", "30"], os.environ)


def test_they_are_those_of_the_kernel() -> None:
    times = StartTimes()
    for _ in range(30):
        before = now()
        pid = a_child()
        try:
            assert times.of(pid, before, now()) == proc.start_time(pid)
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


def test_procfs_is_asked_at_first_and_where_the_clock_can_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(proc, "start_time", lambda pid: asked.append(pid) or 50)
    times = StartTimes()

    assert [times.of(pid, 50 * TICK_NS, 50 * TICK_NS + 5) for pid in range(COMPARED + 2)] == [50] * (COMPARED + 2)
    assert asked == list(range(COMPARED))

    assert times.of(77, 51 * TICK_NS - 1, 51 * TICK_NS) == 50
    assert asked[-1] == 77


def test_a_kernel_that_counts_otherwise_is_always_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc, "start_time", lambda pid: 1000 + pid)
    times = StartTimes()

    assert [times.of(pid, 50 * TICK_NS, 50 * TICK_NS) for pid in range(9)] == [1000 + pid for pid in range(9)]


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc, "start_time", lambda pid: None)
    times = StartTimes()

    assert times.of(1, now(), now()) is None
