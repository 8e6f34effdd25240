"""The status as text. Pure: rows in, lines out; shared by the quick path and the full one.

Imports next to nothing, because `sbctl status` is to cost no more than starting Python.
"""

from __future__ import annotations

from supervisor.model.rows import FIELDS, USED, clean, is_missed, is_missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeVar

    T = TypeVar("T")

SIGNS = {
    "running": ("●", "ok", "32"),
    "starting": ("◐", "..", "34"),
    "stopping": ("◐", "..", "34"),
    "backoff": ("▲", "!!", "33"),
    "failed": ("✖", "XX", "31"),
    "stopped": ("■", "--", "2"),
    "waiting": ("○", "~~", "34"),
    "external": ("◇", "<>", "36"),
}
UNREADY = ("▲", "!!", "33")
TITLES = ("SERVICE", "STATE", "PID", "UPTIME", "CPU", "MEM", "RESTARTS", "DETAIL")
TAKES = (4, 5)  # the columns that a narrow terminal goes without
MIN_DETAIL = 12
PLAIN = ("name", "state", "desired", "pid", "uptime_s", "restarts", "detail", *USED)


class Row:
    """One service as the `rows` frame has it; texts, but for what is computed with."""

    __slots__ = (*FIELDS, *USED)

    def __init__(self, fields: Sequence[str]) -> None:
        self.name, self.kind, self.state, self.desired, self.pid = fields[:5]
        self.uptime_s, self.restarts, self.ready, self.detail = fields[5:9]
        # A daemon of an older version does not send them.
        used = fields[9:13] if len(fields) > 12 else ("", "", "", "")
        self.cpu_percent, self.memory_bytes, self.threads, self.processes = used

    @property
    def is_wrong(self) -> bool:
        return is_missing(self.state, self.desired) or self.is_unready

    @property
    def is_missed(self) -> bool:
        return is_missed(self.state, self.desired, unready=self.is_unready)

    @property
    def is_unready(self) -> bool:
        return self.state == "running" and self.ready == "no"

    @property
    def shown(self) -> str:
        """The state in words: one that runs and can't do its work is degraded."""
        return "degraded" if self.is_unready else self.state


class Head:
    """The first line of the `rows` frame: the daemon itself."""

    __slots__ = ("pid", "problems", "remarks", "revision", "role", "started", "state", "ticks", "wall")

    def __init__(self, fields: Sequence[str]) -> None:
        self.state, self.pid, started, wall, self.ticks, self.role = fields[:6]
        self.started = float(started)
        self.wall = float(wall)
        # A daemon of an older version does not send them.
        self.revision, problems = fields[6:8] if len(fields) > 7 else ("", "0")
        self.problems = int(problems)
        self.remarks = list(fields[8:])


def parse_rows(data: bytes) -> tuple[Head, list[Row]]:
    """A `rows` frame; ValueError when it is none."""
    first, *others = data.decode("utf-8", "replace").split("\n")
    head = first.split("\t")
    rows = [line.split("\t") for line in others]
    if len(head) < 6 or any(len(row) < len(FIELDS) for row in rows):
        raise ValueError("not a frame of rows")
    return Head(head), [Row(row) for row in rows]


