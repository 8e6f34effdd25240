"""The journal: every event as one line of JSON, numbered, written by one process (the scheduler).

A number is `EPOCH.N`: N counts from 1 since this journal was opened, EPOCH grows with each opening, so
numbers grow for ever though nothing is kept but the lines themselves. A gap in N is an event that
the disk refused. Nothing is ever flushed by force: the kernel has the line when `write` returns,
and a daemon must not wait for a disk.
"""

from __future__ import annotations

from supervisor.base import jsons
from supervisor.base.clock import SystemClock, iso
from supervisor.events import reading
from supervisor.events.append import AppendFile
from supervisor.model.event import ERROR, Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from supervisor.base.clock import Clock

_plain = jsons.encoder(ascii=False, nan=False, default=repr)
_ascii = jsons.encoder(nan=False, default=repr)


class Journal:
    """Writes events; a reader of the bus, and the first one."""

    def __init__(
        self, path: str, epoch: int, *, max_bytes: int = 50 << 20, keep: int = 3, clock: Clock | None = None
    ) -> None:
        self.path = path
        self._clock = clock or SystemClock()
        self._number = 0
        self._file = AppendFile(path, self._clock, max_bytes=max_bytes, keep=keep)
        # The wall clock may have been set back since the last opening; numbers must grow all the same.
        self.epoch = max(epoch, _last_epoch(path) + 1)

    def write(self, event: Event) -> None:
        """Number the event and append it. Never raises and never waits."""
        if self._file.lost and self._file.ready():
            self._confess()
        event.seq = self._next_seq()
        self._file.append(encode_line(event))

    @property
    def lost(self) -> int:
        """Events that are not in the file because the disk refused them, since the last confession."""
        return self._file.lost

    @property
    def lost_in_all(self) -> int:
        """The same since this journal was opened."""
        return self._file.lost_in_all

    def close(self) -> None:
        self._file.close()

    # reading back

    def tail(self, limit_bytes: int = 256 << 10) -> list[dict[str, Any]]:
        """The events in the last bytes, oldest first."""
        return reading.tail(self.path, limit_bytes)

    def past_of_runs(self, starts: str) -> list[dict[str, Any]]:
        """All that was told of runs lately, and each event of the kind `starts`, oldest first."""
        return reading.past_of_runs(self.path, starts)

    def told_runs(self, runs: Iterable[str], kinds: frozenset[str]) -> set[str]:
        """Those of these runs of which it has an event of such a kind, however much was told after it."""
        return reading.told_runs(self.path, runs, kinds)

    def read_since(self, seq: str, limit: int = 1000) -> list[dict[str, Any]]:
        """Up to `limit` events after the one numbered `seq` ("": from the oldest kept)."""
        return reading.read_since(self.path, seq, limit)

    def last(self, count: int, service: str | None = None) -> list[dict[str, Any]]:
        """The last events (of one service), oldest first."""
        return reading.last(self.path, count, service)

    # writing

    def _next_seq(self) -> str:
        self._number += 1
        return f"{self.epoch}.{self._number}"

    def _confess(self) -> None:
        count = self._file.lost
        noun = "event was" if count == 1 else "events were"
        event = Event(
            "journal.dropped",
            f"{count} {noun} not written here: {self._file.reason}",
            at=self._clock.wall(),
            level=ERROR,
            source="scheduler",
            seq=self._next_seq(),
            data={"count": count, "reason": self._file.reason},
        )
        if self._file.append(encode_line(event), losses=0):
            self._file.lost = 0


def encode_line(event: Event) -> bytes:
    """One line, whatever a program may have put into the texts; readable as it stands where it can be."""
    record = event.as_dict()
    record["at"] = iso(event.at)
    try:
        text = _plain(record)
        # JSON escapes the ASCII controls only; other line ends, direction marks and bytes that were no
        # text (lone surrogates) need the plainer form.
        if not text.isprintable():
            text = _ascii(record)
    except (TypeError, ValueError, RecursionError):
        record["data"] = {"unreadable": repr(event.data)[:1000]}
        text = _ascii(record)
    return text.encode() + b"\n"


def _last_epoch(path: str) -> int:
    return max((reading.number_of(record)[0] for record in reading.tail(path)), default=0)
