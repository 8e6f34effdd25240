"""RESULTS.md from the kept results: what is to be reached and what was, then a section a part. Pure."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from benchmarks import lacks
from benchmarks.charts import file_name, has_chart
from benchmarks.design import ASKED
from benchmarks.report import Figure, Row, number, ratio
from benchmarks.results import Results

HEAD = """# What was measured

Written by `make bench` from `results.json`; a change by hand is lost with the next run. How it is measured and with
which settings of the peers: [docs/benchmarks.md](../docs/benchmarks.md). Seconds differ from machine to machine and
from hour to hour; **judge by ratios**, which are within one run.
"""
CHARTS = "../docs/charts"
VERDICTS = {"ok": "reached"}
NEVER_AHEAD = ("supervisord", "APScheduler")
BUSY = 10  # percent of all processors, from which on somebody else disturbs
LEGEND = """Medians of rounds that go round the subjects. *Middle half*: from the first to the third quartile.
*To sbctl*: how many times ours; *to limit*: how many times the first limit of the table.
"""


def page(results: Results) -> str:
    if not results.figures:
        return HEAD + "\nNothing has been kept yet.\n"
    parts = [HEAD, _machines(results), "## To reach, and reached\n", *_summary(results), "## Where another is ahead\n"]
    parts += [_ahead(results), "## Part by part\n", LEGEND]
    for (part, run), figures in groupby(results.figures, key=lambda figure: (figure.part, figure.run)):
        parts += [f"### {part}\n", _conditions(run, results.runs.get(run, {}))]
        parts += [_section(figure) for figure in figures]
    return "\n".join(parts).rstrip() + "\n"


def table(head: list[str], rows: list[list[str]]) -> str:
    ruler = ["---" if column == 0 else "--:" for column in range(len(head))]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in [head, ruler, *rows])


def _machines(results: Results) -> str:
    """Usually one; several when parts were measured on different ones."""
    names = ("processor", "cores", "kernel", "python", "version")
    found: dict[tuple[str, ...], str] = {}
    for when, facts in results.runs.items():
        found[tuple(str(facts.get(name, "?")) for name in names)] = when
    lines = [
        f"- {processor}, {cores} cores, Linux {kernel}, Python {python}, sbctl {version} (last on {day(when)})"
        for (processor, cores, kernel, python, version), when in found.items()
    ]
    peers = {facts["peers"]: None for facts in results.runs.values() if facts.get("peers")}
    lines += [f"- beside {names}" for names in peers]
    busy = sorted({facts["part"] for facts in results.runs.values() if _was_busy(facts)})
    if busy:
        lines.append(f"- **not alone**: others used more than {BUSY} % of the processors during {', '.join(busy)}")
    return "\n".join(lines) + "\n"


def _was_busy(facts: dict[str, Any]) -> bool:
    return bool(facts.get("others_percent", 0) + facts.get("stolen_percent", 0) > BUSY)


def day(when: str) -> str:
    return when.replace("T", " ").removesuffix("Z") + " UTC"


# what is to be reached


def _summary(results: Results) -> list[str]:
    asked = {(each.key, each.row) for each in ASKED}
    rows, missing = [], []
    for each in ASKED:
        figure = results.figure(each.key)
        row = figure.row(each.row) if figure else None
        if figure is None or row is None or not (row.values or row.wrong):
            missing.append(f"{each.words} (`{each.key}`)")
        else:
            rows.append(summary_row(each.words, figure, row))
    more = [
        summary_row(f"{figure.title}{'' if row.subject == 'sbctl' else f' ({row.subject})'}", figure, row)
        for figure in results.figures
        for row in figure.of("ours")
        if row.target is not None and (figure.key, row.subject) not in asked
    ]
    head = ["", "to reach", "reached", "best peer (to ours)", "limit (to ours)", ""]
    reached = sum(row[-1] == VERDICTS["ok"] for row in rows)
    counts = f"{reached} reached, {len(rows) - reached} not, {len(missing)} not measured"
    found = [f"{len(ASKED)} figures of the design: {counts}.\n", table(head, rows)]
    if missing:
        found.append("Not measured yet:\n\n" + "".join(f"- {words}\n" for words in missing))
    return [*found, "Beside them:\n", table(head, more)] if more else found


def summary_row(words: str, figure: Figure, row: Row) -> list[str]:
    verdict = figure.verdict(row)
    if not row.values:
        return [words, figure.aim(row), "-", "", "", verdict]
    others = [_other(figure, figure.best(kind), row) for kind in ("peer", "limit")]
    aim = f"{figure.aim(row)} {figure.unit}" if row.target is not None else ""
    if verdict in ("over", "under") and row.target:
        verdict = f"**{verdict}**, {ratio(row.median, row.target)} of it"
    return [words, aim, number(row.median), *others, VERDICTS.get(verdict, verdict)]


def _other(figure: Figure, other: Row | None, ours: Row) -> str:
    if other is None:
        return ""
    name = re.sub("^limit[,:] ", "", other.subject)
    less = ", does less" if lacks.of(figure, other.subject, ours.median) else ""
    return f"{name} {number(other.median)} ({ratio(other.median, ours.median)}{less})"


def _ahead(results: Results) -> str:
    """Every peer that is better than ours in a figure, how much, and what it does less."""
    rows = []
    for figure in results.figures:
        for peer in figure.of("peer"):
            if figure.base and not peer.wrong and figure.is_better(peer.median, figure.base):
                cells = [number(peer.median), number(figure.base), ratio(peer.median, figure.base)]
                less = lacks.of(figure, peer.subject, figure.base)
                rows.append([figure.title, figure.unit, peer.subject, *cells, less])
    if not rows:
        return "No peer is ahead of ours in any figure.\n"
    named = [row for row in rows if row[2].startswith(NEVER_AHEAD)]
    same = sum(not row[-1] for row in named)
    count = (
        f"{len(rows)} in all; {same} of them {' or '.join(NEVER_AHEAD)} at the same work, where there should be none"
    )
    more = f"; {len(named) - same} where they do less" if len(named) > same else ""
    head = ["figure", "unit", "who", "theirs", "ours", "to sbctl", "what it does not do"]
    return f"{count}{more}.\n\n" + table(head, rows)


# the sections


def _conditions(run: str, facts: dict[str, Any]) -> str:
    said = [f"{day(run)}, commit {facts.get('commit') or 'unknown'}, {facts.get('seconds', '?')} s"]
    if "load_before" in facts:
        said.append(f"load {facts['load_before']} before and {facts['load_after']} after")
        said.append(f"{facts['stolen_percent']} % of the processors stolen by the host")
        said.append(f"{facts['others_percent']} % used by other processes")
        said.append(f"bare Python {facts['bare_python_ms']} ms")
    if facts.get("quick"):
        said.append("**a quick run**")
    left_out = "".join(f" Mind: {why}." for why in facts.get("missing", []))
    return f"{'; '.join(said)}.{left_out}\n"


def _section(figure: Figure) -> str:
    lines = [f"#### {figure.title}\n"]
    if figure.note:
        lines.append(f"{figure.note[:1].upper()}{figure.note[1:]}.\n")
    head = ["", f"median, {figure.unit}", "middle half", "least - most", "of", "to sbctl", "to limit", "to reach", ""]
    lines.append(table(head, [_row(figure, row) for row in figure.rows]))
    if has_chart(figure):
        lines.append(f"![{figure.title}]({CHARTS}/{file_name(figure)})\n")
    return "\n".join(lines)


def _row(figure: Figure, row: Row) -> list[str]:
    verdict = figure.verdict(row)
    last = ", ".join(word for word in (VERDICTS.get(verdict, f"**{verdict}**" if verdict else ""), row.note) if word)
    name = f"**{row.subject}**" if row.kind == "ours" else row.subject.replace("  ", "&emsp;", 1)
    if not row.values:
        return [name, "-", "", "", "", "", "", figure.aim(row), last]
    several = len(row.values) > 1
    half = "{} - {}".format(*map(number, row.middle_half)) if several else ""
    ends = f"{number(min(row.values))} - {number(max(row.values))}" if several else ""
    ratios = [ratio(row.median, figure.base), ratio(row.median, figure.limit)]
    return [name, number(row.median), half, ends, str(len(row.values)), *ratios, figure.aim(row), last]
