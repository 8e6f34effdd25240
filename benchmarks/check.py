"""python -m benchmarks.check [--only start,restart] [--slack 25] [--retries 3]: is anything worse than what is kept?

What is over is measured again, since this machine may have been busy with something else. The best try counts of those
in which the others (limits, peers) were about as fast as they were; without any such try it says that nobody can tell.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import compare, options
from benchmarks.compare import Compared, Finding, best_of
from benchmarks.measuring import Taken, prepared
from benchmarks.report import number
from benchmarks.results import FILE, Results, Unreadable, read

SLACK = 25  # percent
RETRIES = 3
UNSURE = [
    f"  disturbed: each time the others moved by more than {compare.CALM}x, and only beside them ours is good or bad.",
    "  Try again when the machine does nothing else, or with more --retries.",
    "  If it is always so, the machine is no longer as it was when the results were kept: `make bench` keeps new ones.",
]
LONG = ("week", "growth", "growth-schedules")  # parts of minutes, whose quick form measures something else


def wanted(argv: list[str]) -> argparse.Namespace:
    parser = options.parser("python -m benchmarks.check", "Is anything slower, beside the others, than what is kept?")
    parser.add_argument("--slack", type=int, default=SLACK, metavar="PERCENT", help=f"how much may be worse ({SLACK})")
    parser.add_argument("--retries", type=int, default=RETRIES, metavar="N", help=f"of what is over ({RETRIES})")
    parser.add_argument("--against", type=Path, default=FILE, metavar="FILE", help="other results than the kept ones")
    parser.add_argument("--whole", action="store_true", help="all rounds, not those of a quick run")
    parser.add_argument("--all", action="store_true", help="print what has not got worse, too")
    found = parser.parse_args(argv)
    if found.slack < 0 or found.retries < 0:
        parser.error("--slack and --retries: a number from 0 on")
    found.quick = not found.whole
    found.n = found.n or options.COUNTS
    options.settle(parser, found)
    found.left_out = [] if found.only or found.whole else [part for part in found.parts if part in LONG]
    found.parts = [part for part in found.parts if part not in found.left_out]
    return found


class Check:
    """All tries of all parts."""

    def __init__(self, kept: Results, take: Callable[[str], Taken], slack: float) -> None:
        self.kept = kept
        self.take = take
        self.slack = slack
        self.tries: dict[tuple[str, str], list[Finding]] = {}
        self.failed: dict[str, str] = {}  # parts that could not be measured, and why
        self.missing: list[str] = []
        self.new: list[str] = []

    def measure(self, part: str) -> None:
        taken = self.take(part)
        if taken.failed:
            self.failed[part] = taken.failed
            return
        self.failed.pop(part, None)
        of_part = Results([figure for figure in self.kept.figures if figure.part == part], self.kept.runs)
        found: Compared = compare.compare(of_part, taken.results(), self.slack)
        again = any(name in self.tries for name in (finding.name for finding in found.findings))
        for finding in found.findings:
            self.tries.setdefault(finding.name, []).append(finding)
        if not again:
            self.missing += found.missing
            self.new += found.new

    def run(self, parts: list[str], retries: int) -> None:
        for part in parts:
            self.measure(part)
        for again in range(1, retries + 1):
            over = [part for part in parts if part in self.failed or part in self.over()]
            if over:
                print(
                    f"  .. over or disturbed, once more ({again} of {retries}): {', '.join(over)}",
                    file=sys.stderr,
                    flush=True,
                )
            for part in over:
                self.measure(part)

    def results(self) -> list[Finding]:
        return [best_of(tries) for tries in self.tries.values()]

    def over(self) -> set[str]:
        """The parts that may do better another time, or can be told then."""
        again = compare.WORSE, compare.GONE, compare.DISTURBED
        keys = {found.key for found in self.results() if found.verdict in again}
        return {figure.part for figure in self.kept.figures if figure.key in keys}

    # as text

    def lines(self, *, every: bool) -> list[str]:
        found = self.results()
        bad = [finding for finding in found if finding.verdict != compare.OK]
        lines = compare.table(sorted(found if every else bad, key=lambda finding: -finding.change)) if found else []
        lines = lines if bad or every else []
        lines += [f"  better when measured again: {self._told(finding)}" for finding in found if self._mended(finding)]
        lines += [f"  {why}" for why in self.failed.values()]
        if self.missing:
            lines.append(f"  kept, but not measured now: {', '.join(self.missing)}")
        if self.new:
            lines.append(f"  not among what is kept, so compared with nothing: {', '.join(self.new)}")
        unsure = sum(finding.verdict == compare.DISTURBED for finding in found)
        counts = [f"{len(found)} rows compared, {len(bad) - unsure} worse by more than {self.slack:.0%}"]
        counts += [f"{unsure} disturbed"] if unsure else []
        counts += [f"{len(self.failed)} parts not measured"] if self.failed else []
        return [*lines, *(UNSURE if unsure else []), ", ".join(counts)]

    def _mended(self, finding: Finding) -> bool:
        first = self.tries[finding.name][0]
        return finding.verdict == compare.OK and not (first.verdict == compare.OK and first.is_calm)

    def _told(self, finding: Finding) -> str:
        tries = self.tries[finding.name]
        changes = ", then ".join(f"{number(one.change)}x{'' if one.is_calm else ' (disturbed)'}" for one in tries)
        which = "the best" if all(one.is_calm for one in tries) else "the best that was not disturbed"
        return f"{finding.key} ({finding.row}): {changes}; {which} counts"

    @property
    def is_good(self) -> bool:
        return not self.failed and all(finding.verdict == compare.OK for finding in self.results())


def main(argv: list[str]) -> int:
    found = wanted(argv)
    try:
        kept = read(found.against)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return 2
    if not kept.figures:
        print(f"Nothing is kept in {found.against}: `make bench` does.", file=sys.stderr)
        return 2
    with prepared(found) as run:
        for why in run.missing:
            print(why)
        check = Check(kept, run.take, found.slack / 100)
        check.run(found.parts, found.retries)
    print("\n".join(check.lines(every=found.all)))
    if found.left_out:
        print(f"left out, since they take minutes: {', '.join(found.left_out)}; --whole or F= takes them")
    return 0 if check.is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
