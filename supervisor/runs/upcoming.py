"""What is to come: the next slot of a schedule, and the next ones of many, with what would hold them.

A slot comes from the rule, from the end of the run before (after-finish), or has been claimed already and waits for a
time that is known: the delay of one that follows another schedule, its hours.
"""

from __future__ import annotations

import heapq

from supervisor.base.clock import iso
from supervisor.core.breaker import CLOSED
from supervisor.core.coming import Known, Nearest, coming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from supervisor.core.coming import Hold
    from supervisor.core.cron_search import Fire
    from supervisor.core.due import Due
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run

    Slot = tuple[int, Due, str, Hold | None]  # nominal, when it is due, a note

MAX_NEXT = 1000
MOVED = "moved into its active hours"


def next_of(desk: Desk, plan: Plan) -> tuple[float | None, float | None]:
    """The next slot that its hours and its cool-down let run, and when it is due; else simply the next one.

    A pause and a blackout are left to who shows it: they are told beside it.
    """
    found = [(due.at, nominal, hold) for nominal, due, _, hold in _slots(desk, plan, _cooldown(plan), 1)]
    runs = [(at, nominal) for at, nominal, hold in found if hold is None]
    if runs:
        at, nominal = min(runs)
        return float(nominal), at
    return (min(float(nominal) for _, nominal, _ in found) if found else None), plan.wake


class Upcoming:
    """The next slots of many, by time; what would hold them is said of the way things are now."""

    def __init__(self, desk: Desk, count: int) -> None:
        self._desk = desk
        self._count = count
        self._nearest = Nearest(min(count, MAX_NEXT))

    def add(self, plan: Plan) -> None:
        for slot in _slots(self._desk, plan, _known(self._desk, plan), self._count):
            if not self._nearest.add(slot[1].at, slot[3], (plan, slot)):  # most are put into words in vain
                break

    def slots(self) -> list[dict[str, Any]]:
        return [{**told(plan, slot), **_last(plan)} for plan, slot in self._nearest.slots()]

    def more_held(self) -> int:
        """So many more are held, or rest."""
        return self._nearest.more_held()


def _last(plan: Plan) -> dict[str, Any]:
    return {"last_result": plan.last_result or None, "last_duration_s": round(plan.last_took, 3)}


def upcoming(desk: Desk, plans: Iterable[Plan], count: int) -> list[dict[str, Any]]:
    """Of few of them, at once."""
    found = Upcoming(desk, count)
    for plan in plans:
        found.add(plan)
    return found.slots()


def _slots(desk: Desk, plan: Plan, known: Known, count: int) -> Iterator[Slot]:
    waiting = [
        that_waits(plan, known, run.nominal or int(run.due), due)
        for run in plan.queued
        if (due := begins_at(desk, plan, run)) is not None
    ]
    by_end = by_its_end(plan, known, desk.planner.after_finish(plan), desk.loop.clock.wall())
    return by_time(plan, known, count, waiting + by_end)


def that_waits(plan: Plan, known: Known, nominal: int, due: Due) -> Slot:
    """One that has been claimed already."""
    return nominal, due, "it waits for its time", known.hold(plan.rule, due)


def by_its_end(plan: Plan, known: Known, at: float | None, now: float) -> list[Slot]:
    """The slot that the end of its last run makes then, if it does. One that is late begins now."""
    if at is None:
        return []
    due = plan.rule.begins(max(at, now))
    return [(int(at), due, MOVED if due.moved else "", known.hold(plan.rule, due))]


def by_time(plan: Plan, known: Known, count: int, by_itself: list[Slot]) -> Iterator[Slot]:
    """Those of its rule, up to so many, and what has a moment of its own: by when they are due."""
    by_rule = (of_rule(*each) for each in coming(plan.rule, plan.cursor, known, count))  # one may be late by its jitter
    return heapq.merge(sorted(by_itself, key=_due_at), by_rule, key=_due_at) if by_itself else by_rule


def of_rule(fire: Fire, due: Due, hold: Hold | None) -> Slot:
    return fire.at, due, fire.shifted or (MOVED if due.moved else ""), hold


def told(plan: Plan, slot: Slot) -> dict[str, Any]:
    """As everybody sees it."""
    nominal, due, note, hold = slot
    return {
        "schedule": plan.id, "nominal": iso(nominal), "due": iso(due.at), "rule": plan.rule.times.describe(),
        "note": note or (hold.reason if hold is not None else ""),
        "would": "run" if hold is None else hold.skip.value,
        "until": iso(hold.until) if hold is not None and hold.until else None,
    }  # fmt: skip


def _due_at(slot: Slot) -> float:
    return slot[1].at


def begins_at(desk: Desk, plan: Plan, run: Run) -> Due | None:
    """When one that waits in the queue will begin; None: that is not a matter of time."""
    now = desk.loop.clock.wall()
    due = plan.rule.begins(max(run.not_before, now))
    return due if due.at > now and not due.passed else None


def _cooldown(plan: Plan) -> Known:
    return Known(cooldown_until=plan.breaker.until if plan.breaker.state != CLOSED else 0.0)


def _known(desk: Desk, plan: Plan) -> Known:
    known, pause = _cooldown(plan), desk.pauses.of(plan.id)
    known.is_enabled = desk.is_enabled(plan)
    if pause is not None:
        known.paused_until, known.pause_reason = pause.until, pause.text
    if plan.schedule.policy.blackouts:
        known.blackout = lambda at: desk.maker.blackout(plan.schedule, at)
    return known
