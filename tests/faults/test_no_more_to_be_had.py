"""R14 R15: daemons that get no descriptor, no process and no memory for a while.

What can't be done is told of each service, is nobody's crash, and is done later; questions are answered meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.injecting import attached
from support.processes import alive, kill, open_files
from support.waiting import eventually

MANY = 20


@pytest.fixture
def many(daemon: Daemon) -> Daemon:
    """One that runs, with more output than a pipe holds; many that are to be started."""
    daemon.home.supervision.update(delaysSeconds=[0.1], fastCrashSeconds=5, giveUpAfter=2)
    daemon.home.write()
    daemon.home.add_plugin("before", child("spew", 0, 50))
    for number in range(MANY):
        daemon.home.add_plugin(name_of(number), child("ready"), autoStart=False)
    return daemon.start()


def name_of(number: int) -> str:
    return f"late{number:02}"


@contextlib.contextmanager
def few_files(pid: int, count: int) -> Iterator[None]:
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def start_all(daemon: Daemon) -> None:
    daemon.ask("scheduler", "start", names=[name_of(number) for number in range(MANY)])


def stop_all(daemon: Daemon) -> None:
    daemon.ask("scheduler", "stop", names=[name_of(number) for number in range(MANY)])
    eventually(lambda: all(row["state"] == "stopped" for row in late_rows(daemon)))


def late_rows(daemon: Daemon) -> list[dict[str, Any]]:
    rows = daemon.rows()
    return [rows[name_of(number)] for number in range(MANY)]


def answers_soon(daemon: Daemon) -> str:
    began = time.monotonic()
    shown = daemon.home.sbctl("status")
    assert time.monotonic() - began < 5
    assert "Traceback" not in shown.out + shown.err
    assert "before" in shown.out, shown
    return shown.out


@pytest.mark.parametrize("role", ["scheduler", "start"])
def test_descriptors_for_half_of_them(many: Daemon, role: str) -> None:
    pids = {each: many.pid(each) for each in ("scheduler", "start")}
    start_all(many)
    eventually(lambda: all(row["state"] == "running" for row in late_rows(many)), 20)
    stop_all(many)
    base = {each: open_files(pid) for each, pid in pids.items()}  # what is kept of those that are stopped, too
    server = many.row("before")["pid"]
    with few_files(pids[role], base[role] + MANY // 2):
        start_all(many)
        shut_out = eventually(lambda: [row for row in late_rows(many) if row["state"] != "running"], 10)
        assert shut_out, "or there were descriptors enough"
        eventually(lambda: all(says_why(row) for row in late_rows(many) if row["state"] != "running"), 10)
        answers_soon(many)
        up = [row["name"] for row in late_rows(many) if row["state"] == "running"]
        assert all(alive(pid) for pid in pids.values())

    eventually(lambda: all(row["state"] == "running" for row in late_rows(many)), 20, "all run once there is room")
    for row in late_rows(many):
        assert many.events(row["name"], "service.gave_up") == []
        assert row["name"] not in up or row["restarts"] == 0
    assert many.row("before")["pid"] == server
    assert {each: many.pid(each) for each in pids} == pids
    stop_all(many)
    for each, pid in pids.items():
        eventually(lambda pid=pid, each=each: open_files(pid) <= base[each], 5, f"{each} has lost no descriptor")
    assert many.stop() == 0
    for each in pids:
        assert "Traceback" not in (many.home.path / "logs" / f"{each}.out").read_text()


def says_why(row: dict[str, Any]) -> bool:
    assert "open files" in f"{row['cause']} {row['detail']}", row
    return True


# no processes, no memory


def one_that_is_late(many: Daemon, tries: int) -> None:
    """It runs in the end; what stood in the way is told, and was no crash of the program."""
    row = many.in_phase(name_of(0), "running", 20)
    assert row["restarts"] <= tries
    kinds = [event["kind"] for event in many.events(name_of(0))]
    assert "service.exited" not in kinds, kinds
    assert "service.gave_up" not in kinds
    eventually(lambda: kinds_of(many, name_of(0)).count("service.started") == 1)
    told = " ".join(event["text"] for event in many.events(name_of(0)))
    assert "temporarily unavailable" in told or "allocate memory" in told, told
    assert alive(many.pid("start"))


def kinds_of(many: Daemon, name: str) -> list[str]:
    return [event["kind"] for event in many.events(name)]


@pytest.mark.slow
@pytest.mark.parametrize("error", ["EAGAIN", pytest.param("ENOMEM", marks=pytest.mark.slow)])
def test_a_fork_that_fails_eight_times(many: Daemon, error: str, tmp_path: Path) -> None:
    """By strace, on `start`: whatever call its C library forks with. (One try may make several.)"""
    rules = [f"{name}:error={error}:when=1..8" for name in ("clone", "clone3", "vfork")]
    with attached(many.pid("start"), tmp_path / "trace", *rules, calls=()):
        many.ask("scheduler", "start", names=[name_of(0)])
        one_that_is_late(many, 8)
    assert (tmp_path / "trace").read_text().count("(INJECTED)") == 8


@contextlib.contextmanager
def few_processes(pid: int) -> Iterator[Path]:
    """A pids cgroup (version 1) with this process alone in it, and no room left."""
    root = Path("/sys/fs/cgroup/pids")
    own = next(
        (line.split(":")[2] for line in Path("/proc/self/cgroup").read_text().splitlines() if ":pids:" in line), ""
    )
    folder = root / own.strip("/") / f"sbctl-test-{os.getpid()}-{pid}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup that limits processes can be made here: {error}")
    try:
        (folder / "cgroup.procs").write_text(str(pid))
        threads = int((folder / "pids.current").read_text())
        (folder / "pids.max").write_text(str(threads))
        yield folder
    finally:
        eventually(lambda: remove(folder), 5, f"{folder} is empty")


def remove(folder: Path) -> bool:
    """Whoever is in there goes on outside."""
    for each in (folder / "cgroup.procs").read_text().split():
        with contextlib.suppress(OSError):
            (folder.parent / "cgroup.procs").write_text(each)
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


@pytest.mark.slow
@pytest.mark.root
def test_no_process_to_be_had_for_a_while(many: Daemon) -> None:
    start = many.pid("start")
    with few_processes(start) as folder:
        for number in range(3):
            many.ask("scheduler", "start", names=[name_of(number)])
        eventually(lambda: all(late_rows(many)[number]["state"] in ("backoff", "starting") for number in range(3)))
        eventually(lambda: "temporarily unavailable" in str(many.row(name_of(1))["cause"]))
        answers_soon(many)
        used = cpu_s(start)
        began = time.monotonic()
        eventually(lambda: time.monotonic() - began > 1, 2)
        assert cpu_s(start) - used < 0.5, "it waits between its tries"
        # whoever dies meanwhile comes back, too
        kill(many.row("before")["pid"])
        (folder / "pids.max").write_text("max")
        one_that_is_late(many, 20)
        for name in (name_of(1), name_of(2), "before"):
            many.in_phase(name, "running", 20)
            assert "service.gave_up" not in kinds_of(many, name)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
