"""Which kills were for want of memory: counted by the kernel, claimed by one end each."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.cgroup import joining, limited_memory
from support.children import child

from supervisor.core.verdict import cause_of
from supervisor.engine.oom import VMSTAT, Counter, OomCounter, candidates, find_own, looks_like_it, oom_kills

SIGKILLED, SIGTERMED = 9, 15


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "memory.events"
    path.write_text("low 0\nhigh 0\nmax 7\noom 3\noom_kill 3\noom_group_kill 0\n")
    return path


def set_to(path: Path, count: int) -> None:
    path.write_text(f"oom_kill_disable 0\nunder_oom 0\noom_kill {count}\n")


@pytest.mark.parametrize(
    ("status", "may_be"),
    [(SIGKILLED, True), (SIGKILLED | 0x80, True), (137 << 8, True), (SIGTERMED, False), (0, False), (1 << 8, False)],
)
def test_only_what_died_of_sigkill_can_have(status: int, may_be: bool) -> None:
    assert looks_like_it(status) is may_be


def test_each_kill_explains_one_end(file: Path) -> None:
    counter = Counter(str(file))
    assert not counter.claim()
    set_to(file, 5)

    assert [counter.claim() for _ in range(3)] == [True, True, False]


def test_what_nobody_claimed_until_the_tick_was_somebody_else_s(file: Path) -> None:
    counter = Counter(str(file))
    set_to(file, 5)

    counter.forget()
    counter.forget()

    assert not counter.claim()
    set_to(file, 6)
    assert counter.claim()


def test_one_that_takes_long_to_die_is_explained_though_a_tick_comes_in_between(file: Path) -> None:
    """Found with a server of 400 MB on a busy machine."""
    counter = Counter(str(file))
    set_to(file, 4)
    counter.forget()

    assert counter.claim()

    counter.forget()
    assert not counter.claim()


def test_a_counter_that_goes_away_or_back_claims_nothing(file: Path) -> None:
    counter = Counter(str(file))
    set_to(file, 1)
    assert not counter.claim()
    file.unlink()
    assert not counter.claim()
    set_to(file, 2)
    assert counter.claim()


def test_a_file_without_the_number_is_no_counter(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("oom_kill_disable 0\noom_kill\n")

    assert oom_kills(str(tmp_path / "other")) is None
    assert oom_kills(str(tmp_path / "missing")) is None


V1 = "34 33 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory"
CPU = "35 33 0:31 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct"
V2 = "36 33 0:32 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
INSIDE = "36 33 0:32 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup ro"


@pytest.mark.parametrize(
    ("cgroups", "mounts", "files"),
    [
        (["4:memory:/a/b", "1:cpu:/"], [CPU, V1], ["/sys/fs/cgroup/memory/a/b/memory.oom_control"]),
        (["4:memory:/", "0::/"], [CPU, V1], ["/sys/fs/cgroup/memory/memory.oom_control"]),
        (["0::/system.slice/sbctl.service"], [V2], ["/sys/fs/cgroup/system.slice/sbctl.service/memory.events"]),
        (["0::/docker/1/x"], [INSIDE], ["/sys/fs/cgroup/x/memory.events"]),
        (["0::/docker/10"], [INSIDE], ["/sys/fs/cgroup/memory.events"]),
        (["0::/"], [V2], ["/sys/fs/cgroup/memory.events"]),
        (
            ["0::/own/sbctl-1-main"],
            [V2],
            ["/sys/fs/cgroup/own/memory.events", "/sys/fs/cgroup/own/sbctl-1-main/memory.events"],
        ),
        (["0::/own"], [CPU], []),
        ([], [V1, V2], []),
    ],
)
def test_where_our_own_group_is_to_be_seen(cgroups: list[str], mounts: list[str], files: list[str]) -> None:
    assert candidates(cgroups, mounts) == files


def test_the_whole_machine_has_one() -> None:
    if oom_kills(VMSTAT) is None:
        pytest.skip("this kernel counts no such kills")
    assert not Counter(VMSTAT).claim()


def test_the_kernel_s_kill_is_told_from_ours() -> None:
    """Real: a process in a cgroup of its own takes more than that may have."""
    with limited_memory(64) as folder:
        command = [*joining(folder), *child("hog", 200)]
        for number in range(2):
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                assert process.stdout
                assert process.stdin
                assert process.stdout.readline() == b"ready\n"
                assert find_own(process.pid).startswith(folder)
                counter = OomCounter(process.pid)
                assert not counter.rose()
                if number:
                    process.kill()
                else:
                    process.stdin.write(b"\n")
                    process.stdin.flush()
                assert process.wait(20) == -9
                assert counter.rose() is not bool(number)
            assert not counter.rose()


def test_the_verdict_names_it() -> None:
    cause = cause_of(SIGKILLED, asked=False, words=[], exit_codes=(0,), oom=True)

    assert (cause.kind.value, cause.text) == ("out-of-memory", "out of memory: killed by SIGKILL")
