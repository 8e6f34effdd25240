"""Books are kept after the beginnings: while processes that were asked for are still being made, the rest waits.

What is due is waited for. Of what has begun the history and the people's log are to be told, of what has ended all that
follows, and when many are due at once the processor has nothing to spare for that. `start` has noted the time of each
end, so nothing is told wrong, and what must be there before a process is (its claim, its note, its line in the journal)
does not wait. For the same reason the history rests meanwhile: a successor writes again what was not written.
"""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop, Timer

LONGEST_S = 1.0  # the next step of a run may wait for the end of one; a thousand beginnings take most of it


class Books:
    """Of one runner."""

    def __init__(self, loop: Loop, rests: tuple[Callable[[bool], None], ...]) -> None:
        """`rests`: others who let things be until it is over."""
        self._loop = loop
        self._rests = rests
        self._asked: set[str] = set()  # processes that `start` has not answered for
        self._waiting: deque[Callable[[], None]] = deque()
        self._timer: Timer | None = None  # while ends wait

    def asked(self, key: str) -> None:
        if not self._asked and self._timer is None:
            self._timer = self._loop.after(LONGEST_S, self.keep)
            self._let_rest(True)
        self._asked.add(key)

    def answered(self, key: str) -> None:
        self._asked.discard(key)
        if not self._asked and self._timer is not None:
            self._loop.soon(self.keep)

    def put(self, entry: Callable[[], None]) -> None:
        if self._timer is None:
            entry()
        else:
            self._waiting.append(entry)

    def _let_rest(self, rests: bool) -> None:
        for rest in self._rests:
            rest(rests)

    def keep(self) -> None:
        """Those that wait; also before something is done to a run that may have ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._let_rest(False)
        while self._waiting:  # one may lead to a question that hears the others first
            self._loop.guard(self._waiting.popleft())
