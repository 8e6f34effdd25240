"""A stretch of slots that are passed over, where ends of other schedules have rows of their own in the midst of it."""

from __future__ import annotations

from supervisor.core.due import COUNT_AT_MOST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.core.due import Times

    Part = tuple[int, int, int | None]  # from, to and how many; None: more than anybody wants to count


def around(times: Times, first: int, last: int, count: int | None, ends: Iterable[int]) -> list[Part]:
    """The stretch in parts between these seconds, each from a slot to a slot; where no slot lies there is none."""
    ends = tuple(ends)
    if not ends:
        return [(first, last, count)]
    parts: list[Part] = []
    begin = first
    for end in (*ends, last + 1):
        fire, newest = times.next(begin - 1), times.prev(end)
        if fire is not None and newest is not None and fire.at <= newest.at:
            number, is_exact = times.count(begin - 1, end - 1, COUNT_AT_MOST)
            parts.append((fire.at, newest.at, number if is_exact else None))
        begin = end + 1
    return parts
