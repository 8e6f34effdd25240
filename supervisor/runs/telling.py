"""The sentence of each event of schedules and runs, and the data beside it. Only here are they put into words."""

from __future__ import annotations

from supervisor.base.clock import iso, stamp
from supervisor.base.counting import counted
from supervisor.engine.texts import duration
from supervisor.model.event import ERROR, INFO, WARNING
from supervisor.model.run import BAD, RunState, Skip, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.core.gates import Held
    from supervisor.core.pipeline import StepEnd
    from supervisor.events.bus import Bus
    from supervisor.runs.pauses import Pause
    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run
    from supervisor.runs.slot import Slot

MIB = 1 << 20
WHY = {
    Trigger.SCHEDULE: "",
    Trigger.CATCH_UP: ", made up for",
    Trigger.MANUAL: ", by hand",
    Trigger.RETRY: ", once more",
    Trigger.AFTER: ", after another",
    Trigger.RERUN: ", again after it was cut off",
}
PASSED = {
    Skip.ACTIVE_HOURS: "outside its active hours",
    Skip.MISSED: "missed, and not made up for",
    Skip.WINDOW: "missed too long ago",
    Skip.CLOCK: "the clock was set over it",
    Skip.EDITED: "the schedule has been changed or removed",
}
LEVELS = {RunState.REJECTED: ERROR, RunState.FAILED: ERROR, RunState.TIMED_OUT: ERROR, RunState.LOST: ERROR}


