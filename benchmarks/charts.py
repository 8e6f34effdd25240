"""A figure as an SVG: a bar a row, ours in colour, the spread as a line, the target as a mark. Pure, and by hand.

The colours are chosen for a light and a dark page; who hears a page gets the title and every value.
"""

from __future__ import annotations

import math
import textwrap
from html import escape

from benchmarks.report import Figure, Row, number

WIDTH, ROW, BAR = 760, 26, 16
LETTER = 7.7  # a letter of 13 px, bold, in a wide font
RIGHT = 70  # for the value beside the longest bar
LINE = 22  # of the title
WIDE_RANGE = 30  # times: from there on short bars could not be told apart
STYLE = """
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:15px}.own{font-weight:600}
.small{font-size:11px;fill:#59636e}
.ours{fill:#0a69da}.peer{fill:#a9b4c0}.limit{fill:#5fa777}.spread{stroke:#1f2328;opacity:.55}.grid{stroke:#d1d9e0}
.target{stroke:#cf222e;stroke-width:1.5;stroke-dasharray:4 3}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.ours{fill:#4493f8}.peer{fill:#57606a}
.limit{fill:#3f8f5b}.spread{stroke:#e6edf3}.grid{stroke:#3d444d}.target{stroke:#ff7b72}}
"""


def file_name(figure: Figure) -> str:
    return f"{figure.key}.svg"


def has_chart(figure: Figure) -> bool:
    """Only where there is something to compare."""
    return len(charted(figure)) > 1


def charted(figure: Figure) -> list[Row]:
    return figure.of("ours", "peer", "limit")


class Scale:
    """From a value to its place between 0 and 1; by its logarithm where the values differ much."""

    def __init__(self, values: list[float]) -> None:
        most = max(values)
        least = min((value for value in values if value > 0), default=0.0)
        self.is_log = least > 0 and most / least > WIDE_RANGE
        self.most = most or 1.0
        # A whole power of ten below the least, so that its bar can be seen.
        self.least = 10.0 ** math.floor(math.log10(least / 1.2)) if self.is_log else 0.0

    def place(self, value: float) -> float:
        if self.is_log:
            at = math.log(max(value, self.least) / self.least) / math.log(self.most / self.least)
        else:
            at = value / self.most
        return min(max(at, 0.0), 1.0)

    def ticks(self) -> list[float]:
        if self.is_log:
            first = round(math.log10(self.least))
            found = [10.0**power for power in range(first, math.floor(math.log10(self.most)) + 1)]
            return found[:: math.ceil(len(found) / 6)]
        power = 10.0 ** math.floor(math.log10(self.most))
        step = next(power * part for part in (0.2, 0.5, 1.0, 2.0) if self.most / (power * part) <= 5.001)
        return [step * number for number in range(int(self.most / step * 1.0001) + 1)]


class Drawing:
    """Where everything is, and the lines of the SVG."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.rows = charted(figure)
        ends = [end for row in self.rows for end in (min(row.values), max(row.values))]
        self.scale = Scale(ends + [row.target for row in self.rows if row.target is not None])
        self.title = textwrap.wrap(figure.title, 82)
        self.left = 24 + max(len(row.subject) for row in self.rows) * LETTER
        self.top = 14 + LINE * len(self.title) + 16
        self.bottom = self.top + ROW * len(self.rows)

    def x(self, value: float) -> float:
        return self.left + self.scale.place(value) * (WIDTH - RIGHT - self.left)

    def text(self) -> str:
        height = self.bottom + 26
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(self.figure.title)}</title>',
            f'<desc id="desc">{escape(described(self.figure))}</desc>',
            f"<style>{STYLE}</style>",
            *self._heading(),
            *self._grid(),
        ]
        for at, row in enumerate(self.rows):
            lines += self._bar(row, self.top + ROW * at)
        return "\n".join([*lines, "</svg>", ""])

    def _heading(self) -> list[str]:
        lines = [
            f'<text class="title" x="12" y="{24 + LINE * at}">{escape(line)}</text>'
            for at, line in enumerate(self.title)
        ]
        return [*lines, f'<text class="small" x="12" y="{self.top - 6}">{escape(axis(self.figure, self.scale))}</text>']

    def _grid(self) -> list[str]:
        lines = []
        for tick in self.scale.ticks():
            x = f"{self.x(tick):.1f}"
            lines.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{self.top}" y2="{self.bottom}"/>')
            lines.append(
                f'<text class="small" text-anchor="middle" x="{x}" y="{self.bottom + 16}">{number(tick)}</text>'
            )
        return lines

    def _bar(self, row: Row, y: float) -> list[str]:
        middle, end = y + ROW / 2, self.x(row.median)
        low, high = self.x(min(row.values)), self.x(max(row.values))
        own = 'class="own" ' if row.kind == "ours" else ""
        lines = [
            f'<text {own}text-anchor="end" x="{self.left - 8:.1f}" y="{middle + 4.5}">{escape(row.subject)}</text>',
            f'<rect class="{row.kind}" x="{self.left:.1f}" y="{middle - BAR / 2}" '
            f'width="{max(end - self.left, 1):.1f}" height="{BAR}" rx="2"/>',
        ]
        if len(row.values) > 1:
            lines.append(f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>')
        if row.target is not None:
            x = f"{self.x(row.target):.1f}"
            lines.append(f'<line class="target" x1="{x}" x2="{x}" y1="{y + 1}" y2="{y + ROW - 1}"/>')
            high = max(high, self.x(row.target))
        return [*lines, f'<text x="{max(end, high) + 6:.1f}" y="{middle + 4.5}">{number(row.median)}</text>']


def chart(figure: Figure) -> str:
    return Drawing(figure).text()


def axis(figure: Figure, scale: Scale) -> str:
    words = [figure.unit, f"{figure.better} is better"]
    if scale.is_log:
        words.append("logarithmic scale")
    if any(row.target is not None for row in charted(figure)):
        words.append("dashed: to reach")
    return "; ".join(words)


def described(figure: Figure) -> str:
    """All of it in words."""
    rows = [f"{row.subject} {number(row.median)}" for row in charted(figure)]
    aims = [f"to reach: {row.subject} {figure.aim(row)}" for row in charted(figure) if row.target is not None]
    return f"Medians in {figure.unit}, {figure.better} is better. {'; '.join([*rows, *aims])}."
