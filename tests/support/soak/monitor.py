"""Looks at the processes of a home all the while: who is there at once, what the daemons weigh."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from supervisor.base import proc

from .chronicle import Chronicle
from .evidence import Sample
from .hands import Hands

LATE_S = 0.7  # a look that comes so late tells that nobody else was let run in time either


class Monitor(threading.Thread):
    """A thread of the driver, from `start` to `end`."""

    def __init__(self, hands: Hands, chronicle: Chronicle, lives: Path, every: float) -> None:
        super().__init__(name="monitor", daemon=True)
        self.samples: list[Sample] = []
        self.errors: list[Exception] = []
        self._hands = hands
        self._chronicle = chronicle
        self._lives = lives
        self._every = every
        self._over = threading.Event()
        self._known: set[str] = set()
        self._alive: dict[str, tuple[str, int, int]] = {}  # by path: service, pid, ticks

    def run(self) -> None:
        before = time.time()
        while not self._over.wait(self._every):
            now = time.time()
            if now - before - self._every > LATE_S:
                with self._chronicle.act("machine_stalled", since=before):
                    pass
            try:
                self.samples.append(self._look(now))
            except Exception as error:
                self.errors.append(error)
            before = time.time()

    def end(self) -> None:
        self._over.set()
        self.join()

    def _look(self, now: float) -> Sample:
        memory = {}
        for role in ("start", "scheduler"):
            pid = self._hands.pid(role)
            kib = own_kib(pid) if pid else 0
            if kib:
                memory[role] = (pid, kib)
        return Sample(now, self._mains(), memory)

    def _mains(self) -> dict[str, tuple[str, ...]]:
        self._find_new()
        found: dict[str, list[str]] = {}
        for path, (service, pid, ticks) in list(self._alive.items()):
            if proc.is_alive(pid, ticks):
                found.setdefault(service, []).append(path)
            else:
                del self._alive[path]
        mains = {}
        for service, paths in found.items():
            # One may have ended, and the next begun, between the two looks.
            still = [path for path in paths if len(paths) == 1 or proc.is_alive(*self._alive[path][1:])]
            mains[service] = tuple(os.path.basename(path) for path in still)
        return mains

    def _find_new(self) -> None:
        for folder in os.scandir(self._lives):
            for entry in os.scandir(folder):
                if entry.path not in self._known and not entry.name.startswith("."):
                    self._known.add(entry.path)
                    pid, _, ticks = entry.name.partition(" ")[0].partition("-")
                    self._alive[entry.path] = (folder.name, int(pid), int(ticks))


def own_kib(pid: int) -> int:
    """Memory that no other process shares with it; 0: it is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii", errors="replace") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
    except OSError:
        return 0
    return sum(int(fields.get(name, "0").split()[0]) for name in ("Private_Clean", "Private_Dirty"))
