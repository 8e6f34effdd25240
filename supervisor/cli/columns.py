"""Rows of cells as columns: as wide as their content, the last one cut at the terminal's edge. Pure."""

from __future__ import annotations

from supervisor.model.rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.cli.table import Style

    Cell = str | tuple[str, str]  # a text, or a text and the code of its colour

MIN_LAST = 12
GAP = "  "


def columns(titles: Sequence[str], rows: Sequence[Sequence[Cell]], style: Style) -> list[str]:
    """The titles, then a line for each row. A column in which nothing stands is left out."""
    texts = [[clean(_text(cell)) for cell in row] for row in rows]
    kept = [at for at in range(len(titles)) if not rows or any(row[at] for row in texts)]
    widths = [max([len(titles[at]), *(len(row[at]) for row in texts)]) for at in kept]
    before = sum(widths[:-1]) + len(GAP) * (len(kept) - 1)
    room = max(style.width - before, MIN_LAST) if style.width else 0
    lines = [style.paint(_joined([titles[at] for at in kept], widths), "1")]
    for row, cells in zip(texts, rows, strict=True):
        shown = [row[at] for at in kept]
        shown[-1] = cut(shown[-1], room, style)
        lines.append(_painted(shown, [_colour(cells[at]) for at in kept], widths, style))
    return lines


def cut(text: str, room: int, style: Style) -> str:
    if not room or len(text) <= room:
        return text
    return text[: room - 1] + "…" if style.utf8 else text[: room - 2] + ".."


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _painted(cells: Sequence[str], colours: Sequence[str], widths: Sequence[int], style: Style) -> str:
    if not style.colour or not any(colours):
        return _joined(cells, widths)
    parts = [
        (style.paint(cell, colour) if colour and cell else cell) + " " * (width - len(cell))
        for cell, colour, width in zip(cells, colours, widths, strict=True)
    ]
    return GAP.join(parts).rstrip()


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _colour(cell: Cell) -> str:
    return "" if isinstance(cell, str) else cell[1]
