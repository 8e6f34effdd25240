"""A service in a cgroup of its own, in the kernel's tree: nobody gets out of it, and it is gone with its service."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes import FakeLoop
from support.processes import alive
from support.waiting import eventually

from supervisor.base import proc
from supervisor.engine.cgroup import find_own
from supervisor.engine.entries import Ends, Entry
from supervisor.engine.records import RecordFile
from supervisor.engine.store import Store
from supervisor.model.launch import Launch
from supervisor.model.limits import START, KernelLimits

BASE, WHY = find_own("/proc/self/mountinfo", "/proc/self/cgroup")
pytestmark = pytest.mark.skipif(not BASE, reason=WHY)

# A grandchild in a session of its own, without our marks, whose parent has gone.
ESCAPE = """
import os, signal, sys
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", sys.argv[1]], {})
signal.pause()
"""
STRAY = "import os, signal; signal.signal(15, signal.%s); os.write(1, b'pid %%d' %% os.getpid()); signal.pause()"


class Group:
    """A store, and a service that has asked for a limit that this machine may or may not have."""

    def __init__(self, folder: Path) -> None:
        self.loop = FakeLoop()
        self.home_id = f"test{os.getpid()}{folder.name[-8:]}"
        self.records = RecordFile(str(folder / "records"), boot=proc.boot_id(), home_id=self.home_id)
        self.records.open()
        base = {"PATH": os.environ["PATH"]}
        self.store = Store(self.loop, self.records, base_env=base, home_id=self.home_id, open_files=64)
        self.read_fd = -1
        self.told: list[str] = []

    def exited(self, entry: Entry) -> None:
        self.told.append(f"exited {entry.empty}")

    def emptied(self, entry: Entry) -> None:
        self.told.append("emptied")

    def spawn(self, answer: str = "SIG_DFL", *, if_refused: str = START) -> tuple[Entry, int]:
        """The entry, and the pid of the one that got away."""
        limits = KernelLimits(cgroup={"pids_max": 100}, if_refused=if_refused)
        argv = (sys.executable, "-I", "-S", "-c", ESCAPE, STRAY % answer)
        self.read_fd, write_fd = os.pipe()
        ends = Ends(out_write=write_fd)
        entry = self.store.spawn(
            self, "web.1", Launch(argv=argv, cwd="/", log="", limits=limits), ends=ends, stop=(15, 1.0)
        )
        os.set_blocking(self.read_fd, False)
        return entry, eventually(self._pid)

    def _pid(self) -> int:
        try:
            text = os.read(self.read_fd, 4096)  # what was refused comes first
        except BlockingIOError:
            return 0
        return int(text.partition(b"pid ")[2] or 0)

    def settled(self, entry: Entry) -> bool:
        self.store.reap()
        self.loop.pass_time(0.1)
        return entry.empty


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    group = Group(tmp_path)
    yield group
    for entry in list(group.store.entries.values()):
        group.store.signal_entry(entry, signal.SIGKILL)
        eventually(lambda entry=entry: group.settled(entry))  # type: ignore[misc]
        group.store.drop(entry.key)
    if group.read_fd >= 0:
        os.close(group.read_fd)
    group.records.close()
    group.loop.close()


def folders(group: Group) -> list[str]:
    return [name for name in os.listdir(BASE) if name.startswith(f"sbctl-{group.home_id}-web")]


def test_whoever_gets_away_is_still_of_the_service_and_ended_with_it(group: Group) -> None:
    entry, stray = group.spawn()
    assert folders(group) == [f"sbctl-{group.home_id}-web.1"]
    assert os.getpgid(stray) != entry.pid

    group.store.signal("web.1", signal.SIGTERM)
    eventually(lambda: group.settled(entry))

    assert not alive(stray)
    assert folders(group) == []


def test_one_that_will_not_go_keeps_the_service_up_until_it_is_killed(group: Group) -> None:
    entry, stray = group.spawn("SIG_IGN")
    group.store.signal("web.1", signal.SIGTERM)
    eventually(lambda: (group.settled(entry), group.told)[1])

    assert (group.told, entry.empty, alive(stray)) == (["exited False"], False, True)
    group.store.signal("web.1", signal.SIGKILL)
    eventually(lambda: group.settled(entry))
    assert (group.told, alive(stray), folders(group)) == (["exited False", "emptied"], False, [])


def test_a_limit_that_this_kernel_has_is_in_force_and_one_that_it_has_not_is_refused(group: Group) -> None:
    with open(f"{BASE}/cgroup.controllers", encoding="ascii") as file:
        there = "pids" in file.read().split()
    limits = KernelLimits(cgroup={"pids_max": 100})
    argv = ("/bin/sh", "-c", f"cat {BASE}$(sed -n s/^0:://p /proc/self/cgroup)/pids.max")
    read_fd, write_fd = os.pipe()
    group.read_fd = read_fd
    entry = group.store.spawn(
        group, "web.1", Launch(argv=argv, cwd="/", log="", limits=limits), ends=Ends(-1, write_fd), stop=(15, 1.0)
    )
    eventually(lambda: group.settled(entry))

    said = os.read(read_fd, 4096).decode()
    if there:
        assert (entry.status, said) == (0, "100\n")
    else:
        assert entry.status == 126 << 8
        assert (
            said == "sbctl: cannot set limit cgroup.processes: the cgroup controller pids is not delegated to sbctl\n"
        )
    assert folders(group) == []
