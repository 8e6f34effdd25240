"""When a slot is due, and what becomes of those that nobody started in time.

    nominal   what the rule says; the identity of the slot
    due       nominal, or the beginning of the active hours where it lies outside of them, + delay; never after the next
              nominal time, so slots keep their order, nor after the end of the hours
    missed    not started by due + grace

Nothing here walks from the cursor onwards: after ten years the newest few are looked at, and the rest is a range.
"""

from __future__ import annotations

import binascii

from supervisor.core.record import Record
from supervisor.model.run import Skip
from supervisor.model.schedule import Jitter, Missed, Outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from supervisor.core.cron_search import Fire
    from supervisor.core.hours import Hours
    from supervisor.model.schedule import Policy, Schedule

    class Times(Protocol):
        """What has slots."""

        period: float

        def describe(self) -> str: ...
        def next(self, after: int) -> Fire | None: ...
        def prev(self, before: int) -> Fire | None: ...
        def count(self, after: int, until: int, limit: int) -> tuple[int, bool]: ...
        def allowed(self, at: float) -> float | None: ...


MIN_GRACE_S = 60.0
MAX_GRACE_S = 300.0
GRACE_SHARE = 0.1  # of the period
IN_TIME_AT_MOST = 100  # slots that are late but in time are all run; more of them than this are missed
LOOK_BACK = 50  # slots outside the active hours, or in a blackout, that are passed over in search of one to make up for
COUNT_AT_MOST = 10_000


class Due(Record):
    """When one slot is to be started."""

    __slots__ = ("at", "moved", "passed")

    def __init__(self, at: float, *, moved: bool = False, passed: bool = False) -> None:
        self.at = at
        self.moved = moved  # into the active hours
        self.passed = passed  # it lies outside the active hours and is not made up for


class Passed(Record):
    """Slots that do not run: one, or a range of which only the ends are known."""

    __slots__ = ("count", "first", "last", "reason")

    def __init__(self, first: int, last: int, count: int | None, reason: Skip) -> None:
        self.first = first
        self.last = last
        self.count = count  # None: more than anybody wants to count
        self.reason = reason


class Chosen(Record):
    """A slot that is to run now."""

    __slots__ = ("catch_up", "due", "fire")

    def __init__(self, fire: Fire, due: float, *, catch_up: bool = False) -> None:
        self.fire = fire
        self.due = due
        self.catch_up = catch_up


class Judged(Record):
    """Everything up to now. `cursor`: no slot up to it has to be looked at again. `wake`: when the next one is due."""

    __slots__ = ("chosen", "cursor", "passed", "wake")

    def __init__(self, chosen: list[Chosen], passed: list[Passed], cursor: int, wake: float | None) -> None:
        self.chosen = chosen
        self.passed = passed
        self.cursor = cursor
        self.wake = wake


class Rule:
    """Of one schedule: its slots, and how they are judged."""

    __slots__ = ("anchor", "hours", "is_blacked_out", "key", "policy", "seed", "times")

    def __init__(
        self,
        schedule: Schedule,
        times: Times,
        hours: Hours,
        seed: str,
        anchor: int = 0,
        is_blacked_out: Callable[[int], bool] | None = None,
    ) -> None:
        self.is_blacked_out = is_blacked_out  # whether a calendar holds that moment; None: none ever does
        self.anchor = anchor  # when it was first seen: that slot is not late
        self.times = times
        self.policy: Policy = schedule.policy
        self.hours = hours
        self.key = schedule.id
        self.seed = seed  # of this installation: two boxes with the same schedules are not late in step

    @property
    def grace(self) -> float:
        """So late is still in time. Not kept: there may be a hundred thousand of these."""
        return self.policy.grace or grace_of(self.times.period)

    def is_worth_making_up(self, fire: Fire) -> bool:
        """Not what would not have run at its own time either."""
        return not self.due(fire).passed and not (self.is_blacked_out and self.is_blacked_out(fire.at))

    def delay(self, nominal: int) -> float:
        """From 0 to `jitter`, in whole seconds where it is long; the same whenever it is asked for."""
        policy = self.policy
        if not policy.jitter or nominal == self.anchor:
            return 0.0
        text = f"{self.seed} {self.key}" + (f" {nominal}" if policy.jitter_kind == Jitter.PER_RUN else "")
        part = binascii.crc32(text.encode()) / 0xFFFFFFFF
        return float(int(part * policy.jitter)) if policy.jitter >= 60 else round(part * policy.jitter, 3)

    def due(self, fire: Fire) -> Due:
        nominal, policy = fire.at, self.policy
        after = self.times.next(nominal)
        begins, closes = nominal, None
        if policy.outside != Outside.RUN:
            if not self.hours.is_open(nominal):
                opens = self.hours.next_open(nominal)
                if policy.outside == Outside.SKIP or opens is None or (after is not None and after.at <= opens):
                    return Due(float(nominal), passed=True)
                begins = opens  # the delay counts from there: else all that was put off would begin at once
            closes = self.hours.closes_at(begins)
        at = begins + self.delay(nominal)
        if after is not None:
            at = min(at, float(after.at))
        return Due(at if closes is None else min(at, closes - 1.0), moved=begins != nominal)

    def begins(self, at: float) -> Due:
        """Of what has a moment of its own, and no place between the slots of the rule."""
        if self.policy.outside == Outside.RUN or self.hours.is_open(int(at)):
            return Due(at)
        opens = self.hours.next_open(int(at))
        if self.policy.outside == Outside.SKIP or opens is None:
            return Due(at, passed=True)
        return Due(float(opens), moved=True)


