"""Tables of what was measured, and the same as JSON.

Each figure has a key that stays when its title is reworded: `part.what.count` in small letters, like `stop.tree.100`,
and each of its rows the subject's name. By these two the kept results (results.json) and a later run are compared.
Who a row is of, its name says: `sbctl...` is ours, `limit...` the least possible, one that begins with a blank only
explains the row above it, and all others are peers.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
from typing import Any

WORST = {"less": max, "more": min}


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


class Figure:
    """A table. `base` is whom the ratios in the third column are to: ours; `limit` to the least possible."""

    def __init__(self, title: str, unit: str, *, key: str = "", better: str = "less", note: str = "") -> None:
        self.key = key or slug(title)
        self.title = title
        self.unit = unit
        self.better = better
        self.note = note
        self.rows: list[Row] = []

    def add(
        self, subject: str, values: list[float], *, target: float | None = None, note: str = "", wrong: str = ""
    ) -> None:
        if values or note or wrong:
            self.rows.append(Row(subject, values, target=target, note=note, wrong=wrong))

    def _first(self, prefix: str) -> float | None:
        found = [row.median for row in self.rows if row.values and row.subject.startswith(prefix)]
        return found[0] if found else None

    def verdict(self, row: Row) -> str:
        if row.wrong:
            return f"WRONG: {row.wrong}"
        if row.target is None or not row.values:
            return ""
        reached = row.median <= row.target if self.better == "less" else row.median >= row.target
        return "ok" if reached else ("over" if self.better == "less" else "under")

    def lines(self) -> list[str]:
        ours, limit = self._first("sbctl"), self._first("limit")
        head = ["", f"median, {self.unit}", "least - most", "to sbctl", "to limit", "target", ""]
        cells = [head]
        for row in self.rows:
            if not row.values:
                cells.append([row.subject, "-", "", "", "", "", row.note or self.verdict(row)])
                continue
            target = "" if row.target is None else f"{'<=' if self.better == 'less' else '>='} {number(row.target)}"
            spread = f"{number(min(row.values))} - {number(max(row.values))}" if len(row.values) > 1 else ""
            last = "  ".join(word for word in (self.verdict(row), row.note) if word)
            ratios = [ratio(row.median, ours), ratio(row.median, limit)]
            cells.append([row.subject, number(row.median), spread, *ratios, target, last])
        widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
        lines = [self.title] + ([f"  ({self.note})"] if self.note else [])
        for line in cells:
            padded = [line[0].ljust(widths[0])] + [
                cell.rjust(w) for cell, w in zip(line[1:-1], widths[1:], strict=False)
            ]
            lines.append(f"  {'  '.join(padded)}  {line[-1]}".rstrip())
        return lines

    def as_dict(self) -> dict[str, Any]:
        rows = [
            {
                "subject": row.subject,
                "median": row.median if row.values else None,
                "values": row.values,
                "target": row.target,
                "verdict": self.verdict(row) or None,
                "note": row.note,
                "wrong": row.wrong,
            }
            for row in self.rows
        ]
        facts = {"key": self.key, "title": self.title, "unit": self.unit, "better": self.better, "note": self.note}
        return {**facts, "rows": rows}


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def number(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1g}"


def ratio(value: float, base: float | None) -> str:
    return "" if not base else f"{number(value / base)}x"


def machine() -> dict[str, Any]:
    load = os.getloadavg()
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": [round(value, 2) for value in load],
    }


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
