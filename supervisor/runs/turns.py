"""Turns: whoever is claimed and can't begin yet waits in the queue of its plan, until its time has come and it may."""

from __future__ import annotations

from supervisor.core.gates import END_OTHER, SKIP, WAIT, Held, first_held
from supervisor.core.pipeline import Progress
from supervisor.engine.texts import duration
from supervisor.model.run import Skip, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.base.loop import Timer
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run

SHORTEST_WAIT_S = 0.2
LONGEST_WAIT_S = 30.0  # who waits looks again at least so often: the reason may be gone


class Turns:
    """Of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._timers: dict[str, Timer] = {}
        self._of_all_comes = False
        self._ended: dict[str, None] = {}  # schedules of runs that have ended in this turn of the loop
        self._members: dict[str, list[Plan]] = {}  # by group, in the order of the settings

    def __len__(self) -> int:
        return len(self._timers)

    def know(self, plans: Iterable[Plan]) -> None:
        """The settings, first or other ones."""
        self._members = {}
        for plan in plans:
            if group := plan.schedule.policy.group:
                self._members.setdefault(group, []).append(plan)

    def turn(self, plan: Plan) -> None:
        """Let those of its queue begin that may, in order; ask about those whose time has come meanwhile."""
        desk = self._desk
        desk.runner.hear()
        timer = self._timers.pop(plan.id, None)
        if timer is not None:
            timer.cancel()
        if desk.stopping:
            return
        waits = [self._let_begin(plan)]
        for run in plan.queued:
            if not run.has_come and run in plan.queued and not desk.claims.is_on_its_way(run):
                waits.append(self._let_come(plan, run) or self._let_begin(plan))
        if shortest := min(filter(None, waits), default=0.0):
            self._turn_later(plan, shortest)

    def _let_begin(self, plan: Plan) -> float:
        """The first of those that wait for their turn, then the next. Returns when to look again; 0: who is in its way,
        or an answer, brings the next turn.
        """
        while (run := self._first(plan)) is not None:
            held = self._ask(plan, run)
            if held is not None:
                return self._wait_for(held) if held.action == WAIT else 0.0
        return 0.0

    def _let_come(self, plan: Plan, run: Run) -> float:
        """Its time has come, perhaps: then its slot is admitted as if it came now, and makes room or finds none.

        Returns when to look again; 0: it has begun, it is gone, or it waits for its turn now.
        """
        now = self._desk.loop.clock.wall()
        if run.not_before > now:
            return max(run.not_before - now, SHORTEST_WAIT_S)
        held = self._ask(plan, run)
        if held is not None and held.action == WAIT:
            return self._wait_for(held)
        if held is not None:
            if held.action == END_OTHER:
                self._desk.admission.end_other(plan, in_turn=True)
            run.has_come = True
        return 0.0

    def _ask(self, plan: Plan, run: Run) -> Held | None:
        """Begin, or be gone (both None), or wait for that."""
        desk, policy, now = self._desk, plan.schedule.policy, self._desk.loop.clock.wall()
        if run.takes_a_slot and now - run.due > policy.window + policy.spread:
            desk.claims.release(plan, run, Held("queue", Skip.NOT_STARTED, "it has waited for too long"))
            return None
        held = self.held(plan, run)
        if held is None:
            plan.queued = tuple(each for each in plan.queued if each is not run)
            desk.claims.begin(run, plan)
        elif held.action == SKIP:
            desk.claims.release(plan, run, held)
        else:
            self._tell_if_late(run, held, now)
            return held
        return None

    def _wait_for(self, held: Held) -> float:
        wait = held.until - self._desk.loop.clock.wall() if held.until else LONGEST_WAIT_S
        return max(wait, SHORTEST_WAIT_S)

    def _tell_if_late(self, run: Run, held: Held, now: float) -> None:
        """Once: with the first look (at each heartbeat) after it should have begun; not who just waits its turn."""
        in_turn = held.gate == "overlap" and not run.takes_a_slot
        if now > run.deadline and not run.was_told_late and not in_turn:
            run.was_told_late = True
            waits = f"has not started for {duration(now - run.due)}: {held.reason}"
            self._desk.telling.unusual(run, "run.not_started", waits)

    def _first(self, plan: Plan) -> Run | None:
        """Of those that wait for their turn; one whose claim is on its way keeps those behind it waiting."""
        run = next((run for run in plan.queued if run.has_come), None)
        return None if run is None or self._desk.claims.is_on_its_way(run) else run

    def held(self, plan: Plan, run: Run) -> Held | None:
        standing = self._desk.admission.standing(plan, run.deadline)
        standing.takes_a_slot = run.takes_a_slot
        standing.queued = 0  # it is the first ...
        if not run.has_come:  # ... or is to be the last
            standing.queued = sum(each.has_come and each.takes_a_slot for each in plan.queued)
        return first_held(plan.schedule.policy, standing, self._desk.loop.clock.wall())

    def _turn_later(self, plan: Plan, wait: float) -> None:
        wait, name = min(max(wait, SHORTEST_WAIT_S), LONGEST_WAIT_S), plan.id
        self._timers[name] = self._desk.loop.after(wait, lambda: self._turn_of(name))

    def _turn_of(self, name: str) -> None:
        self._timers.pop(name, None)
        plan = self._desk.plans.get(name)
        if plan is not None:
            self.turn(plan)

    def wait_again(self, run: Run, plan: Plan) -> None:
        """One that a predecessor had claimed, and that never began."""
        desk = self._desk
        its = run.progress.steps if run.trigger == Trigger.RERUN else []  # those of the run that was cut off
        run.progress = Progress(its or desk.admission.steps_for(plan), plan.accepted)
        run.tenant = plan.schedule.tenant
        run.not_before = desk.admission.place_again(run, plan)
        run.deadline = run.not_before + plan.rule.grace
        plan.queued += (run,)
        self.turn(plan)

    def of_all(self) -> None:
        """A check has its answer, a pause is over, the settings are others: who waits longest is first."""
        self._of_all_comes = False
        for plan in sorted((plan for plan in self._desk.plans.values() if plan.queued), key=_waits_since):
            self.turn(plan)

    def after_end(self, name: str) -> None:
        """A run of that schedule has ended. Once, however many end at a time."""
        if name not in self._desk.plans:
            self.of_all_soon()
            return
        if not self._ended:
            self._desk.loop.soon(self._after_ends)
        self._ended[name] = None

    def after_claim(self, plan: Plan) -> None:
        """One has come to nothing, of the schedule as it was then: what it held is free, as after an end."""
        now = self._desk.plans.get(plan.id)
        if now is None or now.schedule.policy.group != plan.schedule.policy.group:
            self.of_all_soon()
        else:
            self.after_end(plan.id)

    def _after_ends(self) -> None:
        """Who waited for those, for a place in their groups, or for what they took of this machine.

        A thousand may wait for one of four places: each is asked when there is one, and not with each end. For what
        else may have become of them there is the heartbeat.
        """
        desk, (ended, self._ended) = self._desk, (self._ended, {})
        plans = [desk.plans[name] for name in ended if name in desk.plans]
        groups = desk.runner.groups_left().union(plan.schedule.policy.group for plan in plans)
        asked = {plan for group in sorted(groups) for plan in self._fill(group)}
        others = dict.fromkeys((*plans, *self._short_of_something()))
        for plan in sorted((plan for plan in others if plan.queued and plan not in asked), key=_waits_since):
            self.turn(plan)

    def _fill(self, group: str) -> list[Plan]:
        """Returns who has been asked."""
        asked: list[Plan] = []
        has_place = self._desk.claims.has_place
        if group in self._members and has_place(group):
            for plan in sorted([plan for plan in self._members[group] if plan.queued], key=_waits_since):
                if not has_place(group):
                    break
                self.turn(plan)
                asked.append(plan)
        return asked

    def _short_of_something(self) -> list[Plan]:
        """Those that look again by themselves, and not because their time is to come."""
        plans, now = self._desk.plans, self._desk.loop.clock.wall()
        waiting = [plans[name] for name in self._timers if name in plans]
        return [plan for plan in waiting if any(run.not_before <= now for run in plan.queued)]

    def of_all_soon(self) -> None:
        """Once, however many runs end at a time."""
        if not self._of_all_comes:
            self._of_all_comes = True
            self._desk.loop.soon(self.of_all)

    def clock_set(self, by: float) -> None:
        """Who waits does so no longer, and no shorter, for that."""
        for plan in self._desk.plans.values():
            for run in plan.queued:
                run.deadline += by
                if run.not_before:
                    run.not_before += by

    def drop_queue(self, plan: Plan, reason: str) -> None:
        """The schedule is no more, or another one."""
        for run in plan.queued:
            self._desk.claims.release(plan, run, Held("settings", Skip.EDITED, reason))

    def make_room(self, plan: Plan, reason: str, *, in_turn: bool) -> None:
        """A later slot takes the place of those that wait for their turn; `in_turn`: not of those still to come."""
        now = self._desk.loop.clock.wall()
        for run in plan.queued:
            if run.has_come if in_turn else run.due <= now:
                self._desk.claims.release(plan, run, Held("overlap", Skip.OVERLAP, reason))


def _waits_since(plan: Plan) -> float:
    return plan.queued[0].due
