"""Who in this process has wide pipes: a few at a time, for they are counted against what their user may have.

An ordinary user may have 64 MiB of pipes (`pipe-user-pages-soft`). Above that each new one of his holds two pages, also
of programs that have nothing to do with us. A place is for one source, with all that it has: its first pipe, widened,
and a second one, 512 KiB together.

Nobody wakes up to see who has become quiet. That is seen at the next output of such a one, when another wants a place,
and when it closes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.engine.source import Source

MOST = 32  # of 512 KiB: a quarter of what an ordinary user may have
QUIET_S = 60.0  # without having been loud
LOOK_S = 1.0  # how often to see whether one is free, for those who get none ask many times a second


class Places:
    """Of one process."""

    __slots__ = ("_next_look", "_taken")

    def __init__(self) -> None:
        self._taken: dict[Source, None] = {}
        self._next_look = 0.0

    def __contains__(self, source: Source) -> bool:
        return source in self._taken

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, source: Source, now: float) -> bool:
        """False: there is none just now."""
        if source in self._taken:
            return True
        if len(self._taken) >= MOST and now >= self._next_look:
            self._next_look = now + LOOK_S
            for other in list(self._taken):
                if other.is_quiet(now):
                    other.give_back()
        if len(self._taken) >= MOST:
            return False
        self._taken[source] = None
        return True

    def take_up(self, source: Source) -> None:
        """What a predecessor has made wide is so, however many there are; it may have been one that counted none."""
        self._taken[source] = None

    def wants_back(self, source: Source, now: float) -> bool:
        return source in self._taken and (len(self._taken) > MOST or source.is_quiet(now))

    def leave(self, source: Source) -> None:
        self._taken.pop(source, None)

    def clear(self) -> None:
        self._taken.clear()
        self._next_look = 0.0


PLACES = Places()
