"""What was measured: figures of rows, their tables for a terminal, and the same as data.

Each figure has a key that stays when its title is reworded: `part.what.count` in small letters, like `stop.tree.100`,
and each of its rows the subject's name. By these two the kept results (results.json) and a later run are compared.
Who a row is of, its name says: `sbctl...` (`bin/sbctl...`) is ours, `limit...` the least possible, one that begins
with a blank only explains the row above it, and all others are peers.
"""

from __future__ import annotations

import re
import statistics
from typing import Any

MANY = 8  # values, from which on the middle half says more than the least and the most


class Row:
    """One subject's values of one figure. With a target (of ours) it says whether that is reached.

    `wrong` is what makes the values worthless: lost data, servers that were restarted. However fast, it did not do it.
    """

    def __init__(
        self, subject: str, values: list[float], *, target: float | None = None, note: str = "", wrong: str = ""
    ) -> None:
        self.subject = subject
        self.values = values
        self.target = target
        self.note = note
        self.wrong = wrong

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def kind(self) -> str:
        """Whose it is: ours, limit, peer, or detail (of the row above)."""
        if self.subject.startswith(" "):
            return "detail"
        if self.subject.startswith(("sbctl", "bin/sbctl")):
            return "ours"
        return "limit" if self.subject.startswith("limit") else "peer"

    @property
    def middle_half(self) -> tuple[float, float]:
        """The quartiles: between them lies half of the values."""
        if len(self.values) < 2:
            return self.values[0], self.values[0]
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return low, high

    def as_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = {"subject": self.subject, "values": [float(f"{value:.5g}") for value in self.values]}
        optional = {"target": self.target, "note": self.note, "wrong": self.wrong}
        return data | {name: value for name, value in optional.items() if value not in (None, "")}


class Figure:
    """A table. Ratios in it are to ours (its first row of ours) and to the limit (its first row of a limit)."""

    def __init__(self, title: str, unit: str, *, key: str, better: str = "less", note: str = "") -> None:
        if not re.fullmatch(r"[a-z0-9.-]+", key):  # it names a file, too
            raise ValueError(f"the key of {title!r} is {key!r}: small letters, digits, dots and dashes only")
        self.key = key
        self.title = title
        self.unit = unit
        self.better = better
        self.note = note
        self.waits = 0.0  # so much of each value is a time that all of them were told to wait
        self.rows: list[Row] = []
        self.part = ""  # who measured it, and in which run: whoever keeps it says so
        self.run = ""

    def add(
        self, subject: str, values: list[float], *, target: float | None = None, note: str = "", wrong: str = ""
    ) -> None:
        if values or note or wrong:
            self.rows.append(Row(subject, values, target=target, note=note, wrong=wrong))

    def of(self, *kinds: str) -> list[Row]:
        """The rows of these kinds that have values."""
        return [row for row in self.rows if row.values and row.kind in kinds]

    def best(self, kind: str) -> Row | None:
        """By the median, of those that did it right."""
        pick = min if self.better == "less" else max
        return pick((row for row in self.of(kind) if not row.wrong), key=lambda row: row.median, default=None)

    def row(self, subject: str) -> Row | None:
        return next((row for row in self.rows if row.subject == subject), None)

    @property
    def base(self) -> float | None:
        """What the others are compared with: the median of ours."""
        return next((row.median for row in self.of("ours")), None)

    @property
    def limit(self) -> float | None:
        return next((row.median for row in self.of("limit")), None)

    def is_better(self, value: float, other: float) -> bool:
        return value < other if self.better == "less" else value > other

    def aim(self, row: Row) -> str:
        """The target as it stands in a table."""
        return "" if row.target is None else f"{'<=' if self.better == 'less' else '>='} {number(row.target)}"

    def verdict(self, row: Row) -> str:
        if row.wrong:
            return f"WRONG: {row.wrong}"
        if row.target is None or not row.values:
            return ""
        missed = self.is_better(row.target, row.median)
        return ("over" if self.better == "less" else "under") if missed else "ok"

    def lines(self) -> list[str]:
        """For a terminal."""
        cells = [["", f"median, {self.unit}", "spread", "to sbctl", "to limit", "target", ""]]
        cells += [self._cells(row) for row in self.rows]
        widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
        lines = [self.title] + ([f"  ({self.note})"] if self.note else [])
        for line in cells:
            padded = [line[0].ljust(widths[0])] + [
                cell.rjust(w) for cell, w in zip(line[1:-1], widths[1:], strict=False)
            ]
            lines.append(f"  {'  '.join(padded)}  {line[-1]}".rstrip())
        return lines

    def _cells(self, row: Row) -> list[str]:
        last = "  ".join(word for word in (self.verdict(row), row.note) if word)
        if not row.values:
            return [row.subject, "-", "", "", "", "", last]
        ratios = [ratio(row.median, self.base), ratio(row.median, self.limit)]
        return [row.subject, number(row.median), spread(row), *ratios, self.aim(row), last]

    def as_dict(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"key": self.key, "part": self.part, "run": self.run}
        facts |= {"title": self.title, "unit": self.unit, "better": self.better, "note": self.note}
        waits = {"waits": self.waits} if self.waits else {}
        return {**facts, **waits, "rows": [row.as_dict() for row in self.rows]}


def from_dict(data: dict[str, Any]) -> Figure:
    figure = Figure(data["title"], data["unit"], key=data["key"], better=data["better"], note=data["note"])
    figure.waits = data.get("waits", 0.0)
    figure.part, figure.run = data["part"], data["run"]
    for row in data["rows"]:
        given = {name: row[name] for name in ("target", "note", "wrong") if name in row}
        figure.rows.append(Row(row["subject"], row["values"], **given))
    return figure


def number(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1g}"


def ratio(value: float, base: float | None) -> str:
    return "" if not base else f"{number(value / base)}x"


def spread(row: Row) -> str:
    """The least and the most; of many values the middle half (|0.9 - 1.1|): two odd ones of fifty say nothing."""
    if len(row.values) < 2:
        return ""
    if len(row.values) < MANY:
        return f"{number(min(row.values))} - {number(max(row.values))}"
    low, high = row.middle_half
    return f"|{number(low)} - {number(high)}|"
