"""Which second each end of another schedule has as its slot: a slot of `after` is known by a whole second, as all are.

Two ends may come within one second, of two schedules or of two runs of one. Each has a slot of its own: the second of
the end (and of its delay), or the next one that is free. Which end it is stands in the row, so that an end that is
told twice, by a scheduler and by its successor, has one slot all the same.
"""

from __future__ import annotations

from supervisor.store.rows import AFTER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run

REMEMBERED = 2000  # the store finds those that are forgotten
LOOKED_AT = 600  # seconds that a time rule may have all of: there is not one that is free, then


class Seconds:
    """Of all followers: who has which second, as far as this scheduler knows."""

    __slots__ = ("_causes", "_given")

    def __init__(self) -> None:
        self._given: dict[tuple[str, int], str] = {}  # the run that has ended, by follower and second
        self._causes: set[tuple[str, str]] = set()  # ends that a predecessor has begun a run for, by follower

    def take_over(self, runs: Iterable[Run], rows: Iterable[dict[str, Any]]) -> None:
        """Of a predecessor: runs whose claims are perhaps not on the disk yet, and rows of those that still wait."""
        for run in runs:
            self._know(run.schedule, run.nominal, run.after)
        for row in rows:
            self._know(row["schedule"] or "", row["nominal"], cause_of(row))

    def _know(self, schedule: str, nominal: int | None, cause: str) -> None:
        if cause and nominal is not None:
            self._given[schedule, nominal] = cause
            self._causes.add((schedule, cause))

    def know(self, follower: str, ends: dict[int, str]) -> None:
        """Those that the history has, of one follower."""
        for second, cause in ends.items():
            self._given[follower, second] = cause

    def between(self, follower: str, first: int, last: int) -> list[int]:
        """Which of these seconds are slots of ends, in order."""
        return sorted(at for name, at in self._given if first <= at <= last and name == follower)

    def give(self, plan: Plan, cause: str, at: float) -> int | None:
        """None: this end has its slot already."""
        if (plan.id, cause) in self._causes:
            return None
        second = int(at)
        for _ in range(LOOKED_AT):
            if not self._is_taken(plan, second, cause):
                break
            second += 1
        else:  # it has a slot each second, and one of these is for both
            second = int(at)
            while self._given.get((plan.id, second), cause) != cause:
                second += 1
        if self._given.get((plan.id, second)) == cause:
            return None
        if len(self._given) >= REMEMBERED:
            for key in list(self._given)[: REMEMBERED // 2]:
                del self._given[key]
        self._given[plan.id, second] = cause
        return second

    def _is_taken(self, plan: Plan, second: int, cause: str) -> bool:
        """By another end, or by a time rule of its own."""
        if self._given.get((plan.id, second), cause) != cause:
            return True
        fire = plan.rule.times.prev(second + 1)
        return fire is not None and fire.at == second


def note_of(cause: str) -> str:
    """As the row of its slot has it."""
    return AFTER + cause if cause else ""


def cause_of(row: dict[str, Any]) -> str:
    """Of a live run with its slots: the run whose end it follows, "" if none."""
    notes = (str(slot["note"] or "") for slot in row["slots"])
    return next((note[len(AFTER) :] for note in notes if note.startswith(AFTER)), "")


def noted(reason: str, cause: str) -> str:
    """Why such a slot does not run, and which end it was for: another end of that second is told from it by that."""
    return f"{reason}; {note_of(cause)}" if cause else reason
