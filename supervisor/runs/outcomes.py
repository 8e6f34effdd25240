"""What follows from a run: rows in the history, events, the breaker, and whoever waits for its end."""

from __future__ import annotations

from supervisor.core import breaker, figures
from supervisor.core.pipeline import RETRY, STEPPING, WAITING, Progress
from supervisor.core.quality import accepted_after, is_standard
from supervisor.model.run import BAD, BY_HAND, RunState, Trigger
from supervisor.runs import columns
from supervisor.runs.cursors import is_ahead
from supervisor.runs.plan import NOTHING_WRONG, RECENT, waits_for
from supervisor.runs.seconds import Seconds, note_of
from supervisor.runs.slot import Slot
from supervisor.store.rows import StepRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.base.loop import Timer
    from supervisor.core.pipeline import StepEnd
    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run

TOO_LONG_TIMES = 3.0  # the usual, and ...
TOO_LONG_S = 10.0  # ... so much more
TOO_SHORT_TIMES = 0.2
SHORT_S = 2.0  # what usually takes less has no "too short"
DONE = "done"
CUT_OFF = (RunState.INTERRUPTED, RunState.LOST)
KEPT_ROWS = 20  # of steps: more than a writer can be behind by


class Outcomes:
    """Hears of every run."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._long: dict[str, Timer] = {}
        self.seconds = Seconds()
        self._ended_watchers: dict[str, list[Callable[[Run], None]]] = {}

    def when_ended(self, run_id: str, call: Callable[[Run], None]) -> Callable[[], None]:
        """Call once with the run; returns what takes that back."""
        calls = self._ended_watchers.setdefault(run_id, [])
        calls.append(call)
        return lambda: calls.remove(call) if call in calls else None

    # the runner tells

    def run_began(self, run: Run) -> None:
        """Told before there is a process, for whoever finds neither us nor a note of it; the rows may come later."""
        desk, plan = self._desk, self._desk.plans.get(run.schedule)
        desk.telling.run_began(run)
        if desk.unread is not None:
            desk.unread.began(run)
        if plan is not None and run.late > plan.rule.grace and run.trigger == Trigger.SCHEDULE:
            desk.telling.unusual(run, "run.late", f"started {run.late:.0f} s late")
        desk.runner.later(lambda: self._note_beginning(run))

    def _note_beginning(self, run: Run) -> None:
        plan = self._desk.plans.get(run.schedule)
        self._write_beginning(run)
        if plan is not None:
            self.note_state(plan.id, cycle=plan.cycle, **_breaker_columns(plan))
            self.watch_length(run)

    def _write_beginning(self, run: Run) -> None:
        """All that is known: the file with its claim may have been deleted since."""
        desk = self._desk
        desk.writer.run_started(
            run.id, state=RunState.RUNNING.value, boot=desk.boot, **columns.of_beginning(run),
            **({"schedule": run.schedule} if run.schedule else {}), **columns.of_claim(run),
        )  # fmt: skip

    def write_again(self, run: Run) -> None:
        """What a predecessor was perhaps killed over before it was on the disk."""
        desk, plan = self._desk, self._desk.plans.get(run.schedule)
        self._write_beginning(run)
        for row in run.done:
            desk.writer.step_ended(StepRow(run.id, **row))
        if run.progress.phase == STEPPING and run.begun:
            self._note_step(run, run.progress, run.begun)  # if it has ended, that is heard next
        if plan is not None and run.cycle > plan.cycle:
            plan.cycle = run.cycle
            self.note_state(plan.id, cycle=plan.cycle)

    def write_end_again(self, run: Run) -> None:
        """It is in the history; of its steps not all may be."""
        self.write_again(run)
        self._write_end(run, None)

    def watch_length(self, run: Run) -> None:
        """Say so once it takes much longer than it did."""
        plan = self._desk.plans.get(run.schedule)
        usual = plan.usual() if plan is not None else None
        if usual is not None:
            limit = usual[1] * TOO_LONG_TIMES + TOO_LONG_S
            wait = max(run.started + limit - self._desk.loop.clock.wall(), 0.0)
            self._long[run.id] = self._desk.loop.after(wait, lambda: self._too_long(run, usual[1]))

    def _too_long(self, run: Run, usual: float) -> None:
        self._long.pop(run.id, None)
        took = self._desk.loop.clock.wall() - run.started
        self._desk.telling.unusual(run, "run.too_long", f"runs for {took:.0f} s, it usually takes {usual:.1f} s")

    def step_began(self, run: Run) -> None:
        desk, progress = self._desk, run.progress
        command = desk.catalogue.commands.get(run.plugin, {}).get(progress.step)
        desk.telling.step_began(run, " ".join((*command.argv, *run.args)) if command is not None else "?")
        begun = run.begun
        desk.runner.later(lambda: self._note_step(run, progress, begun))

    def _note_step(self, run: Run, progress: Progress, begun: float) -> None:
        self._desk.writer.step_started(
            StepRow(
                run.id, progress.number, progress.attempt, name=progress.step, started=columns.ms(begun),
                state=RunState.RUNNING.value,
            )
        )  # fmt: skip

    def step_ended(self, run: Run, end: StepEnd, state: str, after: Progress) -> None:
        """Before the run goes on: its progress is still at that step; `after`: what it will be."""
        desk, progress, used = self._desk, run.progress, run.last.get("used")
        ended = run.last["ended"]  # perhaps long ago, while no scheduler was there
        row: dict[str, Any] = {
            "number": progress.number, "attempt": progress.attempt, "name": progress.step,
            "started": columns.ms(run.begun), "ended": columns.ms(ended), "state": state, "exit_code": end.code,
            "signal": end.signal or None,
            "cause": None if end.ok else end.text, "cpu_ms": used[0] if used else None,
            "memory": used[1] if used else None,
        }  # fmt: skip
        desk.telling.step_ended(run, row, end, max(ended - run.begun, 0.0))
        if not progress.rolling_back and (text := figures.left_out(after.metrics, end.metrics)):
            desk.telling.unusual(run, "run.figures_left_out", f"{progress.step} {text}")
        run.done = [*run.done, row][-KEPT_ROWS:]
        desk.writer.step_ended(StepRow(run.id, **row, words=None if end.ok else run.words or None))

    def went_on(self, run: Run) -> None:
        """After a step: it may wait for its next try."""
        progress = run.progress
        if progress.phase == WAITING and RETRY in progress.deadlines:
            wait = progress.deadlines[RETRY] - self._desk.loop.clock.now()
            self._desk.telling.step_waits(run, wait)

    def run_ended(self, run: Run, *, told: bool = False) -> None:
        """`told`: a predecessor wrote the event of this end and was killed before it went on."""
        desk, plan = self._desk, self._desk.plans.get(run.schedule)
        timer = self._long.pop(run.id, None)
        if timer is not None:
            timer.cancel()
        state = RunState(run.progress.state)
        was_open = plan is not None and plan.breaker.state != breaker.CLOSED
        if plan is not None:
            if desk.unread is not None:
                desk.unread.ended(run)
            self.count(plan, run, state)
            self._tell_if_short(plan, run, state)
            desk.planner.finished(plan)
        self._write_end(run, plan)
        if not told:
            desk.telling.run_ended(run, plan, plan.wake if plan is not None else None, desk.loop.clock.wall())
        if plan is not None and (
            (plan.breaker.state == breaker.OPEN and state in BAD) or (was_open and state is RunState.SUCCEEDED)
        ):
            desk.telling.breaker(plan)
        if run.schedule:
            is_done_again = plan is not None and state in CUT_OFF and self._rerun(plan, run)
            if not is_done_again:  # else it is that one's end that others wait for
                self._start_followers(run, state)
            desk.turns.after_end(run.schedule)
        self.no_run(run)
        desk.changed()

    def no_run(self, run: Run) -> None:
        """It is over, or does not begin at all: whoever waits for it need not any more."""
        if self._desk.unread is not None:
            self._desk.unread.gone(run)
        for call in self._ended_watchers.pop(run.id, []):
            self._desk.loop.guard(call, run)

    def count(self, plan: Plan, run: Run, state: RunState) -> None:
        policy, wall = plan.schedule.policy, run.ended
        plan.total += 1
        plan.last_run, plan.last_result, plan.last_at, plan.last_took = run.id, state.value, wall, run.took
        if state is RunState.SUCCEEDED:
            plan.succeeded += 1
            plan.breaker = breaker.succeeded(plan.breaker)
            if is_standard(run.progress.steps, self._desk.admission.steps_for(plan)):
                plan.accepted = accepted_after(run.progress.metrics, plan.accepted or {}) or None
        elif state in BAD and run.trigger in BY_HAND:
            plan.failed += 1  # what somebody tries out says little about the schedule
            plan.breaker = breaker.neither(plan.breaker)
        elif state in BAD:
            plan.failed += 1
            limit, cooldown = policy.safety.get("max_failures", 0), policy.safety.get("cooldown", 0.0)
            plan.breaker = breaker.failed(plan.breaker, wall, limit, cooldown)
        elif not self._desk.runner.of(plan.id):  # else that one is the probe
            plan.breaker = breaker.neither(plan.breaker)

    def _write_end(self, run: Run, plan: Plan | None) -> None:
        desk, fields = self._desk, columns.of_end(run)
        if run.begun:  # all of it: the file may have been deleted since
            base = {"schedule": run.schedule or None, "started": columns.ms(run.started), "log": run.log}
            fields = {**columns.of_claim(run), **base, **fields}
        if plan is not None:
            self.write_state(plan)
        desk.writer.run_ended(run.id, fields, lambda _ok: desk.runner.forget_note(run.id))

    def write_state(self, plan: Plan) -> None:
        recent = list(plan.recent)
        self.note_state(
            plan.id, cycle=plan.cycle, **_breaker_columns(plan), accepted=plan.accepted, recent=recent or None
        )

    def _tell_if_short(self, plan: Plan, run: Run, state: RunState) -> None:
        if state is not RunState.SUCCEEDED:
            return
        usual = plan.usual()
        if usual is not None and usual[0] >= SHORT_S and run.took < usual[0] * TOO_SHORT_TIMES:
            text = f"took only {run.took:.1f} s, it usually takes {usual[0]:.1f} s"
            self._desk.telling.unusual(run, "run.too_short", text)
        plan.recent = (*plan.recent, round(run.took, 3))[-RECENT:]

    def note_state(self, name: str, **fields: Any) -> None:
        """Into the history, unless that may know better."""
        if self._desk.unread is None:
            self._desk.writer.schedule_state(name, **fields)

    def end_cooldown(self, plan: Plan) -> bool:
        """By a person: its failures are forgotten. False: there were none."""
        desk = self._desk
        if desk.unread is not None:
            desk.unread.forgiven(plan)
        if plan.breaker == NOTHING_WRONG:
            return False
        plan.breaker = NOTHING_WRONG
        self.note_state(plan.id, streak=0, **_breaker_columns(plan))
        desk.telling.breaker(plan)
        desk.turns.of_all_soon()
        return True

    def forgive_again(self) -> None:
        """What a person has ended, and a predecessor died before the history had it."""
        for plan in self._desk.plans.values():
            if plan.breaker != NOTHING_WRONG and self.is_forgiven(plan):
                plan.breaker = NOTHING_WRONG
                self.note_state(plan.id, streak=0, **_breaker_columns(plan))

    def is_forgiven(self, plan: Plan) -> bool:
        """Whatever it has failed in until now. (Not by a clock that was ahead: that would forgive what is to come.)"""
        forgiven = self._desk.wishes.forgiven(plan.id)
        return 0 < plan.last_at <= forgiven and not is_ahead(forgiven, self._desk.loop.clock.wall())

    # who waits for it

    def _rerun(self, plan: Plan, run: Run) -> bool:
        """It was cut off; if the settings say so, it is done again from its beginning. False: it is not."""
        if plan.schedule.policy.interrupted != "rerun":
            return False
        if run.env:
            text = f"is not done again, for what --env gave it is not kept: sbctl retry {run.id} --env ..."
            self._desk.telling.unusual(run, "run.not_done_again", text)
            return False
        now = self._desk.loop.clock.wall()
        slot = Slot(plan, None, now, Trigger.RERUN)
        slot.stands_for = run.nominal  # the time it does its work for is that of the one that was cut off
        slot.run = again = self._desk.admission.make_run(slot, now)
        again.retry_of, again.correlation, again.args = run.id, run.correlation, run.args
        if run.trigger in (*BY_HAND, Trigger.RERUN):  # a person has said which
            again.progress = Progress(run.progress.steps, plan.accepted)
        self._desk.claims.claim(slot, queue=True)
        return True

    def _start_followers(self, run: Run, state: RunState) -> None:
        """Those of `after`: each end has a slot of its own, and one, however often it is told."""
        desk = self._desk
        for plan in desk.followers.get(run.schedule, ()):
            for trigger in waits_for(plan.schedule):
                if trigger["schedule"] != run.schedule or not _fits(trigger["when"], state):
                    continue
                due = run.ended + trigger["delay"]
                nominal = self.seconds.give(plan, run.id, due)
                if nominal is None:
                    continue
                slot = Slot(plan, nominal, due, Trigger.AFTER, note=note_of(run.id))
                slot.after, slot.not_before = run.id, due
                desk.admission.admit(slot)


def _fits(when: str, state: RunState) -> bool:
    if when == DONE:
        return state is not RunState.CANCELLED  # whoever takes a run back wants nothing of what hangs on it
    return state is RunState.SUCCEEDED if when == RunState.SUCCEEDED.value else state in BAD


def _breaker_columns(plan: Plan) -> dict[str, object]:
    its = plan.breaker
    return {"breaker": its.state, "breaker_until": columns.ms(its.until), "breaker_opens": its.opens}
