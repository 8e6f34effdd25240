"""The breaker of a schedule: after too many failures in a row it is held for a while, then one run may try.

closed      failures in a row are counted; a success begins anew
open        every slot is held, until the cool-down is over
half_open   one run goes as a probe: if it succeeds the breaker closes, else it opens for twice as long
"""

from __future__ import annotations

from supervisor.core.record import Record

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"
MAX_TIMES = 8  # a cool-down never grows beyond so many times its first length


class Breaker(Record):
    """What is known of one schedule's failures."""

    __slots__ = ("opens", "state", "streak", "until")

    def __init__(self, state: str = CLOSED, *, streak: int = 0, until: float = 0.0, opens: int = 0) -> None:
        self.state = state
        self.streak = streak  # failures in a row
        self.until = until  # wall time at which a probe may go
        self.opens = opens  # openings in a row, which make the cool-down longer


def allows(breaker: Breaker, now: float) -> bool:
    """Whether a slot may run; once the cool-down is over, one may."""
    return breaker.state == CLOSED or (breaker.state == OPEN and now >= breaker.until)


def begun(breaker: Breaker, now: float) -> Breaker:
    """A run has been claimed: if the cool-down was over, it is the probe."""
    if breaker.state == OPEN and now >= breaker.until:
        return Breaker(HALF_OPEN, streak=breaker.streak, until=breaker.until, opens=breaker.opens)
    return breaker


def succeeded(_breaker: Breaker) -> Breaker:
    return Breaker()


def failed(breaker: Breaker, now: float, max_failures: int, cooldown: float) -> Breaker:
    """One more. A limit of 0 or a cool-down of 0: it never opens."""
    streak = breaker.streak + 1
    is_probe = breaker.state == HALF_OPEN
    if not max_failures or not cooldown or (streak < max_failures and not is_probe):
        return Breaker(CLOSED, streak=streak)
    opens = breaker.opens + 1
    times = min(2 ** min(opens - 1, MAX_TIMES), MAX_TIMES)  # a row of the history may say any number of opens
    return Breaker(OPEN, streak=streak, until=now + cooldown * times, opens=opens)


def neither(breaker: Breaker) -> Breaker:
    """A run ended that says nothing about the schedule (cancelled, interrupted): the next one is the probe."""
    if breaker.state == HALF_OPEN:
        return Breaker(OPEN, streak=breaker.streak, until=breaker.until, opens=breaker.opens)
    return breaker
