"""Claims: a run begins once the history has its slot on the disk, so no slot ever runs twice.

A disk that does not answer must not keep jobs from running for ever: after two seconds the run begins all the same,
under a claim that stands in the journal, and is marked. `ledger: required` rather skips the slot.
"""

from __future__ import annotations

from supervisor.core.breaker import begun, neither
from supervisor.core.gates import SKIP, WAIT, Held, first_held
from supervisor.core.pipeline import ENDED, Progress
from supervisor.engine.texts import duration
from supervisor.model.run import RunState, Skip, Trigger
from supervisor.runs import columns
from supervisor.runs.plan import NOTHING_WRONG
from supervisor.runs.runner import Context
from supervisor.runs.slot import Slot
from supervisor.store.rows import RunRow, SlotRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.loop import Timer
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run

PATIENCE_S = 2.0
PROMPT_S = 0.5
SHORTEST_WAIT_S = 0.2
LONGEST_WAIT_S = 30.0  # who waits looks again at least so often: the reason may be gone


class Claims:
    """Of one desk: runs between their claim and their beginning."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pending: dict[str, Slot] = {}  # by run: its claim is on its way to the disk
        self._of: dict[str, int] = {}  # how many that begin with their claim, by schedule ...
        self._in_group: dict[str, int] = {}  # ... and by group
        self._timer = False
        self._turns: dict[str, Timer] = {}
        self._turn_of_all_comes = False

    def pending(self, schedule: str) -> int:
        return self._of.get(schedule, 0)

    def in_group(self, group: str) -> int:
        """Runs of it that go, or are about to."""
        return self._desk.runner.in_group(group) + self._in_group.get(group, 0)

    def __len__(self) -> int:
        return len(self._pending)

    # claiming

    def claim(self, slot: Slot, *, queue: bool = False) -> Run:
        desk, plan, now = self._desk, slot.plan, self._desk.loop.clock.wall()
        if slot.write is None:
            self.make_ready(slot, now)
        run, write = slot.run, slot.write
        assert run is not None
        assert write is not None
        assert write.values is not None
        run.claimed, run.not_before, run.deadline = now, slot.not_before, slot.deadline
        if plan.accepted:
            run.progress.accepted = plan.accepted
        slot.since, slot.queue = desk.loop.clock.now(), queue
        self._pending[run.id] = slot
        if not queue:
            self._of[plan.id] = self._of.get(plan.id, 0) + 1
            if group := plan.schedule.policy.group:
                self._in_group[group] = self._in_group.get(group, 0) + 1
            if plan.breaker is not NOTHING_WRONG:
                plan.breaker = begun(plan.breaker, now)
        else:
            plan.queued += (run,)
            write.values["state"] = RunState.QUEUED.value
        write.values["claimed"] = at = int(now * 1000)
        for values in write.slots:
            values["decided"] = at
        if not desk.writer.put_claim(write):
            run_id = run.id
            desk.loop.soon(lambda: self._not_durable(run_id, refused=True))
        elif not self._timer:
            self._timer = True
            desk.loop.after(PATIENCE_S, self._look)
        return run

    def make_ready(self, slot: Slot, at: float) -> None:
        """Its run and the rows of its claim, if it is claimed at that time. Nothing is changed by it."""
        run, plan = slot.run or self._desk.admission.make_run(slot, at), slot.plan
        slot.run, run.claimed = run, at
        slots = [] if slot.nominal is None else [
            SlotRow(
                plan.id, slot.nominal, run=run.id, due=int(slot.due * 1000), note=slot.note or None,
                revision=plan.schedule.revision,
            )
        ]  # fmt: skip
        row = RunRow(run.id, run.schedule or None, **columns.of_claim(run), state=RunState.CLAIMED.value)
        run_id = run.id
        slot.write = self._desk.writer.made_claim(slots, row, lambda ok: self._done(run_id, ok=ok))

    def _plan(self, slot: Slot) -> Plan:
        """Other settings may have come while its claim was on its way."""
        return self._desk.plans.get(slot.plan.id, slot.plan)

    def _take(self, run_id: str) -> Slot | None:
        found = self._pending.pop(run_id, None)
        if found is not None and not found.queue:
            name, group = found.plan.id, found.plan.schedule.policy.group
            if group:
                self._in_group[group] -= 1
            self._of[name] -= 1
            if not self._of[name]:
                del self._of[name]
        return found

    def _done(self, run_id: str, *, ok: bool) -> None:
        found = self._take(run_id)
        if found is None:
            return
        run, plan = found.run, self._plan(found)
        assert run is not None
        if found.after and found.write is not None:  # another end may have its second: the history knows
            run.nominal = found.write.second
        if not ok:  # somebody had it before us: a clock that was set back, a history that was put back
            self._gone(run, plan, "its slot had been decided before")
        elif found.queue:
            self.turn(plan)
        elif plan.id not in self._desk.plans:
            self._release(plan, run, Held("settings", Skip.EDITED, "the schedule has been removed"))
        elif held := self._paused_since(found, run, plan):
            self._release(plan, run, held)
        else:
            self.begin(run, plan)

    def _paused_since(self, slot: Slot, run: Run, plan: Plan) -> Held | None:
        """A pause that came while its claim was on its way: if that took long, somebody relies on it."""
        if run.nominal is None or self._desk.loop.clock.now() - slot.since < PROMPT_S:
            return None
        held = self._held(plan, run)
        return held if held is not None and held.skip in (Skip.PAUSED, Skip.DISABLED) else None

    def _look(self) -> None:
        """Those that have waited for the disk for too long."""
        self._timer = False
        now = self._desk.loop.clock.now()
        for run_id, slot in list(self._pending.items()):
            if now - slot.since >= PATIENCE_S - 0.01:
                self._not_durable(run_id)
        if self._pending:
            self._timer = True
            self._desk.loop.after(PATIENCE_S / 4, self._look)

    def _not_durable(self, run_id: str, *, refused: bool = False) -> None:
        """`refused`: the writer has not taken it, so nothing of it is on its way."""
        slot = self._pending.get(run_id)
        if slot is None:
            return
        run = slot.run
        assert run is not None
        if slot.plan.schedule.policy.ledger == "required" and slot.nominal is not None:
            if refused or self._desk.writer.withdraw(run_id):
                reason = "its claim could not be made durable, and its ledger is required"
                self._take(run_id)
                self._gone(run, self._plan(slot), reason)
                self._desk.admission.skip(slot, Held("ledger", Skip.LEDGER, reason))
            return
        if self._paused_since(slot, run, self._plan(slot)):
            self._done(run_id, ok=True)  # which releases it
            return
        run.unledgered = True
        self._desk.telling.unledgered(run)
        self._done(run_id, ok=True)

    def _gone(self, run: Run, plan: Plan, why: str) -> None:
        """It does not begin, and there is no row of it."""
        self._take(run.id)
        plan.queued = tuple(each for each in plan.queued if each is not run)
        if not self._desk.runner.of(plan.id):
            plan.breaker = neither(plan.breaker)  # it may have been the probe
        run.progress.state, run.progress.cause = RunState.CANCELLED.value, why
        self._desk.outcomes.no_run(run)
        self._desk.planner.finished(plan)

    # beginning

    def begin(self, run: Run, plan: Plan | None) -> None:
        """Now."""
        desk = self._desk
        if desk.stopping:
            return  # its claim is found by the next scheduler
        commands = desk.catalogue.commands.get(run.plugin, {})
        policy = plan.schedule.policy if plan is not None else desk.by_hand_policy
        if plan is not None:
            plan.cycle += 1
            run.cycle = plan.cycle
            plan.breaker = begun(plan.breaker, desk.loop.clock.wall())
            plan.stretch = None
        desk.runner.begin(run, Context(policy, commands))

    def turn(self, plan: Plan) -> None:
        """Let the first in its queue begin, if it may; then the next."""
        desk, policy = self._desk, plan.schedule.policy
        desk.runner.hear()
        timer = self._turns.pop(plan.id, None)
        if timer is not None:
            timer.cancel()
        while (run := self._first(plan)) is not None:
            now = desk.loop.clock.wall()
            if run.takes_a_slot and now - run.due > policy.window + policy.spread:
                self._release(plan, run, Held("queue", Skip.NOT_STARTED, "it has waited for too long"))
                continue
            held = self._held(plan, run)
            if held is None:
                plan.queued = tuple(each for each in plan.queued if each is not run)
                self.begin(run, plan)
            elif held.action == SKIP:
                self._release(plan, run, held)
            else:
                self._tell_if_late(run, held, now)
                if held.action == WAIT:
                    self._turn_later(plan, held.until - now if held.until else LONGEST_WAIT_S)
                return  # else the end of another run, or an answer, brings the next turn

    def _tell_if_late(self, run: Run, held: Held, now: float) -> None:
        """Once: with the first look (at each heartbeat) after it should have begun; not who just waits its turn."""
        in_turn = held.gate == "overlap" and not run.takes_a_slot
        if now > run.deadline and not run.was_told_late and not in_turn:
            run.was_told_late = True
            waits = f"has not started for {duration(now - run.due)}: {held.reason}"
            self._desk.telling.unusual(run, "run.not_started", waits)

    def _first(self, plan: Plan) -> Run | None:
        """The first whose time has come; one whose claim is on its way keeps those behind it waiting."""
        now, begins = self._desk.loop.clock.wall(), 0.0
        for run in plan.queued if not self._desk.stopping else ():
            if run.not_before <= now:
                return None if run.id in self._pending else run
            begins = min(begins or run.not_before, run.not_before)
        if begins:
            self._turn_later(plan, begins - now)
        return None

    def _held(self, plan: Plan, run: Run) -> Held | None:
        standing = self._desk.admission.standing(plan, run.deadline)
        standing.queued, standing.takes_a_slot = 0, run.takes_a_slot  # it is the first
        return first_held(plan.schedule.policy, standing, self._desk.loop.clock.wall())

    def _turn_later(self, plan: Plan, wait: float) -> None:
        wait, name = min(max(wait, SHORTEST_WAIT_S), LONGEST_WAIT_S), plan.id
        self._turns[name] = self._desk.loop.after(wait, lambda: self._turn_of(name))

    def _turn_of(self, name: str) -> None:
        self._turns.pop(name, None)
        plan = self._desk.plans.get(name)
        if plan is not None:
            self.turn(plan)

    def give_up(self, run: Run, held: Held) -> None:
        """One that a predecessor had claimed, and that can't begin any more."""
        if not run.takes_a_slot:
            self.cancel(run, held.reason)
        else:
            self._desk.writer.release(run.id, held.skip.value, note=held.reason)

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

    def turn_of_all(self) -> None:
        """A place in a group is free, a check has its answer, a pause is over: who waits longest is first."""
        self._turn_of_all_comes = False
        for plan in sorted((plan for plan in self._desk.plans.values() if plan.queued), key=_waits_since):
            self.turn(plan)

    def turn_of_all_soon(self) -> None:
        """Once, however many runs end at a time."""
        if not self._turn_of_all_comes:
            self._turn_of_all_comes = True
            self._desk.loop.soon(self.turn_of_all)

    def clock_set(self, by: float) -> None:
        """Who waits does so no longer, and no shorter, for that."""
        for plan in self._desk.plans.values():
            for run in plan.queued:
                run.deadline += by
                if run.not_before:
                    run.not_before += by

    def _release(self, plan: Plan, run: Run, held: Held) -> None:
        """It does not run after all."""
        if run.nominal is None or not run.takes_a_slot:
            self.cancel(run, held.reason)
            return
        until, of = int(held.until * 1000) if held.until else None, (plan.id, plan.schedule.revision, run.nominal)
        self._desk.writer.release(run.id, held.skip.value, until=until, note=held.reason, of=of)
        slot = Slot(plan, run.nominal, run.due, Trigger(run.trigger))
        self._desk.admission.tell_skipped(slot, held)
        self._gone(run, plan, held.reason)

    def drop_queue(self, plan: Plan, reason: str) -> None:
        """The schedule is no more, or another one."""
        for run in plan.queued:
            self._release(plan, run, Held("settings", Skip.EDITED, reason))

    def make_room(self, plan: Plan, reason: str) -> None:
        """A later slot takes the place of those that wait for their turn."""
        now = self._desk.loop.clock.wall()
        for run in plan.queued:
            if run.due <= now:
                self._release(plan, run, Held("overlap", Skip.OVERLAP, reason))

    def cancel(self, run: Run, cause: str) -> None:
        """One that has not begun."""
        self._take(run.id)
        plan = self._desk.plans.get(run.schedule)
        if plan is not None:
            plan.queued = tuple(each for each in plan.queued if each is not run)
        run.progress.state, run.progress.cause = RunState.CANCELLED.value, cause
        run.progress.phase = ENDED
        run.ended = self._desk.loop.clock.wall()
        self._desk.outcomes.run_ended(run)


def _waits_since(plan: Plan) -> float:
    return plan.queued[0].due
