"""Slots that are due in a moment, made ready beforehand: when the moment has come, only their gates are asked.

A thousand schedules may be due in the same second. To find their slot, their run and the row of its claim takes far
longer than to decide on it, so that is done a fraction of a second earlier, while nobody waits for it. Nothing in here
changes anything: what does not hold any more when the moment has come is thrown away, and judged anew.
"""

from __future__ import annotations

from supervisor.core.due import judge
from supervisor.model.run import Trigger
from supervisor.runs.slot import Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.due import Judged
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan

AHEAD_S = 0.5
HOLDS_S = 1.0  # later than this something is amiss: the clock was set, the machine slept


class Ready:
    """One plan with the one slot that it will have; `slot` None: it is judged when it is due."""

    __slots__ = ("judged", "plan", "slot", "stamp", "wake")

    def __init__(self, wake: float, stamp: int, plan: Plan) -> None:
        self.wake = wake
        self.stamp = stamp  # of its place in the planner's heap: another one since, and this is void
        self.plan = plan
        self.judged: Judged | None = None
        self.slot: Slot | None = None


def make_ready(desk: Desk, wake: float, stamp: int, plan: Plan) -> Ready:
    """What is due then, as far as it can be known now."""
    ready = Ready(wake, stamp, plan)
    desk.loop.guard(_fill, desk, ready)
    return ready


def _fill(desk: Desk, ready: Ready) -> None:
    plan = ready.plan
    if plan.after_finish:
        return
    judged = judge(plan.rule, plan.cursor, ready.wake)
    if judged.passed or len(judged.chosen) != 1:
        return
    chosen = judged.chosen[0]
    if chosen.catch_up or chosen.fire.at == plan.anchor:
        return
    slot = Slot(plan, chosen.fire.at, chosen.due, Trigger.SCHEDULE, note=chosen.fire.shifted)
    desk.claims.make_ready(slot, ready.wake)
    ready.judged, ready.slot = judged, slot
