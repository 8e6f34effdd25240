"""A status that stays on one screen: what is drawn again and again must not scroll its own head away. Pure."""

from __future__ import annotations

from supervisor.cli import ansi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.cli.table import Row


def fit(lines: Sequence[str], rows: Sequence[Row], first: int, width: int, height: int, *, utf8: bool) -> list[str]:
    """At most `height` lines of at most `width` columns; 0: no limit.

    `first`: the line with the first of `rows`. Those that are not as they should be stay longest, in their place.
    """
    fitted = list(lines)
    room = len(rows) - (len(lines) - height + 1)
    if height > 0 and len(lines) > height:
        # Too low for anything but the head: the remarks below go, then it is cut.
        if room < 1:
            fitted = fitted[: first + len(rows)]
            room = max(height - first - 1, 0)
        by_need = sorted(range(len(rows)), key=lambda number: not rows[number].is_missed)
        kept = sorted(by_need[:room])
        more = _more([row for number, row in enumerate(rows) if number not in kept], utf8=utf8)
        chosen = [fitted[first + number] for number in kept]
        fitted = [*fitted[:first], *chosen, *more, *fitted[first + len(rows) :]][:height]
    return [_cut(line, width) for line in fitted] if width else fitted


def _more(hidden: Sequence[Row], *, utf8: bool) -> list[str]:
    """Who has no room: how many, and whether that is worth a larger window."""
    if not hidden:
        return []
    wrong = sum(1 for row in hidden if row.is_missed)
    dots = "…" if utf8 else "..."
    return [f"{dots} and {len(hidden)} more" + (f", {wrong} of them not running as wanted" if wrong else "")]


def _cut(line: str, width: int) -> str:
    """By what is seen of it: colours take no room, and tabs as much as the terminal gives them."""
    seen, parts, end = 0, [], 0
    for found in [*ansi.SGR.finditer(line), None]:
        text = ansi.without_tabs(line[end : found.start() if found else len(line)], seen)
        parts.append(text[: width - seen])
        seen += len(parts[-1])
        if found:
            parts.append(found[0])  # also beyond the edge: there its colour ends
            end = found.end()
    return "".join(parts)
