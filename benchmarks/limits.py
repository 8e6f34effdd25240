"""The least that is possible: a bare posix_spawn loop, in C when there is a compiler, and in Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.subject import Services, Subject

CHILDREN = Path(__file__).parent / "children"


class LimitPython(Subject):
    name = "limit, Python"
    letter = "y"

    def write(self, services: Services) -> None:
        (self.folder / "settings").write_text(json.dumps(list(services.values())))

    def command(self) -> list[str]:
        return [sys.executable, "-I", "-S", str(CHILDREN / "limit.py"), str(self.folder / "settings")]


class LimitC(Subject):
    name = "limit, C"
    letter = "x"

    def write(self, services: Services) -> None:
        self._count = str(len(services))
        self._argv = next(iter(services.values()))

    def command(self) -> list[str]:
        return [str(self.work.parent / "limit"), self._count, *self._argv]


def compile_limit(work: Path) -> str:
    """Why there is no limit in C; empty when there is one."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return "no C compiler"
    argv = [compiler, "-O2", "-o", str(work / "limit"), str(CHILDREN / "limit.c")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


class LimitPump(Subject):
    """Output captured by 64 KiB reads and writes in one loop; no rotation, no care."""

    name = "limit, Python"
    letter = "z"
    measured_logs = True
    can_sleep = False

    def write(self, services: Services) -> None:
        jobs = [[argv, str(self.folder / f"{name}.log")] for name, argv in services.items()]
        (self.folder / "settings").write_text(json.dumps(jobs))

    def command(self) -> list[str]:
        return [sys.executable, "-I", "-S", str(CHILDREN / "limit_pump.py"), str(self.folder / "settings")]

    def raw_logs(self, service: str) -> list[Path]:
        return [self.folder / f"{service}.log"]
