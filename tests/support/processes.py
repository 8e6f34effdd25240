"""Real processes: are they alive, which belong to a home, and ending every one of those."""

from __future__ import annotations

import contextlib
import os
import signal

from supervisor.base import proc

from .waiting import eventually


def alive(pid: int) -> bool:
    """Is it there and not a zombie? `kill 0` says yes to zombies."""
    return proc.is_alive(pid)


def pids_of_home(home: str) -> list[int]:
    """Every live process that carries the mark of this home, and all that descend from one.

    Three marks, since each can be lost: a process title hides the environment, a child may be given
    another environment, and a daemon's working folder may be anywhere.
    """
    marked = {pid for pid in proc.all_pids() if _has_mark(pid, home)} - _own_line()
    return sorted(pid for pid in marked | _below(marked) if alive(pid))


def end_all(home: str, timeout: float = 10.0) -> None:
    """SIGKILL everything of this home, again and again: one killed parent may just have spawned another."""
    eventually(lambda: not _kill(pids_of_home(home)), timeout, f"every process of {home} ends")


def kill(pid: int, number: int = signal.SIGKILL) -> bool:
    """Signal that process, never a stranger that got its pid meanwhile; False when it is gone."""
    started = proc.start_time(pid)
    return started is not None and proc.signal_one(pid, started, number)


def _kill(pids: list[int]) -> list[int]:
    for pid in pids:
        kill(pid)
    return pids


def _own_line() -> set[int]:
    """This process and those above it: a test's name on their command line does not make them a home's."""
    line: set[int] = set()
    pid: int | None = os.getpid()
    while pid and pid not in line:
        line.add(pid)
        pid = proc.parent_of(pid)
    return line


def _has_mark(pid: int, home: str) -> bool:
    if proc.environment_of(pid).get(b"SB_HOME") == os.fsencode(home) or _names(proc.command_of(pid), home):
        return True
    with contextlib.suppress(OSError):
        return _names(os.readlink(f"/proc/{pid}/cwd"), home)
    return False


def _names(text: str, path: str) -> bool:
    """Is this path, or one below it, in the text? Not one that merely begins alike (home1, home10)."""
    start = text.find(path)
    while start >= 0:
        after = text[start + len(path) : start + len(path) + 1]
        if not after or after in "/ \t\"'":
            return True
        start = text.find(path, start + 1)
    return False


def _below(tops: set[int]) -> set[int]:
    parents = {pid: proc.parent_of(pid) for pid in proc.all_pids()}
    found = set(tops)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - tops


def all_marked(home_id: str) -> dict[str, list[int]]:
    """Live processes that `start` of that home has spawned, by the key in their environment."""
    found: dict[str, list[int]] = {}
    for pid in proc.all_pids():
        env = proc.environment_of(pid)
        if env.get(b"SB_HOME_ID") == home_id.encode() and proc.is_alive(pid):
            found.setdefault(os.fsdecode(env[b"SB_KEY"]), []).append(pid)
    return found


def resident_kib(pid: int) -> int:
    """The memory of its own: a page that it only shares does not count."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return int(fields["RssAnon"].split()[0])


def open_files(pid: int) -> int:
    """How many descriptors it has."""
    return len(os.listdir(f"/proc/{pid}/fd"))
