"""Keeps the waiting file up to date: with each turn what is new; after a failure all of it, once a second."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.loop import Loop, Timer
    from supervisor.store.queue import Queue

AGAIN_S = 1.0  # on a disk that refuses it


class Spooling:
    """Of one queue."""

    __slots__ = ("_again", "_loop", "_queue")

    def __init__(self, loop: Loop, queue: Queue) -> None:
        self._loop = loop
        self._queue = queue
        self._again: Timer | None = None

    def turn(self) -> None:
        if self._again is None and not self._queue.keep():
            self._again = self._loop.after(AGAIN_S, self._try_again)

    def _try_again(self) -> None:
        self._again = None
        self.turn()

    def stop(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
