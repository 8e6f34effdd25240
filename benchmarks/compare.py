"""Has anything got worse than what is kept? Pure: two sets of results in, findings out.

Seconds of two runs are never compared: ours may have got slower only as much as the others of the same figure did, the
limits where there are some, else the peers, else the start of a bare Python. So what counts is the ratio to them.

Where all are told to wait for a time first (deaf children, their grace) only what comes after it is compared: beside a
second of waiting ten times as much work would be a quarter.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable
from typing import Any, NamedTuple

from benchmarks.report import Figure, Row, number
from benchmarks.results import Results

# Whatever is counted in seconds, or per second, depends on the machine.
OF_THE_MACHINE = re.compile(r"(s|ms|us|µs)\b|.*(/s|a second)\b")
# The least difference that is one, by the beginning of the unit: below it a clock, a heartbeat or a page decides.
GRAINS = {
    "s a minute": 0.01,
    "s/GB": 0.02,
    "ms": 0.05,
    "s": 0.002,
    "a minute": 6.0,
    "MiB": 0.5,
    "bytes": 32.0,
    "files": 2.0,
    "x": 0.05,
}
AFTER_A_WAIT = 0.02  # of what comes after a wait, so much is what a timer and the processes on its way take
# Others who moved more than this, either way, had the machine not as it was kept: nothing hangs on them alone.
CALM = 1.6
WORSE, WRONG, GONE, DISTURBED, OK = "worse", "wrong", "gone", "disturbed", "ok"


class Finding(NamedTuple):
    """One row of ours, then and now."""

    key: str
    row: str
    unit: str
    was: float
    now: float
    others: float  # how much slower (above 1) or faster the others of the run were
    whose: str  # who they are
    change: float  # of ours to them: above 1 is worse
    verdict: str
    why: str = ""
    is_calm: bool = True  # the others were about where they were, or do not matter

    @property
    def name(self) -> tuple[str, str]:
        return self.key, self.row


class Compared(NamedTuple):
    findings: list[Finding]
    missing: list[str]  # figures that are kept and were not measured now
    new: list[str]  # figures that are not kept

    @property
    def bad(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.verdict != OK]


def compare(kept: Results, now: Results, slack: float) -> Compared:
    """`slack` is 0.25 for a quarter."""
    findings: list[Finding] = []
    new: list[str] = []
    for figure in now.figures:
        old = kept.figure(figure.key)
        if old is None:
            new.append(figure.key)
            continue
        pace = bare_python(kept, old), bare_python(now, figure)
        usual = 1.0 if _is_same_machine(kept.run_of(old), now.run_of(figure)) or 0 in pace else pace[1] / pace[0]
        findings += [_finding(old, row, figure, pace, slack, usual) for row in old.of("ours")]
        new += [f"{figure.key}, {row.subject.strip()}" for row in figure.of("ours") if old.row(row.subject) is None]
    there = {figure.key for figure in now.figures}
    return Compared(findings, [figure.key for figure in kept.figures if figure.key not in there], new)


def bare_python(results: Results, figure: Figure) -> float:
    return float(results.run_of(figure).get("bare_python_ms", 0))


def _is_same_machine(was: dict[str, Any], now: dict[str, Any]) -> bool:
    """On another one everybody is faster or slower, by about as much as a bare Python is."""
    return all(was.get(name) == now.get(name) for name in ("processor", "cores"))


def best_of(tries: Iterable[Finding]) -> Finding:
    """The best of the calm ones counts, but what was wrong once stays so: lost data is no noise.

    Where the others were never calm nobody can tell; a limit that was slow for a moment makes ours look good.
    """
    found = list(tries)
    wrong = [finding for finding in found if finding.verdict == WRONG]
    there = [finding for finding in found if finding.verdict != GONE]
    calm = [finding for finding in there if finding.is_calm]
    best = min(wrong or calm or there or found, key=lambda finding: (finding.verdict != OK, finding.change))
    return best if best.is_calm or best.verdict == WRONG else best._replace(verdict=DISTURBED)


def grain(unit: str, waits: float = 0.0) -> float:
    """The least difference that is one."""
    if waits:
        return AFTER_A_WAIT
    return next((least for start, least in GRAINS.items() if re.match(rf"{start}\b", unit)), 0.0)


def _finding(
    old: Figure, was: Row, new: Figure, pace: tuple[float, float], slack: float, usual: float = 1.0
) -> Finding:
    """`usual` is how much slower the others are in any case, since the machine is another one."""
    row, waits = new.row(was.subject), waits_of(old, new)
    unit = f"{old.unit} after {number(waits)}" if waits else old.unit
    before = was.median - waits
    if row is None or not row.values or row.wrong:
        verdict, why = (WRONG, row.wrong) if row and row.wrong else (GONE, row.note if row else "")
        now = row.median - waits if row and row.values else 0.0
        return Finding(old.key, was.subject, unit, before, now, 1.0, "", float("inf"), verdict, why)
    now = row.median - waits
    others, whose = _others(old, new, pace)
    least = grain(old.unit, waits)
    change = slower(old, before, now) / others
    is_worse = _is_worse(old, before, now, others, slack, least)
    moved = max(others / usual, usual / others) if whose else 1.0
    # Others that moved much matter only where ours by itself, in plain seconds, would be judged otherwise.
    is_calm = moved <= CALM or is_worse == _is_worse(old, before, now, usual, slack, least)
    verdict = WORSE if is_worse else OK
    return Finding(old.key, was.subject, unit, before, now, others, whose, change, verdict, "", is_calm)


def waits_of(old: Figure, new: Figure) -> float:
    """As it is said now, or then: what was kept long ago does not say it."""
    return new.waits or old.waits


def _is_worse(figure: Figure, was: float, now: float, others: float, slack: float, least: float) -> bool:
    """By more than the slack, and by more than a grain, where the others are so many times slower."""
    expected = was * others if figure.better == "less" else was / others
    return slower(figure, was, now) / others > 1 + slack and abs(now - expected) > least


def slower(figure: Figure, was: float, now: float) -> float:
    """How many times worse; nothing (0) becomes infinitely worse by anything."""
    better, worse = (was, now) if figure.better == "less" else (now, was)
    return worse / better if better > 0 else (1.0 if worse <= 0 else float("inf"))


def _others(old: Figure, new: Figure, pace: tuple[float, float]) -> tuple[float, str]:
    """How much slower the machine was for the others of this figure, and who they are."""
    if not OF_THE_MACHINE.match(old.unit):
        return 1.0, ""
    waits = waits_of(old, new)
    least = grain(old.unit, waits) if waits else 0.0  # a limit's 2 ms after a wait may be 4 the next time
    for kind in ("limit", "peer"):
        changes = []
        for was in old.of(kind):
            row = new.row(was.subject)
            if row and row.values and row.median > waits and was.median - waits > least:
                changes.append(slower(old, was.median - waits, row.median - waits))
        if changes:
            return statistics.median(changes), f"{len(changes)} {kind}{'s' if len(changes) > 1 else ''}"
    was_ms, now_ms = pace
    return (now_ms / was_ms, "bare Python") if was_ms > 0 and now_ms > 0 else (1.0, "nobody")


# as text


def table(findings: list[Finding]) -> list[str]:
    cells = [["figure", "row", "was", "is", "others", "so worse by", ""]]
    cells += [_cells(finding) for finding in findings]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return [f"  {'  '.join(cell.ljust(w) for cell, w in zip(line, widths, strict=True))}".rstrip() for line in cells]


def _cells(finding: Finding) -> list[str]:
    was = f"{number(finding.was)} {finding.unit}"
    if finding.verdict in (WRONG, GONE):
        why = f"WRONG: {finding.why}" if finding.verdict == WRONG else f"no value any more{_because(finding.why)}"
        return [finding.key, finding.row, was, number(finding.now) if finding.now else "-", "", "", why]
    others = f"{number(finding.others)}x ({finding.whose})" if finding.whose else ""
    last = {WORSE: "WORSE", DISTURBED: "disturbed: cannot tell"}.get(finding.verdict, "")
    return [finding.key, finding.row, was, number(finding.now), others, f"{number(finding.change)}x", last]


def _because(why: str) -> str:
    return f": {why}" if why else ""
