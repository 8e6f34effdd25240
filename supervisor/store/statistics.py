"""Figures about runs, and whether one is out of the ordinary. Pure: numbers in, numbers out."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LAST = 100  # successful runs that the figures are made of
ENOUGH = 10  # with fewer nothing is out of the ordinary
LEAST_MS = 10_000  # differences below this are nobody's concern


def percentile(ordered: Sequence[int], share: float) -> int:
    """The value that so many (0..1) are not above; `ordered` grows and is not empty."""
    if not ordered:
        raise ValueError("no values")
    place = -(-len(ordered) * share // 1)  # rounded up: the nearest rank
    return ordered[min(max(int(place), 1), len(ordered)) - 1]


def figures(durations: Sequence[int]) -> dict[str, int | None]:
    """Average, median and p95 of durations, in their unit; nulls without any."""
    if not durations:
        return {"count": 0, "avg_ms": None, "p50_ms": None, "p95_ms": None}
    ordered = sorted(durations)
    return {
        "count": len(ordered),
        "avg_ms": round(sum(ordered) / len(ordered)),
        "p50_ms": percentile(ordered, 0.5),
        "p95_ms": percentile(ordered, 0.95),
    }


def longest_usual(durations: Sequence[int]) -> int | None:
    """What takes longer than this (ms) is too long; None: too little is known."""
    if len(durations) < ENOUGH:
        return None
    p95 = percentile(sorted(durations), 0.95)
    return max(2 * p95, p95 + LEAST_MS)


def judge(took: int, earlier: Sequence[int]) -> str:
    """`too_long`, `too_short`, or "" for a duration like the earlier ones."""
    longest = longest_usual(earlier)
    if longest is None:
        return ""
    if took > longest:
        return "too_long"
    median = percentile(sorted(earlier), 0.5)
    return "too_short" if took * 10 < median and median - took >= LEAST_MS else ""
