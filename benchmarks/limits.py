"""The least that is possible: a bare posix_spawn loop, in C when there is a compiler, and in Python."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks import workloads
from benchmarks.subject import Services, Subject
from benchmarks.workloads import CHILDREN


class LimitPython(Subject):
    name = "limit, Python"
    letter = "y"
    is_peer = False

    def write(self, services: Services) -> None:
        (self.folder / "settings").write_text(json.dumps([self.grace_s or 0, *services.values()]))

    def command(self) -> list[str]:
        return [sys.executable, "-I", "-S", str(CHILDREN / "limit.py"), str(self.folder / "settings")]


class LimitC(Subject):
    name = "limit, C"
    letter = "x"
    is_peer = False

    def write(self, services: Services) -> None:
        self._count = str(len(services))
        self._argv = next(iter(services.values()))

    def command(self) -> list[str]:
        grace = f"{(self.grace_s or 0) * 1000:.0f}"
        return [*workloads.command(self.work.parent, workloads.LIMIT), grace, self._count, *self._argv]


class LimitPump(Subject):
    """Output captured by 64 KiB reads and writes in one loop; no rotation, no care."""

    name = "limit, Python"
    letter = "z"
    is_peer = False
    measured_logs = True
    can_sleep = False

    def write(self, services: Services) -> None:
        jobs = [[argv, str(self.folder / f"{name}.log")] for name, argv in services.items()]
        (self.folder / "settings").write_text(json.dumps(jobs))

    def command(self) -> list[str]:
        return [sys.executable, "-I", "-S", str(CHILDREN / "limit_pump.py"), str(self.folder / "settings")]

    def raw_logs(self, service: str) -> list[Path]:
        return [self.folder / f"{service}.log"]