class Telling:
    """Tells the bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def _tell(self, kind: str, name: str, text: str, level: str = INFO, **data: Any) -> None:
        told = f"{name}: {text}" if name else text
        self._bus.tell(kind, told, service=name, level=level, data=data)

    # runs

    def run_began(self, run: Run) -> None:
        late = f", {duration(run.late)} late" if run.late >= 1 else ""
        cycle = f"cycle {run.cycle} " if run.cycle else ""
        steps = ", ".join(run.progress.steps)
        self._tell(
            "run.started", run.name, f"{cycle}started: {steps} (run {run.id}{WHY[Trigger(run.trigger)]}{late})",
            run=run.id, trigger=run.trigger, nominal=run.nominal, cycle=run.cycle, late_s=round(run.late, 3),
            steps=run.progress.steps, forced=run.forced, by=run.by, correlation=run.correlation, tenant=run.tenant,
        )  # fmt: skip

    def step_began(self, run: Run, words: str) -> None:
        again = f" (try {run.progress.attempt})" if run.progress.attempt > 1 else ""
        self._tell(
            "step.started", run.name, f"{run.progress.step} started{again}: {words}",
            run=run.id, step=run.progress.step, attempt=run.progress.attempt,
        )  # fmt: skip

    def step_ended(self, run: Run, row: dict[str, Any], end: StepEnd, took: float) -> None:
        """`row`: as it is written down, for whoever finds that it was not."""
        step, used = row["name"], run.last.get("used")
        usage = f", {used[0] / 1000:.2f} s of processor, {used[1] / MIB:.0f} MiB" if used else ""
        how = "ended well" if end.ok else f"failed: {end.text}"
        words: dict[str, Any] = {} if end.ok else {"words": run.words}
        self._tell(
            "step.ended", run.name, f"{step} {how} after {duration(took)}{usage}", INFO if end.ok else WARNING,
            run=run.id, step=step, number=row["number"], attempt=row["attempt"], state=row["state"],
            exit_code=end.code, signal=end.signal, cause=row["cause"], started=row["started"], ended=row["ended"],
            took_s=round(took, 3), cpu_ms=row["cpu_ms"], memory=row["memory"], **words,
        )  # fmt: skip

    def step_waits(self, run: Run, wait: float) -> None:
        self._tell(
            "step.retried", run.name, f"{run.progress.step} is tried again in {duration(wait)}", WARNING,
            run=run.id, step=run.progress.step, attempt=run.progress.attempt,
        )  # fmt: skip

    def run_ended(self, run: Run, plan: Plan | None, next_at: float | None = None, wall: float = 0.0) -> None:
        state = RunState(run.progress.state)
        took = f" in {duration(run.took)}" if run.started else ""
        cause = f": {run.progress.cause}" if run.progress.cause else ""
        how = {RunState.TIMED_OUT: "timed out", RunState.LOST: "was lost"}.get(state, state.value)
        summary: list[str] = []
        if plan is not None:
            summary.append(f"Stats: {plan.succeeded} successes, {plan.failed} failures")
            if next_at is not None:
                summary.append(f"Next cycle: {stamp(next_at)}")
                summary.append(f"Sleeping for {duration(max(next_at - wall, 0.0))}")
        if run.cpu_ms or run.memory:
            summary.append(f"Used: {run.cpu_ms / 1000:.2f} s of processor, {run.memory / MIB:.0f} MiB")
        data: dict[str, Any] = {"words": run.words} if state in BAD else {}
        self._tell(
            f"run.{state.value}", run.name, f"{how}{took}{cause} (run {run.id})", LEVELS.get(state, INFO),
            run=run.id, state=state.value, cause=run.progress.cause, took_s=round(run.took, 3), cycle=run.cycle,
            cpu_ms=run.cpu_ms, memory=run.memory, metrics=run.progress.metrics, trigger=run.trigger,
            next_run=None if next_at is None else iso(next_at), summary=summary, correlation=run.correlation,
            tenant=run.tenant, log=run.log, **data,
        )  # fmt: skip

    def unusual(self, run: Run, kind: str, text: str) -> None:
        """run.too_long, run.too_short, run.late, run.not_started, run.figures_left_out."""
        self._tell(kind, run.name, f"{text} (run {run.id})", WARNING, run=run.id)

    def unledgered(self, run: Run) -> None:
        """The claim, as it stands in the journal."""
        self._tell(
            "run.unledgered", run.name, f"begins without a durable claim: the history can't be written (run {run.id})",
            WARNING, run=run.id, nominal=run.nominal, schedule=run.schedule,
        )  # fmt: skip

    # slots

    def held(self, plan: Plan, slot: Slot, held: Held, level: str) -> None:
        says_so = ", until " in held.reason  # that of a pause
        until = f", until {stamp(held.until)}" if held.until and not says_so else ""
        self._tell(
            "slot.held", plan.id, f"did not start: {held.reason}{until}", level,
            gate=held.gate, reason=held.skip.value, nominal=slot.nominal, until=held.until or None,
        )  # fmt: skip

    def passed(self, plan: Plan, first: int, last: int, count: int | None, reason: Skip, level: str) -> None:
        when = stamp(first) if first == last else f"{stamp(first)} to {stamp(last)}"
        many = "" if count == 1 else f", {count} times" if count else ", many times"
        self._tell(
            "slot.passed", plan.id, f"did not start at {when}{many}: {PASSED.get(reason, reason.value)}", level,
            reason=reason.value, first=first, last=last, count=count,
        )  # fmt: skip

    # schedules

    def breaker(self, plan: Plan) -> None:
        breaker = plan.breaker
        if breaker.state == "open":
            failures = counted(breaker.streak, "failure")
            text = f"{failures} in a row: cooling down until {stamp(breaker.until)}, then one run may try"
            self._tell("breaker.opened", plan.id, text, ERROR, streak=breaker.streak, until=iso(breaker.until))
        else:
            self._tell("breaker.closed", plan.id, "no more cooling down, and no failures in a row")

    def paused(self, pause: Pause, name: str = "") -> None:
        what = "paused" if name else "all schedules are paused"
        self._tell(
            "schedule.paused" if name else "schedules.paused", name, f"{what} {pause.by_whom}", WARNING,
            by=pause.by, reason=pause.reason, until=pause.until and iso(pause.until),
        )  # fmt: skip

    def resumed(self, by: str, name: str = "") -> None:
        what = "resumed" if name else "the schedules go on"
        by_whom = f" (by {by})" if by else ""
        self._tell("schedule.resumed" if name else "schedules.resumed", name, what + by_whom, by=by)

    def enabled(self, name: str, by: str, *, enabled: bool) -> None:
        word = "enabled" if enabled else "disabled"
        self._tell(f"schedule.{word}", name, word + (f" by {by}" if by else ""), by=by)

    def unreachable(self, check: str, text: str, *, ok: bool) -> None:
        what = f"{check} is reachable again" if ok else f"{check} is not reachable: {text}"
        self._tell("check.recovered" if ok else "check.failed", "", what, INFO if ok else WARNING, check=check)

    def broken(self, name: str, why: str) -> None:
        text = f"it can't be planned, and does not run: {why}; sbctl config validate says more"
        self._tell("schedule.broken", name, text, ERROR, why=why)

    def not_kept(self, why: str, what: str = "when schedules were first seen") -> None:
        self._tell("intent.broken", "", f"{what} can't be kept: {why}", WARNING, why=why)

    # the whole

    def slept(self, seconds: float) -> None:
        self._tell("clock.slept", "", f"this machine slept for {duration(seconds)}", seconds=round(seconds, 1))

    def stepped(self, by: float) -> None:
        way = "forward" if by > 0 else "back"
        text = f"the clock was set {way} by {duration(abs(by))}"
        self._tell("clock.stepped", "", text, WARNING, seconds=round(by, 1))

    def history_trouble(self, text: str) -> None:
        self._tell("history.failed", "", f"the history can't be written: {text}; what happens is kept and tried again",
                   ERROR, why=text)  # fmt: skip

    def history_not_read(self, text: str) -> None:
        lost = "cool-downs, counts and what waits are not known until it can, and missed slots are not made up for"
        self._tell(
            "history.not_read", "", f"the history could not be read at the start: {text}; {lost}", ERROR, why=text
        )

    def history_read(self, runs: int) -> None:
        found = f"; {counted(runs, 'run')} of it waited or went on" if runs else ""
        self._tell(
            "history.read", "", f"the history that could not be read at the start is known now{found}", runs=runs
        )

    def history_recovered(self, text: str, dropped: int) -> None:
        lost = f"; {dropped} entries were lost" if dropped else ""
        self._tell("history.recovered", "", f"the history is written again{lost}", INFO, why=text, dropped=dropped)
