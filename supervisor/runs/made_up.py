"""Which slots a pause has held: those that were due in it, and would have run else."""

from __future__ import annotations

from supervisor.runs.plan import waits_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.runs.plan import Plan

LOOKED_AT = 10_000  # slots that would not have run anyway, on the way to one that was held


def held_slots(plan: Plan, since: float, now: float, count: int) -> list[int]:
    """Of its times: the newest ones, in order; at most so many."""
    rule, found = plan.rule, list[int]()
    fire = rule.times.prev(int(now) + 1)
    for _ in range(LOOKED_AT):
        if fire is None or len(found) == count:
            break
        due = rule.due(fire).at
        if due <= since:
            break
        if due <= now and rule.is_worth_making_up(fire):
            found.append(fire.at)
        fire = rule.times.prev(fire.at)
    return found[::-1]


def held_any(plan: Plan, since: float, now: float) -> bool:
    """Also of ends, its own or another's, whose slots are in no rule of time."""
    if (plan.after_finish or waits_for(plan.schedule)) and plan.paused_at >= int(since):
        return True
    return bool(held_slots(plan, since, now, 1))