def decided(rule: Rule, cursor: int, now: float) -> int:
    """The cursor, once all that is due now has been judged. Of all slots only the last one can be due later."""
    last = rule.times.prev(int(now) + 1)
    is_late = last is not None and last.at > cursor and rule.due(last).at > now
    return last.at - 1 if last is not None and is_late else max(cursor, int(now))


def grace_of(period: float) -> float:
    return min(MAX_GRACE_S, max(MIN_GRACE_S, GRACE_SHARE * period))


def judge(rule: Rule, cursor: int, now: float, until: int | None = None) -> Judged:
    """All slots after the cursor and up to now; `until`: only those that are no later, as of now."""
    times = rule.times
    newest = times.prev((int(now) if until is None else until) + 1)
    if newest is None or newest.at <= cursor:
        return Judged([], [], cursor, _wake(rule, times.next(max(cursor, int(now)))))
    chosen: list[Chosen] = []
    passed: list[Passed] = []
    fire: Fire | None = newest
    wake: float | None = None
    ahead = cursor  # the newest that has been decided
    while fire is not None and fire.at > cursor:
        due = rule.due(fire)
        if due.at > now:
            wake = due.at
        elif due.passed and now - due.at <= rule.grace and len(passed) < IN_TIME_AT_MOST:
            passed.append(Passed(fire.at, fire.at, 1, Skip.ACTIVE_HOURS))
        elif not due.passed and now - due.at <= rule.grace and len(chosen) < IN_TIME_AT_MOST:
            chosen.append(Chosen(fire, due.at))
        else:
            break
        if due.at <= now:
            ahead = max(ahead, fire.at)
        fire = times.prev(fire.at)
    if fire is not None and fire.at > cursor:
        ahead = max(ahead, fire.at)
        _miss(rule, cursor, fire, now, chosen, passed)
    if wake is None:
        wake = _wake(rule, times.next(newest.at))
    chosen.sort(key=lambda each: each.fire.at)
    passed.sort(key=lambda each: each.first)
    return Judged(chosen, passed, ahead, wake)


def _wake(rule: Rule, fire: Fire | None) -> float | None:
    return None if fire is None else rule.due(fire).at


# what was missed


def _miss(rule: Rule, cursor: int, last: Fire, now: float, chosen: list[Chosen], passed: list[Passed]) -> None:
    """The slots after the cursor up to `last`: which of them are made up for, and what is said of the others."""
    taken = _made_up_for(rule, cursor, last, now, in_time=bool(chosen))
    begin = cursor
    oldest = int(now - rule.policy.window)
    for fire in taken:
        _pass(rule, begin, fire.at - 1, oldest, passed)
        chosen.append(Chosen(fire, rule.due(fire).at, catch_up=True))
        begin = fire.at
    _pass(rule, begin, last.at, oldest, passed)


def _made_up_for(rule: Rule, cursor: int, last: Fire, now: float, *, in_time: bool) -> list[Fire]:
    """In order. With `latest`, one that is in time stands for them all."""
    policy, times = rule.policy, rule.times
    oldest = max(cursor, int(now - policy.window))
    if policy.missed == Missed.SKIP or last.at <= oldest or (policy.missed == Missed.LATEST and in_time):
        return []
    if policy.missed == Missed.EARLIEST:
        first = times.next(oldest)
        for _ in range(LOOK_BACK):
            if first is None or first.at > last.at:
                return []
            if rule.is_worth_making_up(first):
                return [first]
            first = times.next(first.at)
        return []
    wanted = 1 if policy.missed == Missed.LATEST else policy.max_catchup
    found: list[Fire] = []
    fire: Fire | None = last
    for _ in range(wanted + LOOK_BACK):
        if fire is None or fire.at <= oldest or len(found) == wanted:
            break
        if rule.is_worth_making_up(fire):
            found.append(fire)
        fire = times.prev(fire.at)
    return found[::-1]


def _pass(rule: Rule, after: int, until: int, oldest: int, passed: list[Passed]) -> None:
    """A row for what lies between, two where the window of what is made up for begins in it."""
    if after < oldest < until:
        _pass_one(rule, after, oldest, Skip.WINDOW, passed)
        after = oldest
    _pass_one(rule, after, until, Skip.WINDOW if until <= oldest else Skip.MISSED, passed)


def _pass_one(rule: Rule, after: int, until: int, reason: Skip, passed: list[Passed]) -> None:
    first, last = rule.times.next(after), rule.times.prev(until + 1)
    if first is None or last is None or first.at > last.at:
        return
    count, is_exact = rule.times.count(after, until, COUNT_AT_MOST)
    passed.append(Passed(first.at, last.at, count if is_exact else None, reason))
