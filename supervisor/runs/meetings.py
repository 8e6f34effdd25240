"""Which schedules start together: of each pair one operation on bits, a bit for each short span of time."""

from __future__ import annotations

from bisect import bisect_left

from supervisor.base.clock import iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SPAN_S = 10
REACH = 5  # spans: starts less than 50 s apart always meet, those that are a minute apart never


def meetings(starts: Mapping[str, Sequence[float]], begin: int) -> dict[str, list[dict[str, Any]]]:
    """By id: with whom, how often, and when first; `starts` in order, none before `begin`.

    The rarer one of two says how often: each of its starts that the other one has a start near to.
    """
    found: dict[str, list[dict[str, Any]]] = {id: [] for id in starts}
    by_number = sorted(starts, key=lambda id: (-len(starts[id]), id))
    marks = {id: _marks(starts[id], begin) for id in by_number}
    for place, often in enumerate(by_number):
        near = _widened(marks[often])
        for rare in by_number[place + 1 :]:
            both = near & marks[rare]
            if both:
                first = begin + ((both & -both).bit_length() - 1) * SPAN_S
                at = starts[rare][bisect_left(starts[rare], first)]
                count = both.bit_count()
                found[rare].append({"with": often, "count": count, "first": iso(at)})
                found[often].append({"with": rare, "count": count, "first": iso(_nearest(starts[often], at))})
    return found


def _marks(starts: Sequence[float], begin: int) -> int:
    marks = bytearray((int(starts[-1]) - begin) // SPAN_S // 8 + 1 if starts else 0)
    for at in starts:
        span = (int(at) - begin) // SPAN_S
        marks[span >> 3] |= 1 << (span & 7)
    return int.from_bytes(marks, "little")


def _widened(marks: int) -> int:
    """Each of them, and REACH spans before and after it."""
    wide, done = marks, 1
    while done < 2 * REACH + 1:
        step = min(done, 2 * REACH + 1 - done)
        wide |= wide << step
        done += step
    return wide >> REACH


def _nearest(starts: Sequence[float], at: float) -> float:
    place = bisect_left(starts, at)
    return min(starts[max(place - 1, 0) : place + 1], key=lambda each: abs(each - at))
