"""Processes as /proc shows them, read often without taking much of the processor from those who are measured."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

POLL_S = 0.002
PR_SET_CHILD_SUBREAPER = 36
now = time.monotonic
_ours: dict[int, subprocess.Popen[bytes]] = {}


class TookTooLong(Exception):
    """Something that must happen within a time did not."""


def adopt_orphans() -> None:
    """Whoever detaches itself becomes our child, so that at the end nobody can be left."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def allow_many_files() -> None:
    """Some peers are three processes a child, and each of them is watched by a descriptor."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most if most == resource.RLIM_INFINITY else min(most, 1 << 16), most))


def run_in_background(argv: list[str], env: dict[str, str], output: Path) -> subprocess.Popen[bytes]:
    with output.open("ab") as file:
        process = subprocess.Popen(
            argv, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    _ours[process.pid] = process
    return process


def seconds_of(argv: list[str], env: dict[str, str], timeout: float = 30.0) -> float:
    """How long a command takes that says nothing to us. `subprocess` with a timeout looks in steps of up to 50 ms."""
    began = now()
    silent = subprocess.DEVNULL
    with subprocess.Popen(argv, env=env, stdin=silent, stdout=silent, stderr=silent) as process:
        try:
            return Ends([process.pid]).wait(timeout) - began
        except TookTooLong:
            process.kill()
            raise


def wait_for(what: str, is_true: Callable[[], bool], timeout: float, poll: float = POLL_S) -> None:
    """With many processes a look takes long: whoever is looked for has the processor four fifths of the time."""
    until = now() + timeout
    began = now()
    while not is_true():
        looked = now()
        if looked > until:
            raise TookTooLong(f"{what}: not within {timeout:g} s")
        time.sleep(max(poll, 4 * (looked - began)))
        began = now()


def read(path: str) -> bytes:
    """Empty when the process has gone meanwhile."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""
    finally:
        os.close(fd)


def pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def state_and_parent(pid: int) -> tuple[str, int]:
    """("Z" and the like, parent); ("", 0) when there is no such process."""
    words = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return (words[0].decode(), int(words[1])) if words else ("", 0)


def is_alive(pid: int) -> bool:
    return state_and_parent(pid)[0] not in ("", "Z")


def ignores(pid: int, number: int) -> bool:
    lines = read(f"/proc/{pid}/status").splitlines()
    masks = [int(line.split()[1], 16) for line in lines if line.startswith(b"SigIgn:")]
    return bool(masks and masks[0] >> (number - 1) & 1)


def children_of(pid: int) -> set[int]:
    return {int(word) for word in read(f"/proc/{pid}/task/{pid}/children").split()}


def descendants(roots: Iterable[int]) -> set[int]:
    parents = {pid: state_and_parent(pid)[1] for pid in pids()}
    found = {pid for pid in roots if pid in parents}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def below_us(pid_files: Iterable[Path]) -> list[int]:
    """Of what PID files say only what this run has started: a file may be stale."""
    below = descendants([os.getpid()])
    found = []
    for file in pid_files:
        with contextlib.suppress(FileNotFoundError):
            text = file.read_text().strip()
            if text.isdigit() and int(text) in below:
                found.append(int(text))
    return found


class Arrivals:
    """Processes of one name that come up after this was made. Each look reads only what is new."""

    def __init__(self, comm: str) -> None:
        self._comm = comm.encode() + b"\n"
        self._others = set(pids())
        self.found: set[int] = set()

    def look(self) -> int:
        there = set(pids())
        self._others &= there
        for pid in there - self._others - self.found:
            # Not settled while it has another name: it may be about to exec.
            if read(f"/proc/{pid}/comm") == self._comm:
                self.found.add(pid)
        return len(self.found)


def pids_named(comm: str) -> set[int]:
    wanted = comm.encode() + b"\n"
    return {pid for pid in pids() if read(f"/proc/{pid}/comm") == wanted and is_alive(pid)}


class Ends:
    """Waits until processes have ended, by pidfd: no polling, and one at a time, so that many cost no more each."""

    def __init__(self, watched: Iterable[int]) -> None:
        self._fds: list[int] = []
        for pid in watched:
            with contextlib.suppress(ProcessLookupError):
                self._fds.append(os.pidfd_open(pid))

    def wait(self, timeout: float) -> float:
        """The moment at which the last of them ended."""
        until = now() + timeout
        while self._fds:
            poll = select.poll()
            poll.register(self._fds[-1], select.POLLIN)
            if not poll.poll(max(until - now(), 0) * 1000):
                left = len(self._fds)
                self.close()
                raise TookTooLong(f"{left} processes still run after {timeout:g} s")
            os.close(self._fds.pop())
        return now()

    def close(self) -> None:
        for fd in self._fds:
            os.close(fd)
        self._fds.clear()


class Cost(NamedTuple):
    """What processes have used up so far, and the memory they hold."""

    cpu_s: float
    switches: int
    pss_mib: float


def cost(of: Iterable[int], *, memory: bool = False) -> Cost:
    cpu, switches, pss = 0, 0, 0
    for pid in of:
        for task in tasks(pid):
            cpu += int((read(f"/proc/{pid}/task/{task}/schedstat").split() or [b"0"])[0])
            status = read(f"/proc/{pid}/task/{task}/status")
            switches += sum(int(line.split()[1]) for line in status.splitlines() if b"ctxt_switches" in line)
        if memory:
            rollup = read(f"/proc/{pid}/smaps_rollup").splitlines()
            pss += next((int(line.split()[1]) for line in rollup if line.startswith(b"Pss:")), 0)
    return Cost(cpu / 1e9, switches, pss / 1024)


def tasks(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:  # it has ended
        return []


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def kill(victims: Iterable[int]) -> None:
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def reap() -> None:
    """Orphans that came to us and have ended; our own are waited for by whoever started them."""
    for pid in children_of(os.getpid()):
        if pid in _ours:
            _ours[pid].poll()
        elif state_and_parent(pid)[0] == "Z":
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def end(roots: Iterable[int], comm: str = "") -> None:
    """SIGKILL for these, all below them, and all of that name, until none is left."""
    roots = set(roots)
    until = now() + 20
    while now() < until:
        reap()
        roots = descendants(roots)
        left = {pid for pid in roots if is_alive(pid)}
        if comm:
            left |= pids_named(comm)
        if not left:
            return
        kill(left)
        time.sleep(0.01)
    raise TookTooLong("processes that do not die by SIGKILL")


def end_everything() -> None:
    """Whatever this run has started and still runs. A second Ctrl-C waits until that is done."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        until = now() + 60
        while left := {pid for pid in children_of(os.getpid()) if is_alive(pid)}:
            end(left)  # whoever was forked meanwhile is ours now
            if now() > until:
                raise TookTooLong(f"{len(left)} processes come back again and again")
        reap()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
