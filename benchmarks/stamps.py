"""Servers that write down when they began: a look at them takes no longer for a thousand than for ten."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from benchmarks import procs, workloads
from benchmarks.subject import Services, Subject

LINE = 32
LOOK_S = 0.0002


class Stamps:
    """The lines of all servers of one subject, as they come."""

    def __init__(self, subject: Subject, program: Path) -> None:
        subject.work.mkdir(parents=True, exist_ok=True)
        self._program = subject.work / subject.comm  # the name by which what is left of it is found and ended
        if not self._program.exists():
            shutil.copy2(program, self._program)
        self.file = subject.work / "stamps"
        self._fd = os.open(self.file, os.O_RDONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def services(self, count: int, *, stay: bool) -> Services:
        argv = [str(self._program), str(self.file), *(["stay"] if stay else [])]
        return {f"s{number:04}": argv for number in range(count)}

    @property
    def count(self) -> int:
        return os.fstat(self._fd).st_size // LINE

    def since(self, first: int) -> list[tuple[float, int]]:
        """(time of the monotonic clock, pid) of each from that line on."""
        data = os.pread(self._fd, (self.count - first) * LINE, first * LINE)
        return [(int(data[at : at + 20]) / 1e9, int(data[at + 21 : at + 31])) for at in range(0, len(data), LINE)]

    def wait(self, what: str, count: int, timeout: float, look: float = LOOK_S) -> None:
        """Until there are so many in all."""
        procs.wait_for(what, lambda: self.count >= count, timeout, look)

    def close(self) -> None:
        os.close(self._fd)


def compiled(work: Path) -> Path | None:
    """None where nothing could be compiled: in Python its own start would be most of what is measured."""
    return work / "bin" / "stamp" if workloads.is_built(work) else None
