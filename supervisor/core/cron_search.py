"""From wall times to moments, forwards and back, over every change of the clock.

The three rules, by the offset of the zone and not by the size of a jump, so half an hour on Lord Howe, two hours at
Troll and a midnight that does not exist in Cairo are all the same to them:

- *vixie*: a spec of fixed times that falls into a gap fires once, at the gap's end (several at once collapse), and in
  a repeated hour on the first pass only. All other specs fire at every moment whose wall time matches.
- *literal*: every spec fires at every moment whose wall time matches, in a repeated hour twice, in a gap never.
- *skip*: in a gap never, in a repeated hour once.

A wall clock that is first seen to show each time has only ever gone forward: so "the first moment that shows it" is
monotonous, and the next and the previous of a fixed time are one look at that clock's highest mark, and one search.
"""

from __future__ import annotations

from supervisor.core.calendar import DAY, clock_text, first_showing, high_water

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from supervisor.core.trigger import Trigger
    from supervisor.core.zone import Zone

    class Spec(Protocol):
        """Wall times, in order."""

        @property
        def is_fixed_time(self) -> bool: ...
        def next_wall(self, wall: int) -> int | None: ...
        def prev_wall(self, wall: int) -> int | None: ...


VIXIE, LITERAL, SKIP = "vixie", "literal", "skip"
RULES = (VIXIE, LITERAL, SKIP)

# How often a search begins anew after a change of the clock. A spec that only ever falls into gaps has no next one.
MOST_TRIES = 200


class Fire:
    """One moment that a spec means."""

    __slots__ = ("at", "shifted", "trigger", "wall")

    def __init__(self, at: int, wall: int, shifted: str = "", trigger: Trigger | None = None) -> None:
        self.at = at  # UTC
        self.wall = wall  # what it stands for; where the clock leapt over that, not what it shows
        self.shifted = shifted  # "02:30 does not exist on that day", and so it is at the gap's end
        self.trigger = trigger  # whose it is, for its words

    @property
    def rule(self) -> str:
        return self.trigger.describe() if self.trigger else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fire) and (self.at, self.wall) == (other.at, other.wall)

    def __hash__(self) -> int:
        return hash(self.at)

    def __repr__(self) -> str:
        return f"Fire(at={self.at}, wall={self.wall}, shifted={self.shifted!r})"


def next_fire(spec: Spec, zone: Zone, after: int, *, dst: str = VIXIE) -> Fire | None:
    """The first moment that is strictly later; None: there is none."""
    if dst == LITERAL or (dst == VIXIE and not spec.is_fixed_time):
        return _next_real(spec, zone, after)
    wall = spec.next_wall(high_water(zone, after) + 1)
    for _ in range(MOST_TRIES):
        if wall is None:
            return None
        at, gap = first_showing(zone, wall)
        if gap is None:
            return Fire(at, wall)
        if dst == VIXIE:
            return _moved(spec, *gap)
        wall = spec.next_wall(gap[0] + gap[2])
    return None


def prev_fire(spec: Spec, zone: Zone, before: int, *, dst: str = VIXIE) -> Fire | None:
    """The last moment that is strictly earlier; the exact reverse of `next_fire`."""
    if dst == LITERAL or (dst == VIXIE and not spec.is_fixed_time):
        return _prev_real(spec, zone, before)
    wall = spec.prev_wall(high_water(zone, before - 1))
    for _ in range(MOST_TRIES):
        if wall is None:
            return None
        at, gap = first_showing(zone, wall)
        if gap is None:
            return Fire(at, wall)
        if dst == VIXIE:
            return _moved(spec, *gap)
        wall = spec.prev_wall(gap[0] + gap[1] - 1)
    return None


def _moved(spec: Spec, moment: int, before: int, after: int) -> Fire:
    """At the end of a gap, for the first of the times within; or for the gap's end itself, if that matches too."""
    end = moment + after
    if spec.next_wall(end) == end:
        return Fire(moment, end)
    wall = spec.next_wall(moment + before)
    if wall is None:
        wall = end
    return Fire(moment, wall, f"{clock_text(wall % DAY)} does not exist on that day")


def _next_real(spec: Spec, zone: Zone, after: int) -> Fire | None:
    """Within a stretch of one offset a search of the wall clock is enough; a change begins another."""
    at = after + 1
    for _ in range(MOST_TRIES):
        offset = zone.offset(at)
        start = at + offset
        wall = spec.next_wall(start)
        if wall is None:
            folds = [change for change in zone.transitions(at, at + DAY) if change[2] < change[1]]
            if not folds:
                return None
            at = folds[0][0]
            continue
        utc = wall - offset
        changes = zone.transitions(at, utc)
        while changes:
            at, _, offset = changes[0]
            if not start <= at + offset <= wall:
                break  # an earlier time comes round again, or the found one has been leapt over
            utc = wall - offset
            changes = zone.transitions(at, utc)
        if not changes:
            return Fire(utc, wall)
    return None


def _prev_real(spec: Spec, zone: Zone, before: int) -> Fire | None:
    at = before - 1
    for _ in range(MOST_TRIES):
        offset = zone.offset(at)
        start = at + offset
        wall = spec.prev_wall(start)
        if wall is None:
            folds = [change for change in zone.transitions(at - DAY, at) if change[2] < change[1]]
            if not folds:
                return None
            at = folds[-1][0] - 1
            continue
        utc = wall - offset
        changes = zone.transitions(utc, at)
        while changes:
            moment, offset, _ = changes[-1]
            at = moment - 1
            if not wall <= at + offset <= start:
                break
            utc = wall - offset
            changes = zone.transitions(utc, at)
        if not changes:
            return Fire(utc, wall)
    return None
