"""A daemon that has done all it does for a while grows no more.

Daemons are replaced every few seconds, and a young process grows in any case. So the last third of a long soak is calm:
no fault replaces them. Of each daemon the one process is judged that has lived through it: another pid is another one.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import NamedTuple

from .evidence import Evidence, Fault, Violation

LONG_S = 300.0  # what is shorter has no calm phase, and says nothing about memory
CALM = "calm"  # stands among the faults, from the last one that may replace a daemon to the end of all
CALM_SHARE = 1 / 3
LEAST_S = LONG_S * CALM_SHARE * 0.75  # a calm phase that began so late that less is left says nothing either
THROUGH = 0.9  # of the calm phase, which a process has to have lived through
GROWTH = 0.10
ROLES = ("start", "scheduler")


class Growth(NamedTuple):
    """KiB of its own that one process had: the medians of the fifths of the calm phase. The first is its warm-up."""

    role: str
    pid: int
    lived: float  # seconds of the calm phase
    fifths: tuple[float, ...]

    @property
    def share(self) -> float:
        return self.fifths[4] / self.fifths[1] - 1

    def __str__(self) -> str:
        fifths = " ".join(f"{kib:>7.0f}" for kib in self.fifths)
        return f"{self.role:<10} pid {self.pid:>7}, {self.lived:>4.0f} s, KiB by fifths: {fifths}   {self.share:+.1%}"


class _Process(NamedTuple):
    role: str
    pid: int
    looks: list[tuple[float, int]]  # when, KiB

    @property
    def lived(self) -> float:
        return self.looks[-1][0] - self.looks[0][0]


def check_memory(evidence: Evidence, growth: list[Growth]) -> Iterator[Violation]:
    if evidence.until - evidence.began < LONG_S:
        return
    for each in growth:
        if each.share > GROWTH:
            yield Violation("growth", each.role, str(each))
    for role in sorted(set(ROLES) - {each.role for each in growth}):
        yield Violation("growth", role, f"memory could not be judged: {_why_not(evidence, role)}")


def growths(evidence: Evidence) -> Iterator[Growth]:
    calm = _calm(evidence)
    if calm is None or calm.end - calm.begin < LEAST_S:
        return
    for each in _processes(evidence, calm):
        if each.lived < (calm.end - calm.begin) * THROUGH:
            continue
        fifths: list[list[int]] = [[] for _ in range(5)]
        for at, kib in each.looks:
            fifths[min(int((at - calm.begin) / (calm.end - calm.begin) * 5), 4)].append(kib)
        if all(fifths):
            yield Growth(each.role, each.pid, each.lived, tuple(statistics.median(kibs) for kibs in fifths))


def _calm(evidence: Evidence) -> Fault | None:
    return next((fault for fault in evidence.faults if fault.kind == CALM), None)


def _processes(evidence: Evidence, calm: Fault) -> list[_Process]:
    """Those that were seen in the calm phase."""
    found: dict[tuple[str, int], _Process] = {}
    for sample in evidence.samples:
        if calm.begin <= sample.at <= calm.end:
            for role, (pid, kib) in sample.memory.items():
                found.setdefault((role, pid), _Process(role, pid, [])).looks.append((sample.at, kib))
    return list(found.values())


def _why_not(evidence: Evidence, role: str) -> str:
    calm = _calm(evidence)
    if calm is None:
        return "the soak had no calm phase"
    lengths = [f"{each.pid} for {each.lived:.0f} s" for each in _processes(evidence, calm) if each.role == role]
    return f"of {calm.end - calm.begin:.0f} s of calm there lived {', '.join(lengths) or 'nobody that was looked at'}"
