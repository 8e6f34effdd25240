"""Pipes of steps that have ended, closed once nobody can write to them any more and all has been read of them.

The scheduler reads them, and says when it is done with the run; of hundreds that end in one second it says so after the
last. What is kept open until then is walked over by each exec: a thousand pipes make it take half as long again. One
that nothing can come out of is of no use to a successor either.
"""

from __future__ import annotations

import select
from collections import deque

from supervisor.engine.entries import PIPES, close_fds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.engine.entries import Entry

AT_ONCE = 64


class Dry:
    """Of one store."""

    def __init__(self) -> None:
        self._ended: deque[Entry] = deque()

    def put(self, entry: Entry) -> None:
        """Everybody of it has gone."""
        self._ended.append(entry)

    def __len__(self) -> int:
        return len(self._ended)

    def look(self) -> None:
        """At those that have waited longest; a reader that is busy must not make each look a longer one."""
        if not self._ended:
            return
        some = [self._ended.popleft() for _ in range(min(len(self._ended), AT_ONCE))]
        poll = select.poll()
        for entry in some:
            for fd in _pipes(entry):
                poll.register(fd, select.POLLIN)
        dry = {fd for fd, events in poll.poll(0) if events == select.POLLHUP}
        for entry in some:
            pipes = _pipes(entry)
            if dry.issuperset(pipes):
                close_fds(*pipes)
                for name in PIPES:
                    setattr(entry, name, -1)
            else:
                self._ended.append(entry)


def _pipes(entry: Entry) -> list[int]:
    """None of one that has been dropped meanwhile."""
    return [fd for name in PIPES if (fd := getattr(entry, name)) >= 0]
