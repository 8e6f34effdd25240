"""From a due slot to a claimed run, or to the row that says why there is none.

admit -> gates -> claim, durable -> begin
               -> skip: a row with its reason
               -> queue: claimed, begins when its turn comes, or is skipped then
"""

from __future__ import annotations

from supervisor.core.breaker import allows
from supervisor.core.gates import END_OTHER, QUEUE, SKIP, Standing, all_held, first_held
from supervisor.core.pipeline import Progress, steps_of
from supervisor.model.event import INFO, WARNING
from supervisor.model.run import RunState, Skip, Trigger
from supervisor.model.schedule import Overlap
from supervisor.runs.plan import NOTHING_WRONG, waits_for
from supervisor.runs.ranges import around
from supervisor.runs.run import Run
from supervisor.runs.seconds import noted
from supervisor.store.rows import HELD_ENDS, SlotRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.core.due import Passed
    from supervisor.core.gates import Held
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.runs.slot import Slot

TOLD_AS_WARNING = (Skip.COOLDOWN, Skip.MISSED, Skip.SAFETY, Skip.UNREACHABLE, Skip.WINDOW, Skip.LEDGER)


class Admission:
    """Of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._free_from = 0.0  # monotonic: when the next of those that may not all begin at once may

    # slots that do not run

    def pass_over(self, plan: Plan, passed: Passed) -> None:
        self.pass_range(plan, passed.first, passed.last, passed.reason, passed.count)

    def pass_range(self, plan: Plan, first: int, last: int, reason: Skip, count: int | None = None) -> None:
        count = 1 if first == last else count
        parts = [(first, last, count)]
        if waits_for(plan.schedule):
            parts = around(
                plan.rule.times, first, last, count, self._desk.outcomes.seconds.between(plan.id, first, last)
            )
        self._desk.writer.skip([
            SlotRow(
                plan.id, begin, nominal_to=end, outcome="skipped", reason=reason.value, count=number,
                revision=plan.schedule.revision,
            )
            for begin, end, number in parts
        ])  # fmt: skip
        if plan.stretch is not reason:
            plan.stretch = reason
            level = WARNING if reason in TOLD_AS_WARNING else INFO
            self._desk.telling.passed(plan, first, last, count, reason, level)

    def skip(self, slot: Slot, held: Held) -> None:
        """Its end: a row, and an event where the slot before did not end for the same reason."""
        if slot.nominal is None:
            return
        plan = slot.plan
        until = int(held.until * 1000) if held.until else None
        self._desk.writer.skip([
            SlotRow(
                plan.id, slot.nominal, outcome="skipped", reason=held.skip.value, due=int(slot.due * 1000), until=until,
                revision=plan.schedule.revision, note=noted(held.reason, slot.after),
            )
        ], own=bool(slot.after))  # fmt: skip
        self.tell_skipped(slot, held)

    def tell_skipped(self, slot: Slot, held: Held) -> None:
        """Said where the slot before did not end for the same reason."""
        plan = slot.plan
        if held.skip is Skip.PAUSED and slot.nominal is not None:
            plan.paused_at = max(plan.paused_at, slot.nominal)
            if slot.trigger is Trigger.AFTER:
                plan.held_ends = (*plan.held_ends, slot.nominal)[-HELD_ENDS:]
        if plan.stretch is not held.skip:
            plan.stretch = held.skip
            self._desk.telling.held(plan, slot, held, WARNING if held.skip in TOLD_AS_WARNING else INFO)

    # slots that may

    def admit(self, slot: Slot, *, spread: bool = False) -> None:
        """By time. `spread`: many may have come at once, after a pause of the machine, say.

        Whatever can't begin now and is not skipped is claimed all the same, and waits in the queue of its plan: so
        nothing is lost with this process.
        """
        desk, plan, now = self._desk, slot.plan, self._desk.loop.clock.wall()
        slot.deadline = max(slot.due, now) + plan.rule.grace
        if spread:
            slot.not_before = self.place_in_spread(plan)
        if slot.not_before > now:
            desk.claims.claim(slot, queue=True)  # the gates are asked when its time comes
            return
        standing = self.standing(plan, slot.deadline, now=now)
        if slot.nominal is None:
            standing.takes_a_slot = False
        held = first_held(plan.schedule.policy, standing, now)
        if held is None:
            desk.claims.claim(slot)
            return
        if held.action == SKIP and slot.nominal is not None:  # else the row of its run is to say why
            self.skip(slot, held)
            return
        if held.action == END_OTHER:
            self.end_other(plan)
        run = desk.claims.claim(slot, queue=True)
        run.has_come = held.action in (END_OTHER, QUEUE)  # else the gates behind that one are asked later

    def place_in_spread(self, plan: Plan) -> float:
        """When the next of those that came at once may begin: before its own next slot, which else finds it waiting."""
        clock, spread = self._desk.loop.clock, plan.schedule.policy.spread
        now, wall = clock.now(), clock.wall()
        wait = max(self._free_from - now, 0.0) if spread else 0.0
        wake = plan.wake
        if wake is None or wake <= wall:  # it is not in the heap yet, or not any more
            fire = plan.rule.times.next(int(wall))
            wake = None if fire is None else plan.rule.due(fire).at
        longest = max(wake - wall, 0.0) / 2 if wake is not None else wait
        if wait > longest:
            wait = longest
        elif spread:
            self._free_from = now + wait + spread
        return wall + wait

    def place_again(self, run: Run, plan: Plan) -> float:
        """For one that a predecessor had claimed: what is in time has come at its own time, and waits for nobody.

        Unless it was one of many that came at once: then it does so again, behind those of them that have begun.
        """
        if not _comes_with_others(run, plan) and self._desk.loop.clock.wall() <= run.due + plan.rule.grace:
            return run.due
        if not self._free_from:
            self._free_from = self._free_behind(self._desk.runner.runs.values())
        return max(self.place_in_spread(plan), run.due)

    def _free_behind(self, runs: Iterable[Run]) -> float:
        plans, clock = self._desk.plans, self._desk.loop.clock
        wall, free = clock.wall(), 0.0
        for run in runs:
            plan = plans.get(run.schedule)
            if plan is not None and run.started and _comes_with_others(run, plan):
                free = max(free, clock.now() + min(run.started - wall, 0.0) + plan.schedule.policy.spread)
        return free

    def end_other(self, plan: Plan, *, in_turn: bool = False) -> None:
        """`in_turn`: for one that has waited for a time, among others that still do."""
        reason = "the next slot takes its place"
        self._desk.turns.make_room(plan, reason, in_turn=in_turn)
        at_once = plan.schedule.policy.overlap == Overlap.KILL_OTHER
        for run in self._desk.runner.of(plan.id):
            self._desk.runner.end(run, RunState.CANCELLED, reason, now=at_once)

    # by hand

    def held_by_hand(self, slot: Slot) -> list[Held]:
        """Every gate that is shut to a run that a person asks for."""
        self._desk.runner.hear()
        standing = self.standing(slot.plan, 0.0)
        standing.by_hand = True
        standing.check_ok = standing.check_ok is not False  # nobody waits for a check that was not made lately
        return all_held(slot.plan.schedule.policy, standing, self._desk.loop.clock.wall())

    def held_alone(self, plugin: str) -> list[Held]:
        """The same of a plugin that has no schedule: a pause of all, and a run of it that still goes."""
        desk, standing = self._desk, Standing()
        desk.runner.hear()
        standing.by_hand = True
        pause = desk.pauses.look()
        if pause is not None:
            standing.paused, standing.pause_reason, standing.pause_until = True, pause.text, pause.until or 0.0
        standing.running = sum(run.plugin == plugin for run in desk.runner.of(""))
        return all_held(desk.by_hand_policy, standing, desk.loop.clock.wall())

    # how things are

    def standing_quietly(self, plan: Plan) -> Standing:
        """For whoever only looks: no check is made because of it."""
        return self.standing(plan, 0.0, ask=False)

    def standing(self, plan: Plan, deadline: float, *, ask: bool = True, now: float = 0.0) -> Standing:
        """Only what is not as usual is set: a thousand slots may be asked about at once."""
        desk, now = self._desk, now or self._desk.loop.clock.wall()
        policy, standing = plan.schedule.policy, Standing(deadline)
        if not desk.is_enabled(plan):
            standing.enabled = False
        pause = desk.pauses.of(plan.id)
        if pause is not None:
            standing.paused, standing.pause_reason, standing.pause_until = True, pause.text, pause.until or 0.0
        hours = plan.rule.hours
        if not hours.is_open(int(now)):
            standing.hours_open, standing.opens_at = False, float(hours.next_open(int(now)) or 0)
        blackout = desk.maker.blackout(plan.schedule, int(now)) if policy.blackouts else None
        if blackout is not None:
            standing.blackout_name, standing.blackout_until = blackout[0], float(blackout[1])
        if plan.breaker is not NOTHING_WRONG:
            standing.breaker_shut, standing.breaker_until = not allows(plan.breaker, now), plan.breaker.until
        if policy.check:
            standing.check_ok, standing.check_text = desk.reach.verdict(policy.check, ask=ask)
        safety = policy.safety
        if safety and (safety.get("max_memory_mb") is not None or safety.get("max_cpu_percent") is not None):
            standing.memory_mb, standing.cpu_percent = desk.load.look()
        running = desk.runner.count_of(plan.id) + desk.claims.pending(plan.id)
        if running:
            standing.running = running
        if plan.queued:
            # Others wait for a time to come, or take no slot's place.
            standing.queued = sum(run.due <= now and run.takes_a_slot for run in plan.queued)
        if policy.group:
            standing.group_running = desk.claims.in_group(policy.group)
            standing.group_size = desk.catalogue.places_in(policy.group)
        return standing

    # what comes of a slot

    def make_run(self, slot: Slot, wall: float) -> Run:
        desk, plan, schedule = self._desk, slot.plan, slot.plan.schedule
        steps = self.steps_for(plan)
        # By the clock of now, not the second of the slot: no two schedulers draw at the same moment.
        run = Run(
            slot.promised or desk.ids.draw(desk.loop.clock.wall()),
            schedule.id,
            schedule.plugin,
            steps,
            trigger=Trigger(slot.trigger),
            due=slot.due,
        )
        run.nominal, run.tenant, run.claimed = slot.nominal or slot.stands_for, schedule.tenant, wall
        run.after = slot.after
        run.made_up = slot.nominal is None and slot.trigger is Trigger.CATCH_UP
        run.progress = Progress(steps, plan.accepted)
        return run

    def steps_for(self, plan: Plan) -> list[str]:
        """What a run of it does. Of a plugin that has lost its commands the first one is missed, and said so."""
        schedule = plan.schedule
        has = self._desk.catalogue.commands.get(schedule.plugin, {})
        return steps_of(schedule.steps, tuple(has)) or list(schedule.steps)


def _comes_with_others(run: Run, plan: Plan) -> bool:
    """By its time: what is made up for, and what is due when it is first seen."""
    return run.trigger == Trigger.CATCH_UP or (run.takes_a_slot and run.nominal == plan.anchor)
