"""One server's output on its way into the daily log: lines, the cap, and the count of what is left out."""

from __future__ import annotations

from supervisor.base.counting import counted
from supervisor.core.actions import EXITED
from supervisor.model.rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.event import Event

MAX_HELD = 64 << 10  # of a line that has no end yet
BYTES_A_LINE = 4096  # a generous guess: how much to read back for the lines that are still free
SECOND = 1.0
MINUTE = 60.0

STEP_ENDED = "step.ended"

Pending = tuple[int, int]  # lines and bytes left out


class Output:
    """Takes chunks, gives text. Costs are per chunk: a flood is counted, not looked at line by line."""

    __slots__ = (
        "_broken",
        "_bytes_left",
        "_bytes_per_min",
        "_held",
        "_left_bytes",
        "_left_lines",
        "_left_since",
        "_lines_left",
        "_lines_per_s",
        "_minute_end",
        "_second_end",
    )

    def __init__(self, lines_per_s: int, bytes_per_min: int) -> None:
        self._lines_per_s = lines_per_s
        self._bytes_per_min = bytes_per_min
        self._lines_left = lines_per_s
        self._bytes_left = bytes_per_min
        self._second_end = 0.0
        self._minute_end = 0.0
        self._held = b""  # the start of a line
        self._broken = False  # the start of the line to come was left out
        self._left_lines = 0
        self._left_bytes = 0
        self._left_since = 0.0

    def set_limits(self, lines_per_s: int, bytes_per_min: int) -> None:
        self._lines_left += lines_per_s - self._lines_per_s
        self._bytes_left += bytes_per_min - self._bytes_per_min
        self._lines_per_s, self._bytes_per_min = lines_per_s, bytes_per_min

    @property
    def pending(self) -> Pending | None:
        """What has been left out and not been told of yet."""
        counts = (self._left_lines, self._left_bytes)
        return counts if any(counts) else None

    def note_due(self, every: float) -> float:
        """When to tell: once the burst can be over (the cap opens again), at the latest after `every` seconds."""
        opens = self._second_end if self._bytes_left > 0 else self._minute_end
        return min(max(opens, self._left_since), self._left_since + every)

    def noted(self, pending: Pending) -> None:
        self._left_lines -= pending[0]
        self._left_bytes -= pending[1]

    def room(self, now: float) -> int:
        self._renew(now)
        return max(min(self._bytes_left, self._lines_left * BYTES_A_LINE), 0)

    def take(self, data: bytes, now: float) -> str:
        """The lines of this chunk that may be shown, cleaned, without the last line end; "" for none."""
        self._renew(now)
        if self._broken:
            data = self._mend(data, now)
        data = self._held + data
        end = data.rfind(b"\n") + 1
        lines, self._held = data[:end], data[end:]
        shown = lines[: self._fitting(lines)]
        if len(shown) < len(lines):
            self._leave(lines.count(b"\n", len(shown)), 0, now)
        self._lines_left -= shown.count(b"\n")
        self._bytes_left -= len(shown)
        if len(self._held) > MAX_HELD:
            shown += self._release(now)
        return readable(shown)

    def skip(self, nbytes: int, now: float) -> None:
        """Count bytes nobody read. The line they began or ended in is no line any more."""
        self._leave(0, nbytes + len(self._held), now)
        self._held = b""
        self._broken = True

    def finish(self) -> str:
        held, self._held = self._held, b""
        return readable(held)

    def _renew(self, now: float) -> None:
        if now >= self._second_end:
            self._second_end = now + SECOND
            self._lines_left = self._lines_per_s
        if now >= self._minute_end:
            self._minute_end = now + MINUTE
            self._bytes_left = self._bytes_per_min

    def _mend(self, data: bytes, now: float) -> bytes:
        """Drop the end of the line whose start was left out."""
        end = data.find(b"\n") + 1
        self._broken = end == 0
        dropped = end or len(data)
        self._leave(0, dropped, now)
        return data[dropped:]

    def _fitting(self, lines: bytes) -> int:
        """How many bytes of these whole lines the cap lets through."""
        if len(lines) <= self._bytes_left and lines.count(b"\n") <= self._lines_left:
            return len(lines)
        if self._lines_left <= 0 or self._bytes_left <= 0:
            return 0
        rest = lines.split(b"\n", self._lines_left)[-1]
        by_lines = len(lines) - len(rest)
        return min(by_lines, lines.rfind(b"\n", 0, self._bytes_left) + 1)

    def _release(self, now: float) -> bytes:
        """A line that does not end is shown in pieces, cut where a character begins."""
        cut = MAX_HELD
        while cut > MAX_HELD - 4 and self._held[cut] & 0xC0 == 0x80:
            cut -= 1
        piece, self._held = self._held[:cut], self._held[cut:]
        if self._lines_left <= 0 or self._bytes_left < len(piece) or len(self._held) > MAX_HELD:
            self._leave(0, len(piece) + len(self._held), now)
            self._held = b""
            self._broken = True
            return b""
        self._lines_left -= 1
        self._bytes_left -= len(piece)
        return piece + b"\n"

    def _leave(self, lines: int, nbytes: int, now: float) -> None:
        if not self._left_lines and not self._left_bytes:
            self._left_since = now
        self._left_lines += lines
        self._left_bytes += nbytes


def ended_by(event: Event) -> str:
    """Whose output has come to its end with this: of a server, of a step of a run; "": nobody's."""
    if event.kind == EXITED:
        return event.service
    return f"{event.service}/{event.data.get('step')}" if event.kind == STEP_ENDED else ""


def readable(data: bytes) -> str:
    """Text of whole lines without the last line end: what is no UTF-8 or no printable character is escaped."""
    if data.endswith(b"\n"):
        data = data[:-1]
    text = data.decode("utf-8", "surrogateescape")
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "\n".join(line_of(line) for line in text.split("\n"))


def line_of(line: str) -> str:
    """One line as a terminal would have left it: of a progress bar, its last state."""
    shown = line.rstrip("\r").rpartition("\r")[2]
    return "\t".join(clean(part) for part in shown.split("\t"))


def left_out(pending: Pending) -> str:
    """`… 800 more lines` and, for what was never split into lines, how much."""
    lines, nbytes = pending
    parts = []
    if lines:
        parts.append(counted(lines, "more line"))
    if nbytes:
        parts.append(f"{_size(nbytes)} more" if not lines else _size(nbytes))
    return "… " + " and ".join(parts)


def _size(nbytes: int) -> str:
    for unit, factor in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if nbytes >= factor:
            return f"{nbytes / factor:.1f} {unit}"
    return counted(nbytes, "byte")
