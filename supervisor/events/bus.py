"""Who hears of an event, and in which order: the journal first, because it numbers what the others pass on."""

from __future__ import annotations

import sys
from collections import deque

from supervisor.model.event import INFO, Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.clock import Clock

    Reader = Callable[[Event], None]


class Bus:
    """Hands each event to every reader, in the order in which the readers came."""

    def __init__(self, clock: Clock, source: str, report: Callable[[BaseException], None] | None = None) -> None:
        self._clock = clock
        self._source = source
        self._report = report or _print_traceback
        self._readers: list[Reader] = []
        self._patient: list[Reader] = []
        self._owed: deque[Event] = deque()  # to those
        self._rests = False
        self._failing: list[Reader] = []
        self._waiting: list[Event] = []
        self._busy = False

    def add(self, reader: Reader, *, patient: bool = False) -> None:
        """`patient`: it may hear later while the bus rests, in the same order."""
        (self._patient if patient else self._readers).append(reader)

    def remove(self, reader: Reader) -> None:
        """Unknown readers are no error: a subscriber may go twice."""
        for known in (self._readers, self._patient, self._failing):
            if reader in known:
                known.remove(reader)

    def make(
        self, kind: str, text: str, *, service: str = "", level: str = INFO, data: dict[str, Any] | None = None
    ) -> Event:
        """An event of now, seen by us."""
        return Event(kind, text, at=self._clock.wall(), service=service, level=level, source=self._source, data=data)

    def tell(
        self, kind: str, text: str, *, service: str = "", level: str = INFO, data: dict[str, Any] | None = None
    ) -> Event:
        """Make and emit."""
        event = self.make(kind, text, service=service, level=level, data=data)
        self.emit(event)
        return event

    def emit(self, event: Event) -> None:
        """Give the event to all. One that is emitted by a reader comes after the one that is being read,
        so that every reader sees the same order."""
        event.source = event.source or self._source
        self._waiting.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                self._give(self._waiting.pop(0))
        finally:
            self._busy = False

    def rest(self, rests: bool) -> None:
        """While it rests, who is patient waits: there is something more urgent to do."""
        self._rests = rests
        if not rests:
            self.give_owed()

    def give_owed(self) -> None:
        """To who is patient, now: at the end, and before something that must come after it."""
        while self._owed:
            self._give_to(self._patient, self._owed.popleft())

    def _give(self, event: Event) -> None:
        self._give_to(self._readers, event)
        if self._patient:
            self._owed.append(event)
            if not self._rests:
                self.give_owed()

    def _give_to(self, readers: list[Reader], event: Event) -> None:
        for reader in tuple(readers):
            try:
                reader(event)
            except Exception as error:  # one bad reader must not cost the others the event
                self._failed(reader, error)
            else:
                if reader in self._failing:
                    self._failing.remove(reader)

    def _failed(self, reader: Reader, error: Exception) -> None:
        """Report the first failure of a row only: a reader that always fails would fill the disk."""
        if reader in self._failing:
            return
        self._failing.append(reader)
        self._report(error)


def _print_traceback(error: BaseException) -> None:
    sys.excepthook(type(error), error, error.__traceback__)
