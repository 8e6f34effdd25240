"""The slots of one schedule that are to come: those that will run, and of those held between two of them the first.

What holds a stretch of slots is one thing to know, however many there are. So it is one line of `sbctl next` and takes
no place of those that run, and the search goes on where it ends instead of looking at each of them.
"""

from __future__ import annotations

import heapq
from math import ceil, inf

from supervisor.core.record import Record
from supervisor.model.run import Skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from supervisor.core.cron_search import Fire
    from supervisor.core.due import Due, Rule

    Coming = tuple[Fire, Due, "Hold | None"]

LOOK_AHEAD = 200  # looks at what is held, in search of what runs
MOST_HELD = 1000  # of each kind that does not run, in one answer
RESTING = frozenset((Skip.PAUSED, Skip.DISABLED))  # of a schedule as a whole, by somebody's wish


class Hold(Record):
    """Why a slot will not run, and until when that holds; `until` 0: for good, as far as is known."""

    __slots__ = ("reason", "skip", "until")

    def __init__(self, skip: Skip, reason: str, until: float = 0.0) -> None:
        self.skip = skip
        self.reason = reason
        self.until = until


class Known(Record):
    """What is known beforehand of the gates of one schedule."""

    __slots__ = ("blackout", "cooldown_until", "is_enabled", "pause_reason", "paused_until")

    def __init__(
        self,
        *,
        is_enabled: bool = True,
        paused_until: float | None = 0.0,
        pause_reason: str = "",
        cooldown_until: float = 0.0,
        blackout: Callable[[int], tuple[str, int] | None] | None = None,
    ) -> None:
        self.is_enabled = is_enabled
        self.paused_until = paused_until  # None: for good
        self.pause_reason = pause_reason
        self.cooldown_until = cooldown_until
        self.blackout = blackout  # the calendar that a moment lies in, and until when

    def hold(self, rule: Rule, due: Due) -> Hold | None:
        """In the order of the gates."""
        if not self.is_enabled:
            return Hold(Skip.DISABLED, "it is disabled")
        if self.paused_until is None or due.at < self.paused_until:
            return Hold(Skip.PAUSED, self.pause_reason, self.paused_until or 0.0)
        if due.passed:
            opens = rule.hours.next_open(int(due.at))
            return Hold(Skip.ACTIVE_HOURS, "outside its active hours", float(opens or 0))
        held = self.blackout(int(due.at)) if self.blackout is not None else None
        if held is not None:
            return Hold(Skip.BLACKOUT, f"in the blackout {held[0]}", float(held[1]))
        if due.at < self.cooldown_until:
            return Hold(Skip.COOLDOWN, "cooling down after failures in a row", self.cooldown_until)
        return None


def coming(rule: Rule, after: int, known: Known, count: int) -> Iterator[Coming]:
    """Up to so many that run, and what is held before each of them."""
    ran = looks = 0
    while ran < count and looks < LOOK_AHEAD:
        fire = rule.times.next(after)
        if fire is None:
            return
        due = rule.due(fire)
        hold = known.hold(rule, due)
        if hold is not None and not hold.until and hold.skip in RESTING:
            yield (*_otherwise(rule, after, known, (fire, due)), hold)
            return
        after = fire.at
        if hold is None:
            ran, looks = ran + 1, 0
            yield fire, due, None
            continue
        if not looks:
            yield fire, due, hold
        if not hold.until:
            return
        looks += 1
        # Of those before its end only the last one may be due after it: none is due later than the next one begins.
        last = rule.times.prev(ceil(hold.until))
        if last is not None:
            after = max(after, last.at - 1)


def _otherwise(rule: Rule, after: int, known: Known, first: tuple[Fire, Due]) -> tuple[Fire, Due]:
    """The slot that would run, if the schedule did not rest."""
    awake = Known(cooldown_until=known.cooldown_until, blackout=known.blackout)
    return next(((fire, due) for fire, due, hold in coming(rule, after, awake, 1) if hold is None), first)


class _First:
    """Of many the first so many, by when they are due and in the order in which they came; of the others the times."""

    __slots__ = ("_most", "kept", "left_out")

    def __init__(self, most: int) -> None:
        self._most = most
        self.kept: list[tuple[float, int, Any]] = []  # both numbers negative: the last of them is at the top
        self.left_out: list[float] = []

    @property
    def end(self) -> float:
        """Nobody who is due later is kept."""
        return -self.kept[0][0] if len(self.kept) == self._most else inf

    def add(self, due: float, number: int, what: Any) -> None:
        new = -due, -number, what
        if len(self.kept) < self._most:
            heapq.heappush(self.kept, new)
        else:
            self.left_out.append(-heapq.heappushpop(self.kept, new)[0])


class Nearest:
    """Of many schedules: the first so many slots that run, what is held before the last of them, and what rests.

    A pause may hold a hundred thousand of them, and an answer must fit a frame: of those that are held, and of those
    that rest, there are the first so many.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._runs, self._held, self._resting = _First(count), _First(MOST_HELD), _First(MOST_HELD)
        self._added = 0

    def add(self, due: float, hold: Hold | None, slot: Any) -> bool:
        """False: it is later than anything that is wanted."""
        if due > self._runs.end and not _rests(hold):
            return False
        self._added += 1
        kind = self._runs if hold is None else self._resting if _rests(hold) else self._held
        kind.add(due, self._added, (hold, slot))
        return True

    def slots(self) -> list[Any]:
        """By time."""
        chosen: list[Any] = []
        left = self._count
        found = [*self._runs.kept, *self._held.kept, *self._resting.kept]
        for _, _, (hold, slot) in sorted(found, key=_in_order):
            if left or _rests(hold):
                chosen.append(slot)
                left -= hold is None
        return chosen

    def more_held(self) -> int:
        """So many would have been told as well."""
        return len(self._resting.left_out) + sum(due <= self._runs.end for due in self._held.left_out)


def _in_order(each: tuple[float, int, Any]) -> tuple[float, int]:
    return -each[0], -each[1]


def _rests(hold: Hold | None) -> bool:
    return hold is not None and hold.skip in RESTING
