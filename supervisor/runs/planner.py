"""Wakes each schedule when its next slot is due, and hands what is due to the gates.

One heap of wall times and one timer for its top. What is in the heap may be old: the newest stamp of a plan counts.
The wall clock is looked at beside the monotonic one with each heartbeat, so that a step is noticed within 30 seconds.
"""

from __future__ import annotations

import heapq

from supervisor.core.breaker import Breaker
from supervisor.core.due import COUNT_AT_MOST, judge
from supervisor.model.run import Skip, Trigger
from supervisor.runs.made_up import BEFORE_S, newest_due
from supervisor.runs.ready import AHEAD_S, HOLDS_S, make_ready
from supervisor.runs.slot import Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.loop import Timer
    from supervisor.core.due import Judged
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.runs.ready import Ready

SLACK_S = 1.0  # the clocks may drift by so much between two looks
BIG_STEP_S = 3 * 3600.0  # a larger one sets the clock right; nothing was missed
AT_A_TURN = 2000  # plans a turn, so that the loop stays awake for others
TIDY_FROM = 1000  # old places in the heap, beyond its plans
LONG_S = 86_400.0
AGAIN_S = 1.0  # after a defect of ours


class Planner:
    """Of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._heap: list[tuple[float, int, Plan]] = []
        self._coming: list[Ready] = []  # taken from the top of the heap, as they are due soon
        self._stamp = 0
        self._timer: Timer | None = None
        self._timer_due = 0.0
        self._offset = 0.0  # wall - monotonic
        self._suspended = 0.0  # boot time - monotonic
        self.begun = False

    def begin(self) -> None:
        """Everything is known that a predecessor left: go."""
        clock = self._desk.loop.clock
        self._offset, self._suspended = clock.wall() - clock.now(), clock.boot() - clock.now()
        self.begun = True
        for plan in self._desk.plans.values():
            self._pass_paused(plan, clock.wall())
            self.look(plan)

    # when

    def look(self, plan: Plan) -> None:
        """Anew: find out when it has to be considered next."""
        if self.begun:
            self._push(plan, plan.wake if plan.wake is not None else self._first(plan))

    def review(self) -> None:
        """Other settings: what was made ready went by the old ones."""
        coming, self._coming = self._coming, []
        for ready in coming:
            if ready.plan.stamp == ready.stamp:
                self._push(ready.plan, ready.wake)

    def _first(self, plan: Plan) -> float | None:
        fire = plan.rule.times.next(plan.cursor)
        return self._sooner(plan, None if fire is None else plan.rule.due(fire).at)

    def _sooner(self, plan: Plan, wake: float | None) -> float | None:
        """That, or the time after the end of its last run."""
        after = self.after_finish(plan)
        return wake if after is None or (wake is not None and wake < after) else after

    def after_finish(self, plan: Plan) -> float | None:
        """When it is due by the end of its last run; None: it does not go by that, or one goes on, or waits."""
        desk = self._desk
        if not plan.after_finish or plan.queued or desk.claims.pending(plan.id) or desk.runner.of(plan.id):
            return None
        return plan.after_end()

    def _push(self, plan: Plan, wake: float | None) -> None:
        self._place(plan, wake)
        if wake is not None:
            self._arm()

    def _place(self, plan: Plan, wake: float | None) -> None:
        plan.wake = wake
        self._stamp += 1
        plan.stamp = self._stamp
        if wake is None:
            return
        heapq.heappush(self._heap, (wake, plan.stamp, plan))
        if len(self._heap) > 2 * len(self._desk.plans) + TIDY_FROM:
            self._heap = [each for each in self._heap if each[2].stamp == each[1]]
            heapq.heapify(self._heap)

    def forget(self, plan: Plan) -> None:
        plan.stamp = 0

    def _arm(self) -> None:
        """For what comes next: a moment ahead of it, if it has not been made ready yet and there is room for that."""
        heap, clock = self._heap, self._desk.loop.clock
        while heap and heap[0][2].stamp != heap[0][1]:
            heapq.heappop(heap)
        if not heap and not self._coming:
            return
        ahead = AHEAD_S if len(self._coming) < AT_A_TURN else 0.0
        next_at = min([one.wake for one in self._coming[:1]] + [wake - ahead for wake, _, _ in heap[:1]])
        due = clock.now() + min(max(next_at - clock.wall(), 0.0), LONG_S)
        if self._timer is not None:
            if abs(due - self._timer_due) < 0.001:
                return
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._desk.loop.at(due, self._wake, exact=bool(self._coming))

    def _wake(self) -> None:
        self._timer = None
        if self._desk.stopping:
            return
        now = self._desk.loop.clock.wall()
        try:
            if (self._coming and self._coming[0].wake <= now) or (self._heap and self._heap[0][0] <= now):
                self._desk.pauses.look_once_for(lambda: self._decide_all(now))
            self._look_ahead(now)
        except Exception:  # a defect of ours must not be the end of all schedules, nor a circle without a pause
            if self._timer is not None:  # somebody has armed it in this very turn
                self._timer.cancel()
            self._timer_due = self._desk.loop.clock.now() + AGAIN_S
            self._timer = self._desk.loop.at(self._timer_due, self._wake)
            raise
        self._arm()

    def _look_ahead(self, now: float) -> None:
        heap = self._heap
        while heap and heap[0][0] <= now + AHEAD_S and len(self._coming) < AT_A_TURN:
            wake, stamp, plan = heapq.heappop(heap)
            if plan.stamp == stamp:
                ready = make_ready(self._desk, wake, stamp, plan)
                self._coming.append(ready)
                self._desk.ahead.want(ready)
        self._coming.sort(key=_wakes_at)  # one that came late may be due earlier

    def _decide_all(self, now: float) -> None:
        """What is due: first all of it is decided, then the next times are noted."""
        self._desk.runner.hear()
        coming, self._coming = self._coming, []
        decided: list[Ready] = []
        for number, ready in enumerate(coming):
            if ready.wake > now:
                self._coming = coming[number:]
                break
            if ready.plan.stamp == ready.stamp:
                self._desk.loop.guard(self._decide, ready, now)
                decided.append(ready)
        for ready in decided:
            if ready.judged is not None and ready.plan.stamp == ready.stamp:
                self._place(ready.plan, ready.judged.wake)
        heap, left = self._heap, AT_A_TURN
        while heap and heap[0][0] <= now and left > 0:
            _, stamp, plan = heapq.heappop(heap)
            if plan.stamp == stamp:
                left -= 1
                self._desk.loop.guard(self.consider, plan)

    def _decide(self, ready: Ready, now: float) -> None:
        plan, judged = ready.plan, ready.judged
        if judged is None or ready.slot is None or now >= ready.wake + HOLDS_S:
            self.consider(plan)
            return
        plan.wake = judged.wake
        if judged.cursor > plan.cursor:
            plan.cursor = judged.cursor
        self._desk.admission.admit(ready.slot)

    # what

    def consider(self, plan: Plan) -> None:
        """All of its slots up to now."""
        now = self._desk.loop.clock.wall()
        self._pass_paused(plan, now)
        self.carry_out(plan, judge(plan.rule, plan.cursor, now))
        if plan.after_finish:
            self._consider_after_finish(plan, now)

    def _pass_paused(self, plan: Plan, now: float) -> None:
        """What was due in a pause while all was stopped, or this machine slept, is held by it, and not missed.

        The last ones of a pause that goes on come to the gate, which says by whom.
        """
        for since, until in self._desk.pauses.spans(plan.id):
            last = newest_due(plan, until - BEFORE_S if until and until <= now else now - plan.rule.grace)
            if last is None or last.at <= plan.cursor or plan.rule.due(last).at <= since:
                continue
            before = newest_due(plan, since)
            if before is not None and before.at > plan.cursor:
                self.carry_out(plan, judge(plan.rule, plan.cursor, now, before.at))
            self.skip_to(plan, last.at, Skip.PAUSED)
            self._push(plan, self._first(plan))

    def carry_out(self, plan: Plan, judged: Judged) -> None:
        desk = self._desk
        for passed in judged.passed:
            desk.admission.pass_over(plan, passed)
        plan.cursor = max(plan.cursor, judged.cursor)
        self._push(plan, self._sooner(plan, judged.wake))
        for chosen in judged.chosen:
            trigger = Trigger.CATCH_UP if chosen.catch_up else Trigger.SCHEDULE
            slot = Slot(plan, chosen.fire.at, chosen.due, trigger, note=chosen.fire.shifted)
            desk.admission.admit(slot, spread=chosen.catch_up or chosen.fire.at == plan.anchor)

    def _consider_after_finish(self, plan: Plan, now: float) -> None:
        """Its slots are made by the ends of its runs; the first one when it is first seen."""
        due = self.after_finish(plan)
        if due is None or due > now:
            return
        plan.finish_slot = int(due)
        spread = plan.finish_slot == plan.anchor or due < now - plan.rule.grace
        self._desk.admission.admit(Slot(plan, plan.finish_slot, due, Trigger.SCHEDULE), spread=spread)
        plan.finish_slot = max(plan.finish_slot, int(now))  # held: the next one is counted from now
        self._push(plan, self._first(plan))

    def finished(self, plan: Plan) -> None:
        """A run of it has ended, or did not begin."""
        if plan.after_finish and self.begun:
            self._push(plan, self._first(plan))

    def make_up(self, plan: Plan, promised: dict[str, int | None]) -> None:
        """After a pause: these runs, and the slot that each stands for.

        Those slots have had their end, so these runs claim none; they only stand for them. Each waits for its turn; one
        that can't begin leaves the row of a run that says why.
        """
        now = self._desk.loop.clock.wall()
        for run_id, nominal in promised.items():
            slot = Slot(plan, None, now, Trigger.CATCH_UP, note="after a pause")
            slot.stands_for, slot.promised = nominal, run_id
            self._desk.admission.admit(slot, spread=True)

    # the clock

    def check_clock(self) -> None:
        """With each heartbeat: has the wall clock been set, or has the machine slept?"""
        if not self.begun:
            return  # it has not looked at the clock yet, so there is nothing to compare with
        clock = self._desk.loop.clock
        offset, suspended = clock.wall() - clock.now(), clock.boot() - clock.now()
        slept = suspended - self._suspended
        stepped = offset - self._offset - slept
        self._offset, self._suspended = offset, suspended
        if slept > SLACK_S:
            self._desk.telling.slept(slept)
        if abs(stepped) > SLACK_S:
            self._stepped(stepped)
        elif slept > SLACK_S:
            self._arm_anew()

    def _stepped(self, by: float) -> None:
        """A small step passes over slots like a pause of the machine; a large one sets the clock right."""
        desk, now = self._desk, self._desk.loop.clock.wall()
        desk.telling.stepped(by)
        desk.turns.clock_set(by)
        if by > BIG_STEP_S:
            for plan in desk.plans.values():
                self.skip_to(plan, now, Skip.CLOCK)
                self._push(plan, self._first(plan))
        elif by < -BIG_STEP_S:
            desk.writer.cut(int(now))
            for plan in desk.plans.values():
                self._set_back(plan, by, now)
            desk.take_catalogue(desk.catalogue, anew=True)  # an interval may have been counted from a time to come
        self._arm_anew()

    def _set_back(self, plan: Plan, by: float, now: float) -> None:
        """What was noted by a clock that was ahead is not waited for."""
        plan.cursor, plan.finish_slot = min(plan.cursor, int(now)), min(plan.finish_slot, int(now))
        plan.last_at = min(plan.last_at, now)
        if plan.breaker.until > now:
            its = plan.breaker
            plan.breaker = Breaker(its.state, streak=its.streak, until=its.until + by, opens=its.opens)

    def skip_to(self, plan: Plan, now: float, reason: Skip) -> None:
        """Everything up to now is decided: it does not run, for this one reason."""
        times = plan.rule.times
        first, last = times.next(plan.cursor), times.prev(int(now) + 1)
        if first is not None and last is not None and first.at <= last.at:
            count, is_exact = times.count(plan.cursor, int(now), COUNT_AT_MOST)
            self._desk.admission.pass_range(plan, first.at, last.at, reason, count if is_exact else None)
        plan.cursor = max(plan.cursor, int(now))

    def _arm_anew(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._arm()


def _wakes_at(ready: Ready) -> float:
    return ready.wake