def duration(seconds: float) -> str:
    """The two largest units: `41s`, `4m 12s`, `3d 4h`."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m {rest}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h {minutes}m"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours}h"


def size(count: float) -> str:
    """Bytes in three digits and a letter: `840K`, `38.2M`, `1.5G`."""
    count /= 1024
    for letter in "KMG":
        if count < 1000 or letter == "G":
            break
        count /= 1024
    return f"{count:.1f}{letter}" if count < 100 and letter != "K" else f"{count:.0f}{letter}"


def percent(value: float) -> str:
    return f"{value:.1f}%" if value < 10 else f"{value:.0f}%"


class Style:
    """How to draw: colours, signs beyond ASCII, and the width to keep to (0: none)."""

    __slots__ = ("colour", "utf8", "width")

    def __init__(self, *, colour: bool = False, utf8: bool = True, width: int = 0) -> None:
        self.colour = colour
        self.utf8 = utf8
        self.width = width

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    @property
    def dot(self) -> str:
        return "·" if self.utf8 else "|"

    def sign(self, row: Row) -> tuple[str, str]:
        """The sign before the state, and its colour."""
        sign, ascii_sign, colour = UNREADY if row.is_unready else SIGNS.get(row.state, ("?", "??", "0"))
        return (sign if self.utf8 else ascii_sign), colour


def header(version: str, head: Head, state: str, home: str, style: Style) -> str:
    parts = [f"sbctl {version}", state, f"up {duration(head.wall - head.started)}", f"pid {head.pid}", clean(home)]
    return f" {style.dot} ".join(parts)


def table(rows: Sequence[Row], style: Style) -> list[str]:
    """Columns as wide as their content; the state painted; details cut at the terminal's edge."""
    titles: tuple[str, ...] = TITLES
    cells = [_cells(row, style) for row in rows]
    # Of all columns but the last, which takes what is left.
    widths = tuple(max([len(line[column]) for line in [titles, *cells]]) for column in range(len(titles) - 1))
    room = style.width - _taken(widths)
    if (style.width and room < MIN_DETAIL) or not any(row.memory_bytes for row in rows):
        titles, cells, widths = _without(titles), [_without(line) for line in cells], _without(widths)
        room = style.width - _taken(widths)
    room = max(room, MIN_DETAIL) if style.width else 0
    lines = [style.paint(_join(titles, widths).rstrip(), "1")]
    for row, line in zip(rows, cells, strict=True):
        painted = _join((*line[:-1], _cut(line[-1], room, style)), widths).rstrip()
        if style.colour:
            at = widths[0] + 2
            end = at + len(line[1])
            painted = painted[:at] + style.paint(painted[at:end], style.sign(row)[1]) + painted[end:]
        lines.append(painted)
    return lines


def _cells(row: Row, style: Style) -> tuple[str, ...]:
    uptime = duration(float(row.uptime_s)) if row.uptime_s else "-"
    cpu = percent(float(row.cpu_percent)) if row.cpu_percent else "-"
    memory = size(float(row.memory_bytes)) if row.memory_bytes else "-"
    state = f"{style.sign(row)[0]} {row.shown}"
    return (row.name, state, row.pid or "-", uptime, cpu, memory, row.restarts, row.detail)


def _taken(widths: tuple[int, ...]) -> int:
    return sum(widths) + 2 * len(widths)


def _without(columns: tuple[T, ...]) -> tuple[T, ...]:
    return columns[: TAKES[0]] + columns[TAKES[-1] + 1 :]


def _join(cells: Sequence[str], widths: tuple[int, ...]) -> str:
    return "".join([f"{cell:<{width}}  " for cell, width in zip(cells, widths, strict=False)]) + cells[-1]


def _cut(text: str, room: int, style: Style) -> str:
    if not room or len(text) <= room:
        return text
    return text[: room - 1] + "…" if style.utf8 else text[: room - 2] + ".."


def hints(rows: Iterable[Row], style: Style) -> list[str]:
    """What is wrong, and how to learn why; nothing when all is well."""
    wrong = [row.name for row in rows if row.is_wrong]
    if not wrong:
        return []
    count = "1 problem." if len(wrong) == 1 else f"{len(wrong)} problems."
    line = f"{count}  why: sbctl why {wrong[0]}    then: sbctl restart {wrong[0]}"
    return [style.paint(line, "33")]


def remarks(head: Head, style: Style) -> list[str]:
    """What a person should know beside the services: all schedules are paused, say."""
    return [style.paint(clean(remark), "33") for remark in head.remarks]


def settings_lines(head: Head, style: Style) -> list[str]:
    """That something older or less than the files say is in force; nothing when they are in order."""
    if not head.problems:
        return []
    count = "1 problem" if head.problems == 1 else f"{head.problems} problems"
    return [style.paint(f"settings: {count}, running revision {clean(head.revision)}; sbctl config validate", "33")]


def plain(rows: Iterable[Row]) -> list[str]:
    """For scripts: one service a line, fields between tabs, no titles. What is new comes last."""
    return ["\t".join([getattr(row, name) for name in PLAIN]) for row in rows]
