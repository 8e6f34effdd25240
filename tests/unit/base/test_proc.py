"""Who a process is: pid and start time, zombies, groups, and nobody else by mistake."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from support.children import child
from support.waiting import eventually

from supervisor.base import proc


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A helper of its own session, with a name that is hard to parse."""
    process = subprocess.Popen(
        child("grandchild", 0, "a ) b"),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={"ODD": "a=b\nc", "EMPTY": ""},
    )
    assert process.stdout
    process.stdout.readline()
    process.stdout.readline()
    yield process
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    process.stdout.close()


def test_start_time_tells_this_process_from_a_stranger(process: subprocess.Popen[str]) -> None:
    started = proc.start_time(process.pid)
    assert started is not None

    assert proc.is_alive(process.pid)
    assert proc.is_alive(process.pid, started)
    assert not proc.is_alive(process.pid, started + 1)
    assert proc.open_pidfd(process.pid, started + 1) is None
    assert not proc.signal_one(process.pid, started - 1, signal.SIGKILL)
    assert proc.is_alive(process.pid, started)


def test_a_zombie_is_dead_but_still_has_its_start_time() -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    eventually(lambda: not proc.is_alive(pid))

    assert proc.start_time(pid) is not None
    assert proc.is_there(pid)
    os.waitpid(pid, 0)
    assert proc.start_time(pid) is None
    assert not proc.is_alive(pid)
    assert not proc.is_there(pid)


@pytest.mark.parametrize("by_pidfd", [True, False])
def test_a_group_is_signalled_also_when_its_leader_has_gone(
    process: subprocess.Popen[str], by_pidfd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On old kernels by its number, on new ones by the pidfd."""
    monkeypatch.setattr(proc, "_group_by_pidfd", by_pidfd)
    (helper,) = proc.Children(process.pid).read()
    started = proc.start_time(helper)
    pidfd = os.pidfd_open(process.pid)
    process.kill()
    process.wait()
    try:
        assert proc.signal_group(pidfd, process.pid, 0)
        assert proc.signal_group(pidfd, process.pid, signal.SIGKILL)
        eventually(lambda: not proc.is_alive(helper, started))
        eventually(lambda: not proc.signal_group(pidfd, process.pid, 0), 10, "the group is empty once it is reaped")
    finally:
        os.close(pidfd)


def test_environment_and_command_of_another_process(process: subprocess.Popen[str]) -> None:
    env = proc.environment_of(process.pid)

    assert env[b"ODD"] == b"a=b\nc"
    assert env[b"EMPTY"] == b""
    assert proc.command_of(process.pid).endswith("grandchild.py 0 a ) b")
    assert proc.parent_of(process.pid) == os.getpid()
    assert process.pid in proc.Children(os.getpid()).read()


def test_a_process_that_is_not_there_has_nothing() -> None:
    pid = 2**22 + 1  # above every pid_max

    assert proc.start_time(pid) is None
    assert proc.parent_of(pid) is None
    assert proc.environment_of(pid) == {}
    assert proc.command_of(pid) == ""
    assert proc.open_pidfd(pid, 1) is None
    assert not proc.signal_one(pid, 1, signal.SIGKILL)
    assert proc.Children(pid).read() == []


def test_the_death_of_the_parent_before_the_question_is_noticed() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); from supervisor.base import proc; import os;"
    code += "print(proc.die_with_parent(os.getppid()), proc.die_with_parent(1 if os.getppid() != 1 else 2))"
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
    done = subprocess.run(
        [*child("ready")[:1], "-c", code, root], capture_output=True, text=True, check=True, timeout=10
    )

    assert done.stdout == "True False\n"
