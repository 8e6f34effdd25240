"""The daily log: the same events for people, and what the servers print, one file a day (UTC).

    [2026-11-21 05:20:01 UTC] chrome-history started (pid 4711)
    [2026-11-21 05:20:01 UTC] chrome-history | listening on 8080

A server's output comes in chunks that were read back from its raw file, which stays the exact copy.
Here there is a cap per server, and one line that counts what is left out.
"""

from __future__ import annotations

import os

from supervisor.base.clock import stamp
from supervisor.base.counting import counted
from supervisor.events.append import AppendFile
from supervisor.events.output import Output, left_out
from supervisor.model.rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.clock import Clock
    from supervisor.model.event import Event

OUT = "out"
ERR = "err"
NOTE_EVERY_S = 10.0
DAY_S = 86400
DETAILS = ("summary", "words")  # what of an event's data is worth lines of its own


class DailyLog:
    """Writes the file of the day; an event reader of the bus, and the end of every pump."""

    def __init__(self, folder: str, clock: Clock, lines_per_s: int = 200, bytes_per_min: int = 1 << 20) -> None:
        self._folder = folder
        self._clock = clock
        self._lines_per_s = lines_per_s
        self._bytes_per_min = bytes_per_min
        self._outputs: dict[tuple[str, str], Output] = {}  # by server and stream
        self._owing: dict[tuple[str, str], Output] = {}  # of these, where something was left out that is not told yet
        self._day = -1
        self._file: AppendFile | None = None
        self._stamped = (0, "")
        self.left_out = 0  # lines or pieces of output that are in the servers' own logs only
        self._lost = 0  # by files of earlier days

    @property
    def lost_in_all(self) -> int:
        """Lines that the disk refused."""
        return self._lost + (self._file.lost_in_all if self._file is not None else 0)

    def set_limits(self, lines_per_s: int, bytes_per_min: int) -> None:
        """From now on; what has been used of the running second and minute stays used."""
        self._lines_per_s, self._bytes_per_min = lines_per_s, bytes_per_min
        for output in self._outputs.values():
            output.set_limits(lines_per_s, bytes_per_min)

    # events

    def event(self, event: Event) -> None:
        """The event's sentence, and its details indented below it."""
        head, *more = event.text.split("\n")
        details = [event.data[key] for key in DETAILS if isinstance(event.data.get(key), list | tuple)]
        lines = [head] + [f"    {line}" for line in more]
        lines += [f"    {line}" for detail in details for line in detail]
        prefix = f"[{stamp(event.at)}] "
        self._write("".join(f"{prefix}{clean(line)}\n" for line in lines), lines=len(lines))

    # output of servers

    def output(self, name: str, data: bytes, stream: str = OUT) -> None:
        """A chunk as the server wrote it. Whole lines are shown up to the cap; the rest is counted."""
        output = self._output(name, stream)
        noted = output.pending
        text = output.take(data, self._clock.now())
        self._see(name, stream, output)
        if text:
            if noted:
                self._note(name, stream, output, noted)
            prefix = f"{self._prefix()}{name} | "
            self._write(prefix + text.replace("\n", "\n" + prefix) + "\n", lines=text.count("\n") + 1)

    def skipped(self, name: str, nbytes: int, stream: str = OUT) -> None:
        """That much of the output was not even read back."""
        output = self._output(name, stream)
        output.skip(nbytes, self._clock.now())
        self._see(name, stream, output)

    def finish(self, name: str) -> None:
        """The server has ended: what it wrote last is shown even without a line end."""
        for stream in (OUT, ERR):
            output = self._outputs.pop((name, stream), None)
            if output is not None:
                self._finish(name, stream, output)

    def _finish(self, name: str, stream: str, output: Output) -> None:
        rest = output.finish()
        if output.pending:
            self._note(name, stream, output, output.pending)
        if rest:
            self._write(f"{self._prefix()}{name} | {rest}\n")

    def room(self, name: str, now: float, stream: str = OUT) -> int:
        """How many bytes of that server are worth reading back now."""
        return self._output(name, stream).room(now)

    def flush_due(self) -> float | None:
        """When `flush` should be called; None: nothing is owed, so sleep on."""
        return min((output.note_due(NOTE_EVERY_S) for output in self._owing.values()), default=None)

    def flush(self, now: float) -> None:
        """Write the counts that are due."""
        for (name, stream), output in list(self._owing.items()):
            if output.pending and output.note_due(NOTE_EVERY_S) <= now:
                self._note(name, stream, output, output.pending)

    def close(self) -> None:
        """Who is up goes on under a successor, who knows neither what was counted of it nor its half line."""
        for (name, stream), output in self._outputs.items():
            self._finish(name, stream, output)
        self._outputs.clear()
        self._owing.clear()
        if self._file is not None:
            self._file.close()

    # inside

    def _output(self, name: str, stream: str) -> Output:
        output = self._outputs.get((name, stream))
        if output is None:
            output = self._outputs[name, stream] = Output(self._lines_per_s, self._bytes_per_min)
        return output

    def _see(self, name: str, stream: str, output: Output) -> None:
        """Whether it owes something: who asks after each chunk must not go through all servers."""
        if output.pending:
            self._owing[name, stream] = output
        else:
            self._owing.pop((name, stream), None)

    def _note(self, name: str, stream: str, output: Output, pending: tuple[int, int]) -> None:
        output.noted(pending)
        self._see(name, stream, output)
        self.left_out += max(pending[0], 1)
        self._write(f"{self._prefix()}{name} | {left_out(pending)} (sbctl logs {name})\n")

    def _prefix(self) -> str:
        """The stamp of now; made once a second, for it is the dear part of a chunk."""
        second = int(self._clock.wall() // 1)
        if self._stamped[0] != second:
            self._stamped = (second, f"[{stamp(second)}] ")
        return self._stamped[1]

    def _write(self, text: str, *, lines: int = 1) -> None:
        file = self._today()
        if file.lost and file.ready():
            notice = f"{self._prefix()}{counted(file.lost, 'line')} not written here: {file.reason}\n"
            if file.append(notice.encode(), losses=0):
                file.lost = 0
        file.append(text.encode("utf-8", "backslashreplace"), losses=lines)

    def _today(self) -> AppendFile:
        """The file of the wall clock's date, wherever the clock has jumped to."""
        day = int(self._clock.wall() // DAY_S)
        if self._file is None or day != self._day:
            lost, reason = 0, ""
            if self._file is not None:
                lost, reason = self._file.lost, self._file.reason
                self._lost += self._file.lost_in_all
                self._file.close()
            name = stamp(day * DAY_S).partition(" ")[0]
            self._file = AppendFile(os.path.join(self._folder, f"{name}.log"), self._clock)
            self._file.lost, self._file.reason = lost, reason
            self._day = day
        return self._file
