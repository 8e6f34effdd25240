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


def upcoming(desk: Desk, plans: Iterable[Plan], count: int) -> list[dict[str, Any]]:
    """The next slots of all of them, by time; what would hold them is said of the way things are now."""
    nearest = Nearest(min(count, MAX_NEXT))
    for plan in plans:
        rule, known = plan.rule.times.describe(), _known(desk, plan)
        for nominal, due, note, hold in _slots(desk, plan, known, count):
            one = {
                "schedule": plan.id, "nominal": iso(nominal), "due": iso(due.at), "rule": rule,
                "note": note or (hold.reason if hold is not None else ""),
                "would": "run" if hold is None else hold.skip.value,
                "until": iso(hold.until) if hold is not None and hold.until else None,
                "last_result": plan.last_result or None, "last_duration_s": round(plan.last_took, 3),
            }  # fmt: skip
            if not nearest.add(due.at, hold, one):
                break
    return nearest.slots()


def _slots(desk: Desk, plan: Plan, known: Known, count: int) -> Iterator[Slot]:
    """By when they are due."""
    by_rule = (
        (fire.at, due, fire.shifted or (MOVED if due.moved else ""), hold)
        for fire, due, hold in coming(plan.rule, plan.cursor, known, count)  # one may be late by its jitter
    )
    by_itself = _by_itself(desk, plan, known)
    return heapq.merge(by_itself, by_rule, key=_due_at) if by_itself else by_rule


def _by_itself(desk: Desk, plan: Plan, known: Known) -> list[Slot]:
    """What has a moment of its own."""
    rule = plan.rule
    found: list[Slot] = []
    for run in plan.queued:
        due = begins_at(desk, plan, run)
        if due is not None:
            found.append((run.nominal or int(run.due), due, "it waits for its time", known.hold(rule, due)))
    by_end = desk.planner.after_finish(plan)
    if by_end is not None:
        due = rule.begins(by_end)
        found.append((int(by_end), due, MOVED if due.moved else "", known.hold(rule, due)))
    return sorted(found, key=_due_at)


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
