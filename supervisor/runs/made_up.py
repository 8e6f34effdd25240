"""Which slots a pause has held: those that were due in it, and would have run else."""

from __future__ import annotations

from supervisor.runs.plan import waits_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.cron_search import Fire
    from supervisor.runs.plan import Plan

BEFORE_S = 0.001  # what is due when a pause ends is not in it any more
LOOKED_AT = 10_000  # slots that would not have run anyway, on the way to one that was held


def newest_due(plan: Plan, until: float) -> Fire | None:
    """Of its times: the last one that was due by then."""
    times = plan.rule.times
    fire = times.prev(int(until) + 1)
    for _ in range(LOOKED_AT):
        if fire is None or plan.rule.due(fire).at <= until:
            break
        fire = times.prev(fire.at)
    return fire


def held_slots(plan: Plan, since: float, until: float, count: int) -> list[int]:
    """Of its times: the newest ones, in order; at most so many."""
    rule, found = plan.rule, list[int]()
    fire = newest_due(plan, until)
    for _ in range(LOOKED_AT):
        if fire is None or len(found) == count:
            break
        due = rule.due(fire).at
        if due <= since:
            break
        if rule.is_worth_making_up(fire):
            found.append(fire.at)
        fire = rule.times.prev(fire.at)
    return found[::-1]


def stand_for(plan: Plan, since: float, until: float, now: float, *, all_of_them: bool) -> list[int] | list[None]:
    """What runs after a pause: a slot for each, None for one that stands for whatever was held."""
    if not all_of_them:
        return [None] if _held_any(plan, since, until) else []
    policy = plan.schedule.policy
    since = max(since, now - policy.window)
    of_times = held_slots(plan, since, until, policy.max_catchup)
    ends = [end for end in plan.held_ends if end >= int(since)]
    if found := sorted([*of_times, *ends])[-policy.max_catchup :]:
        return found
    return [None] if _held_an_end(plan, since) else []


def _held_any(plan: Plan, since: float, until: float) -> bool:
    return _held_an_end(plan, since) or bool(held_slots(plan, since, until, 1))


def _held_an_end(plan: Plan, since: float) -> bool:
    """Its own or another's, whose slots are in no rule of time."""
    return bool(plan.after_finish or waits_for(plan.schedule)) and plan.paused_at >= int(since)
