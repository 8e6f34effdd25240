"""What all subjects look at: what the daemons answer, asked once, and the processes of this moment."""

from __future__ import annotations

import threading
import time

from supervisor.base import proc, procstat
from supervisor.base.errors import NO_PERMISSION, TIMED_OUT, Problem
from supervisor.cli import quick
from supervisor.cli.compiling import read_compiled
from supervisor.cli.masking import Mask
from supervisor.cli.secrets import mask_of
from supervisor.cli.unreached import role_of, scheduler_pids, trees_of
from supervisor.control.api import SCHEDULER, START
from supervisor.control.client import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.base.procstat import Stat
    from supervisor.model.home import Home

    Facts = dict[str, Any]

PATIENCE_S = 1.5  # for each daemon
LONGEST_S = 2 * PATIENCE_S  # one that answers at once and then hangs


class Heard:
    """What one daemon has said, or what was the matter."""

    __slots__ = ("health", "problem", "rows", "summary", "took")

    def __init__(self) -> None:
        self.problem: Problem | None = Problem("not asked")
        self.health: Facts = {}  # {} too of one whose version knows no such question
        self.summary: Facts = {}
        self.rows: list[Facts] = []
        self.took = 0.0

    @property
    def answers(self) -> bool:
        return self.problem is None

    @property
    def hangs(self) -> bool:
        return self.problem is not None and self.problem.code == TIMED_OUT

    @property
    def pid(self) -> int | None:
        pid = self.summary.get("pid")
        return pid if isinstance(pid, int) else None


class Exam:
    """One look at one home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.now = time.time()
        self.start = Heard()
        self.scheduler = Heard()
        self.holder: int | None = None  # the daemon of this home that has its lock
        self.trees: list[int] = []  # each `start` of this home that lives, also one that has lost its lock or hangs
        self.schedulers: list[int] = []
        self.mask = Mask()  # of what looks like a secret; and of the home's own, once they are known
        self.documents: dict[str, Facts] = {}  # the compiled settings in force, as far as they can be read

    def look(self) -> Exam:
        asking = [
            threading.Thread(target=_hear, args=(self.home, role, heard), daemon=True)
            for role, heard in ((START, self.start), (SCHEDULER, self.scheduler))
        ]
        reading = threading.Thread(target=self._read, daemon=True)
        for thread in (*asking, reading):
            thread.start()
        holder = quick.lock_holder(self.home)
        self.holder = holder if holder is not None and role_of(holder, self.home) else None
        self.trees, self.schedulers = trees_of(self.home), scheduler_pids(self.home)
        for thread in (*asking, reading):
            thread.join(LONGEST_S)
        problem = self.start.problem
        if problem is not None and problem.code == NO_PERMISSION:
            raise problem  # whoever may not ask may not see either, and would call stopped what runs
        return self

    def _read(self) -> None:
        """Files, of a disk that may hang."""
        self.documents = {role: read_compiled(self.home, role) or {} for role in (START, SCHEDULER)}
        self.mask = mask_of(self.home)

    @property
    def runs(self) -> bool:
        """Is there a tree, or a scheduler alone, well or not? (That of a killed `start` is on its way out.)"""
        return self.holder is not None or self.start.answers or bool(self.trees)

    @property
    def tops(self) -> list[int]:
        """The processes below which everything of a tree that runs is; none: no tree runs."""
        asked = (self.start.pid, self.holder, *self.trees)
        return list(dict.fromkeys(pid for pid in asked if pid is not None))

    @property
    def is_elsewhere(self) -> bool:
        """Does what answers run where pids are other ones (a container)? Then none of its pids means anything here."""
        heard = self.start if self.start.answers else self.scheduler
        if heard.pid is not None:
            return not role_of(heard.pid, self.home)
        seen = self.holder is not None or self.trees or self.schedulers
        return not seen and (self.start.hangs or self.scheduler.hangs)  # somebody has the socket, and is not to be seen

    @property
    def rows(self) -> list[Facts]:
        return [*self.start.rows, *self.scheduler.rows]

    def row(self, name: str) -> Facts | None:
        return next((row for row in self.rows if row["name"] == name), None)

    def launches(self) -> dict[str, Facts]:
        """How each service is launched, by the settings in force."""
        found: dict[str, Facts] = {}
        for document in self.documents.values():
            for service in document.get("services") or ():
                if isinstance(service, dict) and isinstance(service.get("launch"), dict):
                    found[str(service.get("name"))] = service["launch"]
        return found


def _hear(home: Home, role: str, heard: Heard) -> None:
    began = time.monotonic()
    try:
        with connect(home, role, PATIENCE_S) as client:
            client.request("ping", limit=PATIENCE_S)
            heard.took = time.monotonic() - began
            left = max(PATIENCE_S - heard.took, 0.1)
            answer = client.request("status", limit=left)
            heard.summary, heard.rows = answer["summary"], answer["rows"]
            heard.problem = None
            heard.health = client.request("health", limit=left)
    except Problem as problem:
        if not heard.summary:  # else one of an older version, which knows no such question
            heard.problem = problem


def descends(pid: int, ancestor: int) -> bool:
    """Is it that process or one below it, as of now?"""
    seen: set[int] = set()
    at: int | None = pid
    while at and at not in seen:  # up to process 1, which is a `start` in some containers
        if at == ancestor:
            return True
        seen.add(at)
        at = proc.parent_of(at)
    return False


def stat_of(pid: int | None) -> Stat | None:
    return None if pid is None else procstat.stat_of(pid)


def is_suspended(pid: int | None) -> bool:
    """Stopped by a signal or a debugger, so that it can do nothing."""
    if pid is None:
        return False
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            line = file.read(4096)
    except OSError:
        return False
    return line[line.rfind(b")") + 2 :][:1] in (b"T", b"t")


def age_of(started: int) -> float:
    """Seconds since a process of that start time began."""
    return max(time.clock_gettime(time.CLOCK_BOOTTIME) - started / procstat.TICKS_PER_S, 0.0)
