"""History and faults in, verdict out."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from .check_lines import check_lines, count_lines
from .check_memory import CALM, Growth, check_memory, growths
from .check_runs import check_runs
from .check_services import check_services
from .check_slots import check_slots, expected
from .evidence import Evidence, Violation

SHOWN = 60


class Verdict(NamedTuple):
    violations: list[Violation]
    counts: dict[str, int]
    growth: list[Growth]

    @property
    def is_good(self) -> bool:
        return not self.violations

    def text(self) -> str:
        lines = [f"  {count:>9,} {what}" for what, count in self.counts.items()]
        lines += [f"  {each}" for each in self.growth]
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
    faults = Counter(fault.kind for fault in evidence.faults if fault.kind not in ("define", "start_tree", CALM))
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
