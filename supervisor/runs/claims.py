"""Claims: a run begins once the history has its slot on the disk, so no slot ever runs twice.

A disk that does not answer must not keep jobs from running for ever: after two seconds the run begins all the same,
under a claim that stands in the journal, and is marked. `ledger: required` rather skips the slot.
"""

from __future__ import annotations

from supervisor.core.gates import SKIP, WAIT, Held, first_held
from supervisor.core.pipeline import Progress, steps_of
from supervisor.model.run import RunState, Skip, Trigger
from supervisor.runs.runner import Context
from supervisor.runs.slot import Slot
from supervisor.store.rows import RunRow, SlotRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run

PATIENCE_S = 2.0
SHORTEST_WAIT_S = 0.2
LONGEST_WAIT_S = 30.0  # who waits looks again at least so often: the reason may be gone


class Claims:
    """Of one desk: runs between their claim and their beginning."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pending: dict[str, tuple[Slot, bool]] = {}  # by run: is it to be queued?
        self._of: dict[str, int] = {}  # how many by schedule
        self._timer = False
        self._turns: dict[str, Timer] = {}

    def pending(self, schedule: str) -> int:
        return self._of.get(schedule, 0)

    def in_group(self, group: str) -> int:
        """Runs of it that go, or are about to."""
        desk = self._desk
        names = [run.schedule for run in desk.runner.runs.values()]
        names += [slot.plan.id for slot, queue in self._pending.values() if not queue]
        plans = (desk.plans.get(name) for name in names)
        return sum(plan is not None and plan.schedule.policy.group == group for plan in plans)

    def __len__(self) -> int:
        return len(self._pending)

    # claiming

    def claim(self, slot: Slot, *, queue: bool = False) -> Run:
        desk = self._desk
        run = slot.run or desk.admission.make_run(slot)
        self._pending[run.id] = (slot, queue)
        if not queue:
            self._of[slot.plan.id] = self._of.get(slot.plan.id, 0) + 1
        else:
            slot.plan.queued += (run,)
        slots = [] if slot.nominal is None else [
            SlotRow(
                slot.plan.id, slot.nominal, run=run.id, due=int(slot.due * 1000), note=slot.note or None,
                revision=slot.plan.schedule.revision,
            )
        ]  # fmt: skip
        state = RunState.QUEUED if queue else RunState.CLAIMED
        row = RunRow(run.id, run.schedule or None, **fields_of(run), state=state.value)
        run_id = run.id
        if not desk.writer.claim(slots, row, lambda ok: self._done(run_id, ok=ok)):
            desk.loop.soon(lambda: self._not_durable(run_id))
        elif not self._timer:
            self._timer = True
            desk.loop.after(PATIENCE_S, self._look)
        return run

    def _take(self, run_id: str) -> tuple[Slot, bool] | None:
        found = self._pending.pop(run_id, None)
        if found is not None and not found[1]:
            self._of[found[0].plan.id] -= 1
            if not self._of[found[0].plan.id]:
                del self._of[found[0].plan.id]
        return found

    def _done(self, run_id: str, *, ok: bool) -> None:
        found = self._take(run_id)
        if found is None:
            return
        slot, queue = found
        assert slot.run is not None
        if not ok:  # somebody had it before us: a clock that was set back, a history that was put back
            slot.plan.queued = tuple(run for run in slot.plan.queued if run is not slot.run)
            return
        if slot.on_claimed is not None:
            slot.on_claimed(slot.run)
        if queue:
            self.turn(slot.plan)
        else:
            self.begin(slot.run, slot.plan)

    def _look(self) -> None:
        """Those that have waited for the disk for too long."""
        self._timer = False
        now = self._desk.loop.clock.wall()
        for run_id, (slot, _) in list(self._pending.items()):
            if slot.run is not None and now - slot.run.claimed >= PATIENCE_S - 0.01:
                self._not_durable(run_id)
        if self._pending:
            self._timer = True
            self._desk.loop.after(PATIENCE_S / 4, self._look)

    def _not_durable(self, run_id: str) -> None:
        found = self._pending.get(run_id)
        if found is None:
            return
        slot, run = found[0], found[0].run
        assert run is not None
        if slot.plan.schedule.policy.ledger == "required" and slot.nominal is not None:
            if self._desk.writer.withdraw(run_id):
                self._take(run_id)
                slot.plan.queued = tuple(each for each in slot.plan.queued if each is not run)
                reason = "its claim could not be made durable, and its ledger is required"
                self._desk.admission.skip(slot, Held("ledger", Skip.LEDGER, reason))
            return
        run.unledgered = True
        self._desk.telling.unledgered(run)
        self._done(run_id, ok=True)

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
        desk.runner.begin(run, Context(policy, commands))

    def turn(self, plan: Plan) -> None:
        """Let the first in its queue begin, if it may; then the next."""
        desk, policy = self._desk, plan.schedule.policy
        timer = self._turns.pop(plan.id, None)
        if timer is not None:
            timer.cancel()
        while plan.queued and plan.queued[0].id not in self._pending and not desk.stopping:
            run, now = plan.queued[0], desk.loop.clock.wall()
            if run.not_before > now:
                self._turn_later(plan, run.not_before - now)
                return
            if run.nominal is not None and now - run.due > policy.window + policy.spread:
                self._release(plan, run, Held("queue", Skip.NOT_STARTED, "it has waited for too long"))
                continue
            held = None if run.forced else self._held(plan, run)
            if held is None:
                plan.queued = plan.queued[1:]
                self.begin(run, plan)
            elif held.action == SKIP:
                self._release(plan, run, held)
            else:
                if held.action == WAIT:
                    self._turn_later(plan, held.until - now)
                return  # else the end of another run brings the next turn

    def _held(self, plan: Plan, run: Run) -> Held | None:
        standing = self._desk.admission.standing(plan, run.deadline)
        standing.queued = 0  # it is the first
        return first_held(plan.schedule.policy, standing, self._desk.loop.clock.wall())

    def _turn_later(self, plan: Plan, wait: float) -> None:
        wait = min(max(wait, SHORTEST_WAIT_S), LONGEST_WAIT_S)
        self._turns[plan.id] = self._desk.loop.after(wait, lambda: self.turn(plan))

    def give_up(self, run: Run, held: Held) -> None:
        """One that a predecessor had claimed, and that can't begin any more."""
        if run.nominal is None:
            self.cancel(run, held.reason)
        else:
            self._desk.writer.release(run.id, held.skip.value, note=held.reason)

    def wait_again(self, run: Run, plan: Plan) -> None:
        """One that a predecessor had claimed, and that never began."""
        desk = self._desk
        commands = desk.catalogue.commands.get(plan.schedule.plugin, {})
        run.progress = Progress(steps_of(plan.schedule.steps, tuple(commands)), plan.accepted)
        run.tenant = plan.schedule.tenant
        run.not_before = desk.admission.place_in_spread(plan)
        run.deadline = run.not_before + plan.rule.grace
        plan.queued += (run,)
        self.turn(plan)

    def turn_of_all(self) -> None:
        """A place in a group is free, a check has its answer, a pause is over."""
        for plan in [plan for plan in self._desk.plans.values() if plan.queued]:
            self.turn(plan)

    def _release(self, plan: Plan, run: Run, held: Held) -> None:
        """It does not run after all."""
        plan.queued = tuple(each for each in plan.queued if each is not run)
        if run.nominal is None:
            self.cancel(run, held.reason)
            return
        until = int(held.until * 1000) if held.until else None
        self._desk.writer.release(run.id, held.skip.value, until=until, note=held.reason)
        slot = Slot(plan, run.nominal, run.due, Trigger(run.trigger))
        self._desk.admission.tell_skipped(slot, held)

    def drop_queue(self, plan: Plan, reason: str) -> None:
        """The schedule is no more, or another one."""
        for run in plan.queued:
            self._release(plan, run, Held("settings", Skip.EDITED, reason))

    def cancel(self, run: Run, cause: str) -> None:
        """One that has not begun."""
        desk = self._desk
        run.progress.state, run.progress.cause = RunState.CANCELLED.value, cause
        run.ended = desk.loop.clock.wall()
        plan = desk.plans.get(run.schedule)
        if plan is not None:
            plan.queued = tuple(each for each in plan.queued if each is not run)
        desk.telling.run_ended(run, plan)
        desk.writer.run_ended(run.id, {"state": RunState.CANCELLED.value, "cause": cause, "ended": _ms(run.ended)})


def fields_of(run: Run) -> dict[str, Any]:
    """The columns that are known from the beginning."""
    return {
        "plugin": run.plugin, "trigger": Trigger(run.trigger).value, "nominal": run.nominal, "due": _ms(run.due),
        "claimed": _ms(run.claimed), "attempt": 1, "retry_of": run.retry_of or None, "by": run.by or None,
        "forced": ", ".join(run.forced) or None, "tenant": run.tenant or None, "steps": list(run.progress.steps),
        "args": {"args": run.args, "env": sorted(run.env)} if run.args or run.env else None,
        "correlation": run.correlation,
    }  # fmt: skip


def _ms(wall: float) -> int | None:
    return int(wall * 1000) if wall else None
