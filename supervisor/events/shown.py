"""What the servers print, on its way to the screen of `start --foreground --output`: lines, a cap, what is left out.

The raw file is the exact copy; this one is for people and collectors, as the daily log is, with a wider cap.
"""

from __future__ import annotations

import os

from supervisor.events.output import Output, left_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop, Timer

    Show = Callable[[float, str, str, list[str]], None]  # wall time, server, stream, lines

LINES_PER_S = 2000  # of one server
BYTES_PER_MIN = 64 << 20
LONGEST = 16 << 10  # characters; a longer line becomes several, as the collectors of containers would make of it
NOTE_EVERY_S = 1.0


class Shown:
    """The end of every pump, as `Logs.output` is."""

    def __init__(self, loop: Loop, show: Show) -> None:
        self._loop = loop
        self._show = show
        self._outputs: dict[tuple[str, str], Output] = {}
        self._flush: Timer | None = None

    def output(self, name: str, stream: str, fd: int, start: int, end: int) -> None:
        """Bytes were added to its raw file."""
        clock = self._loop.clock
        output = self._outputs.get((name, stream))
        if output is None:
            output = self._outputs[name, stream] = Output(LINES_PER_S, BYTES_PER_MIN)
        take = min(output.room(clock.now()), end - start)
        if take:
            try:
                text = output.take(os.pread(fd, take, start), clock.now())
            except OSError:
                take, text = 0, ""
            if text:
                self._note(name, stream, output)
                self._say(name, stream, text)
        if end - start > take:
            output.skip(end - start - take, clock.now())
        if self._flush is None and output.pending:
            self._flush = self._loop.after(NOTE_EVERY_S, self._note_all)

    def finish(self, name: str) -> None:
        """It has ended: what it wrote last is shown even without a line end."""
        for stream in ("out", "err"):
            output = self._outputs.pop((name, stream), None)
            if output is not None:
                self._note(name, stream, output)
                if rest := output.finish():
                    self._say(name, stream, rest)

    def _say(self, name: str, stream: str, text: str) -> None:
        lines = [line[at : at + LONGEST] for line in text.split("\n") for at in range(0, max(len(line), 1), LONGEST)]
        self._show(self._loop.clock.wall(), name, stream, lines)

    def _note(self, name: str, stream: str, output: Output) -> None:
        """Once what is shown goes on, or a second later; a burst is one note."""
        pending = output.pending
        if pending:
            output.noted(pending)
            self._say(name, stream, f"{left_out(pending)} (sbctl logs {name})")

    def _note_all(self) -> None:
        self._flush = None
        for (name, stream), output in list(self._outputs.items()):
            self._note(name, stream, output)
