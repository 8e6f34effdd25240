"""A schedule that waits for its hours, or does not heed them, runs at some time of its own; unless a blackout always
holds that. `check_hours` is for those that leave out what lies outside."""

from __future__ import annotations

from supervisor.core.hours import Blackout, Hours
from supervisor.core.timeline import Timeline
from supervisor.core.trigger import Once, OnWalls
from supervisor.settings.written_schedule import WrittenSchedule

LOOK_AHEAD_S = 2 * 366 * 86_400
MOST_LOOKS = 1600  # two a day
LAST = 1 << 62


def check_blackouts(
    written: WrittenSchedule,
    timeline: Timeline,
    hours: Hours,
    blackout: Blackout,
    *,
    defers: bool,
    jitter: float,
    now: float,
) -> int:
    """Returns how many times it has looked at."""
    # Where an interval counts from is not known here, nor when a run ends: they may come at any time.
    anytime = any(not isinstance(each, OnWalls | Once) for each in timeline.triggers)
    at = max(int(now), timeline.valid_from)
    last = min(int(now) + LOOK_AHEAD_S, timeline.valid_until or LAST)
    for number in range(MOST_LOOKS):
        slot = at if anytime else _slot(timeline, at)
        if slot is None or slot > last:
            # Without a look, its times are over or far away, and no blackout is to blame.
            return _warn(written, number) if number else 0
        due = hours.next_open(slot) if defers else slot
        if due is None:
            return _warn(written, number)
        free = blackout.holds(due)
        if free is None or free - due <= jitter:
            return number + 1
        # A slot within the blackout may wait for hours that begin after it: not all of it can be passed over.
        closes = hours.closes_at(due) if defers else None
        at = max(slot + 1, free if closes is None else min(free, closes))
    return MOST_LOOKS


def _slot(timeline: Timeline, at: int) -> int | None:
    fire = timeline.next(at - 1)
    return None if fire is None else fire.at


def _warn(written: WrittenSchedule, looks: int) -> int:
    written.report(
        ("blackouts",),
        "never runs: for two years a blackout holds each time at which it would",
        "make the blackout shorter, choose other times or hours, or remove it here",
        level="warning",
        at_key=True,
    )
    return looks + 1
