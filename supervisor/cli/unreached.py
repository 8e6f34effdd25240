"""Who runs this home when nothing listens as `start`: a scheduler alone, one that begins or ends, a tree without files.

A tree whose `logs/run` was removed or moved goes on without door and lock; a second one beside it would start every
server twice. Asked only when `start` does not answer: it looks at every process.
"""

from __future__ import annotations

import os
import time

from supervisor.base import proc
from supervisor.base.errors import FAILED, NOT_RUNNING, Problem
from supervisor.cli import quick

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

ALONE, BUSY, LOST = "alone", "busy", "lost"
ROLES = ("start", "scheduler")
BEGUN_AFTER_S = 5.0  # a `start` of this age has its socket, for it opens that before anything that may take long
CLOSING_S = 0.2  # from the end of the socket to the end of the process


class Holder:
    """A process, by pid and start time, and what it is to this home."""

    __slots__ = ("kind", "pid", "started")

    def __init__(self, kind: str, pid: int, started: int) -> None:
        self.kind = kind
        self.pid = pid
        self.started = started

    def problem(self) -> Problem:
        """Why a lost one can't be asked, and what to do about it."""
        return Problem(
            f"sbctl is running (pid {self.pid}), but its logs/run is gone",
            why="the files through which it is asked were removed or moved while it ran",
            remedy="sbctl stop ends it; then: sbctl start",
            code=FAILED,
        )


def snapshot(home: Home, problem: Problem) -> quick.Snapshot:
    """The rows of a scheduler alone; else a Problem: that of a lost tree, or the one there was."""
    holder = who_runs(home)
    if holder is not None and holder.kind == LOST:
        raise holder.problem()
    if holder is None or holder.kind != ALONE:
        raise problem
    head, rows = quick.ask_rows(home, "scheduler")
    return quick.Snapshot(head, rows, heard=True, complete=True)


def who_runs(home: Home) -> Holder | None:
    """The process that has this home's lock, or had it when the file was still there."""
    pid = quick.lock_holder(home)
    started = None if pid is None else proc.start_time(pid)
    if pid is None or started is None:
        return _find_lost(home)
    if _is_scheduler(home, pid):
        return Holder(ALONE, pid, started)
    if _age(started) > BEGUN_AFTER_S and role_of(pid, home) and _stays_silent(home, pid):
        return Holder(LOST, pid, started)
    return Holder(BUSY, pid, started)


def _is_scheduler(home: Home, pid: int) -> bool:
    """Does the scheduler that listens hold the lock itself? (That of a dead `start` may still be ending.)"""
    try:
        return quick.ask_rows(home, "scheduler")[0].pid == str(pid)
    except Problem:
        return False


def _stays_silent(home: Home, pid: int) -> bool:
    time.sleep(CLOSING_S)
    try:
        quick.ask_rows(home, "start")
    except Problem as problem:
        return problem.code == NOT_RUNNING and quick.lock_holder(home) == pid
    return False


def _find_lost(home: Home) -> Holder | None:
    for pid in proc.all_pids():
        if not role_of(pid, home):  # of most this is all that has to be asked
            continue
        started = proc.start_time(pid)  # then all over: whoever signals it later proves by this that it is the same
        if started is not None and _is_ours(pid) and role_of(pid, home) and has_another_lock(pid, home):
            return Holder(LOST, pid, started)
    return None


def scheduler_pids(home: Home) -> list[int]:
    """Of a home that no `start` runs: a scheduler that ends what it managed."""
    return [pid for pid in proc.all_pids() if role_of(pid, home) == "scheduler" and _is_ours(pid)]


def trees_of(home: Home) -> list[int]:
    """Each `start` of this very folder that lives, whoever runs it, and a scheduler that had the lock: well or not.

    By title alone, so it needs no file. Who is asked before anything is ended must rather name one too many.
    """
    found = []
    for pid in proc.all_pids():
        role = role_of(pid, home)
        if role and _sees(pid, home) and (role == "start" or has_another_lock(pid, home)):
            found.append(pid)
    return [pid for pid in found if proc.parent_of(pid) not in found]  # a child that has not become a service yet


def _sees(pid: int, home: Home) -> bool:
    """Is its folder of that name ours? In a container it may be another; where nobody can tell, it is."""
    try:
        theirs, own = os.stat(f"/proc/{pid}/root{home.path}"), os.stat(home.path)
    except OSError:
        return True
    return (theirs.st_dev, theirs.st_ino) == (own.st_dev, own.st_ino)


def _is_ours(pid: int) -> bool:
    """Our user's, and it sees the same files: in a container the same path may be another home."""
    try:
        if os.stat(f"/proc/{pid}").st_uid != os.geteuid():
            return False
        return os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
    except OSError:
        return False


def role_of(pid: int, home: Home) -> str:
    """`start` or `scheduler` of this home, by its title or its command line; else ""."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(1 << 16).rstrip(b"\0").split(b"\0")
    except OSError:
        return ""
    path = os.fsencode(home.path)
    if path not in words and not words[0].endswith(path):
        return ""
    for role in ROLES:
        name = role.encode()
        if words == [b"sbctl: %s %s" % (name, path)] or [b"--role", name, path] in (words[i : i + 3] for i in range(9)):
            return role
    return ""


def has_another_lock(pid: int, home: Home) -> bool:
    """Does it hold a lock file that is not the one at the lock's place? A `start` that just begins does not."""
    try:
        now = os.stat(home.lock_file)
        place = (now.st_dev, now.st_ino)
    except OSError:
        place = (-1, -1)
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            link = f"/proc/{pid}/fd/{name}"
            if os.readlink(link).removesuffix(" (deleted)").endswith("/start.lock"):
                held = os.stat(link)
                return (held.st_dev, held.st_ino) != place
    except OSError:  # it has just ended
        return False
    return False


def _age(started: int) -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")
