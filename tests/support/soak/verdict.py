"""History and faults in, verdict out."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from .check_lines import check_lines, count_lines
from .check_runs import check_runs
from .check_services import check_services
from .check_slots import check_slots, expected
from .evidence import Evidence, Violation

LONG_S = 300.0  # what is shorter says little about memory: a new process grows until it has done all it does
GROWTH = 0.10
SHOWN = 60


class Growth(NamedTuple):
    """KiB of its own that a daemon had: the medians of the fifths of the time."""

    role: str
    fifths: tuple[float, ...]

    @property
    def share(self) -> float:
        return self.fifths[4] / self.fifths[1] - 1 if len(self.fifths) == 5 and self.fifths[1] else 0.0


class Verdict(NamedTuple):
    violations: list[Violation]
    counts: dict[str, int]
    growth: list[Growth]

    @property
    def is_good(self) -> bool:
        return not self.violations

    def text(self) -> str:
        lines = [f"  {count:>9,} {what}" for what, count in self.counts.items()]
        for each in self.growth:
            fifths = " ".join(f"{kib:>7.0f}" for kib in each.fifths)
            lines.append(f"  {each.role:<10} KiB by fifths: {fifths}   {each.share:+.1%}")
        by_rule = Counter(each.rule for each in self.violations)
        lines += [f"  {each}"[:2000] for each in self.violations[:SHOWN]]
        lines.append(
            f"VERDICT: {len(self.violations)} violations {dict(by_rule)}" if by_rule else "VERDICT: all is well"
        )
        return "\n".join(lines)


def judge(evidence: Evidence) -> Verdict:
    growth = list(growths(evidence))
    violations = [
        *check_slots(evidence),
        *check_runs(evidence),
        *check_services(evidence),
        *check_lines(evidence),
        *check_memory(evidence, growth),
        *(Violation("orphan", "the whole", text) for text in evidence.left),
        *(Violation("traceback", "a daemon", text) for text in evidence.tracebacks),
    ]
    return Verdict(violations, counts(evidence), growth)


def counts(evidence: Evidence) -> dict[str, int]:
    faults = Counter(fault.kind for fault in evidence.faults if fault.kind not in ("define", "start_tree"))
    return {
        "slots that had to have a row": sum(
            len(expected(job, evidence.until)[0])
            for job in evidence.jobs.values()
            if not job.definitions[-1].rule.after
        ),
        "rows of slots": len(evidence.slots),
        "runs": len(evidence.runs),
        "steps that ran": len(evidence.executions),
        "lives of services": len(evidence.lives),
        "lines of services": count_lines(evidence),
        "events": len(evidence.events),
        "looks at the processes": len(evidence.samples),
        "faults": sum(faults.values()),
        **{f"  {kind}": count for kind, count in faults.most_common()},
    }


def growths(evidence: Evidence) -> Iterator[Growth]:
    length = evidence.until - evidence.began
    for role in ("start", "scheduler"):
        fifths: list[list[int]] = [[] for _ in range(5)]
        for sample in evidence.samples:
            place = int((sample.at - evidence.began) / length * 5)
            if role in sample.memory and 0 <= place < 5:
                fifths[place].append(sample.memory[role][1])
        if all(fifths):
            yield Growth(role, tuple(statistics.median(each) for each in fifths))


def check_memory(evidence: Evidence, growth: list[Growth]) -> Iterator[Violation]:
    if evidence.until - evidence.began < LONG_S:
        return
    for each in growth:
        if each.share > GROWTH:
            yield Violation("growth", each.role, f"{each.share:+.0%}: {each.fifths} KiB")
    for role in {"start", "scheduler"} - {each.role for each in growth}:
        yield Violation("growth", role, "nobody has looked at its memory in each fifth of the time")
