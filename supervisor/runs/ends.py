"""Ends of steps are heard after the beginnings: while processes that were asked for are still being made, ends wait.

What is due is waited for; of what has ended only the books are to be kept, and when many are due at once the processor
has nothing to spare for that. `start` has noted the time of each end, so nothing is told wrong. For the same reason the
history rests meanwhile: a successor writes again what was not written.
"""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop, Timer

LONGEST_S = 0.2  # the next step of a run may wait for the end of one


class Ends:
    """Of one runner."""

    def __init__(self, loop: Loop, rest: Callable[[bool], None]) -> None:
        self._loop = loop
        self._rest = rest
        self._asked: set[str] = set()  # processes that `start` has not answered for
        self._waiting: deque[Callable[[], None]] = deque()
        self._timer: Timer | None = None  # while ends wait

    def asked(self, key: str) -> None:
        if not self._asked and self._timer is None:
            self._timer = self._loop.after(LONGEST_S, self.hear)
            self._rest(True)
        self._asked.add(key)

    def answered(self, key: str) -> None:
        self._asked.discard(key)
        if not self._asked and self._timer is not None:
            self._loop.soon(self.hear)

    def put(self, end: Callable[[], None]) -> None:
        if self._timer is None:
            end()
        else:
            self._waiting.append(end)

    def hear(self) -> None:
        """Those that wait; also before something is done to a run that may have ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._rest(False)
        while self._waiting:  # one may lead to a question that hears the others first
            self._loop.guard(self._waiting.popleft())
