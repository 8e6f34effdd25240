"""Books are kept after the beginnings: while processes that were asked for are still being made, the rest waits.

What is due is waited for. Of what has begun the history and the people's log are to be told, of what has ended all that
follows, and when many are due at once the processor has nothing to spare for that. `start` has noted the time of each
end, so nothing is told wrong, and what must be there before a process is (its claim, its note, its line in the journal)
does not wait. For the same reason the history rests meanwhile: a successor writes again what was not written.

Then it is done in slices, so that the loop hears others in between; but all at once before somebody asks who goes on.
"""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.base.loop import Loop, Timer

# The next step of a run may wait for the end of one. A thousand beginnings take nearly as long, and what is due in the
# next second must not find the ends of this one undone.
LONGEST_S = 0.8
SLICE_S = 0.005


class Books:
    """Of one runner."""

    def __init__(self, loop: Loop, rests: tuple[Callable[[bool], None], ...]) -> None:
        """`rests`: others who let things be until it is over."""
        self._loop = loop
        self._rests = rests
        self._asked: set[str] = set()  # processes that `start` has not answered for
        self._waiting: deque[Callable[[], None]] = deque()
        self._due = 0  # so many of them, the oldest, wait only for their slice
        self._is_slicing = False
        self._timer: Timer | None = None  # while ends wait

    def asked(self, key: str) -> None:
        if not self._asked and self._timer is None:
            self._timer = self._loop.after(LONGEST_S, self._begin)
            self._let_rest(True)
        self._asked.add(key)

    def answered(self, key: str) -> None:
        self._asked.discard(key)
        if not self._asked and self._timer is not None:
            self._loop.soon(self._begin)

    def put(self, entry: Callable[[], None]) -> None:
        if self._timer is None and not self._waiting:
            entry()
            return
        self._waiting.append(entry)
        if self._timer is None:
            self._due += 1

    def _let_rest(self, rests: bool) -> None:
        for rest in self._rests:
            rest(rests)

    def _end_wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._let_rest(False)

    def _begin(self) -> None:
        """With all that waits until now."""
        self._end_wait()
        self._due = len(self._waiting)
        if not self._is_slicing:
            self._some()

    def _some(self) -> None:
        clock = self._loop.clock
        until = clock.now() + SLICE_S
        while self._due and self._waiting and clock.now() < until:
            self._next()
        self._is_slicing = self._due > 0
        if self._is_slicing:
            self._loop.soon(self._some)

    def _next(self) -> None:
        self._due = max(self._due - 1, 0)
        self._loop.guard(self._waiting.popleft())

    def keep(self) -> None:
        """Those that wait; also before something is done to a run that may have ended."""
        self._end_wait()
        while self._waiting:  # one may lead to a question that hears the others first
            self._next()
