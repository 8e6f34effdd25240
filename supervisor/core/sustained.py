"""Above a limit, and for how long without a break."""

from __future__ import annotations

MOST_BETWEEN = 10.0
LEAST_BETWEEN = 1.0


class Sustained:
    """Looked at again and again; one look below the limit is a break."""

    __slots__ = ("since",)

    def __init__(self) -> None:
        self.since: float | None = None  # the first look of those that found it above

    def look(self, *, above: bool, now: float) -> float | None:
        """How long it has been above so far; None when it is not."""
        if not above:
            self.since = None
            return None
        if self.since is None:
            self.since = now
        return now - self.since


def time_between_looks(spans: list[float]) -> float:
    """Often enough for the shortest of the limits, and seldom enough to be free of cost."""
    return max(LEAST_BETWEEN, min([MOST_BETWEEN, *(span / 3 for span in spans)]))


def end_of_age(started: float, age: float, spread: float, drawn: float) -> float:
    """When a process is to be replaced. `drawn`, from 0 to 1, says where in the spread: not all go at one moment."""
    return started + age * (1 + spread * (2 * drawn - 1))
