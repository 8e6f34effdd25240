"""Claims: a run begins once the history has its slot on the disk, so no slot ever runs twice.

A disk that does not answer must not keep jobs from running for ever: after two seconds the run begins all the same,
under a claim that stands in the journal, and is marked. `ledger: required` rather skips the slot.
"""

from __future__ import annotations

from supervisor.core.breaker import begun, neither
from supervisor.core.gates import Held
from supervisor.core.pipeline import ENDED
from supervisor.core.quality import compared
from supervisor.model.run import RunState, Skip, Trigger
from supervisor.runs import columns
from supervisor.runs.context import Context
from supervisor.runs.plan import NOTHING_WRONG
from supervisor.runs.slot import Slot
from supervisor.store.rows import RunRow, SlotRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run

PATIENCE_S = 2.0
PROMPT_S = 0.5


class Claims:
    """Of one desk: runs between their claim and their beginning."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pending: dict[str, Slot] = {}  # by run: its claim is on its way to the disk
        self._of: dict[str, int] = {}  # how many that begin with their claim, by schedule ...
        self._in_group: dict[str, int] = {}  # ... and by group
        self._timer = False

    def pending(self, schedule: str) -> int:
        return self._of.get(schedule, 0)

    def in_group(self, group: str) -> int:
        """Runs of it that go, or are about to."""
        return self._desk.runner.in_group(group) + self._in_group.get(group, 0)

    def has_place(self, group: str) -> bool:
        return self.in_group(group) < self._desk.catalogue.places_in(group)

    def is_on_its_way(self, run: Run) -> bool:
        return run.id in self._pending

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._pending

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
            run.progress.accepted = compared(plan.accepted)
        slot.since, slot.changes, slot.queue = desk.loop.clock.now(), desk.changes, queue
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
        done = self._promised_done if slot.promised else self._done
        slot.write = self._desk.writer.made_claim(slots, row, lambda ok: done(run_id, ok=ok))

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

    def _promised_done(self, run_id: str, *, ok: bool) -> None:
        self._desk.promises.are_kept(run_id)
        self._done(run_id, ok=ok)

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
            self._desk.turns.after_claim(found.plan)
        elif found.queue:
            self._desk.turns.turn(plan)
        elif held := self._held_since(found, run, plan):
            self.release(plan, run, held)
            self._desk.turns.after_claim(found.plan)
        else:
            self.begin(run, plan)

    def _held_since(self, slot: Slot, run: Run, plan: Plan) -> Held | None:
        """By something that came while its claim was on its way."""
        if plan.id not in self._desk.plans:
            return Held("settings", Skip.EDITED, "the schedule has been removed")
        return self._paused_since(slot, run, plan)

    def _paused_since(self, slot: Slot, run: Run, plan: Plan) -> Held | None:
        """A pause that came while its claim was on its way: whoever was told of it relies on it.

        The gates are asked again only then, or if it took long: somebody may have touched the file meanwhile.
        """
        desk = self._desk
        if slot.changes == desk.changes and desk.loop.clock.now() - slot.since < PROMPT_S:
            return None
        held = self._desk.turns.held(plan, run)
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
        if refused and slot.promised:
            self._desk.promises.are_kept(run_id)  # as well as can be: no claim of it is on its way
        if slot.plan.schedule.policy.ledger == "required" and slot.nominal is not None:
            if refused or self._desk.writer.withdraw(run_id):
                reason = "its claim could not be made durable, and its ledger is required"
                self._take(run_id)
                self._gone(run, self._plan(slot), reason)
                self._desk.admission.skip(slot, Held("ledger", Skip.LEDGER, reason))
                self._desk.turns.after_claim(slot.plan)
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
        plan.finish_slot = max(plan.finish_slot, int(self._desk.loop.clock.wall()))  # held: counted from now
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

    def give_up(self, run: Run, held: Held) -> None:
        """One that a predecessor had claimed, and that can't begin any more."""
        if not run.takes_a_slot:
            self.cancel(run, held.reason)
        else:
            self._desk.writer.release(run.id, held.skip.value, note=held.reason)

    def release(self, plan: Plan, run: Run, held: Held) -> None:
        """It does not run after all."""
        if run.nominal is None or not run.takes_a_slot:
            if run.made_up and held.skip is Skip.PAUSED:
                self._desk.promises.renew(plan, run)  # before this one is cancelled
            self.cancel(run, held.reason)
            return
        until, of = int(held.until * 1000) if held.until else None, (plan.id, plan.schedule.revision, run.nominal)
        self._desk.writer.release(run.id, held.skip.value, until=until, note=held.reason, of=of)
        slot = Slot(plan, run.nominal, run.due, Trigger(run.trigger))
        self._desk.admission.tell_skipped(slot, held)
        self._gone(run, plan, held.reason)

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
