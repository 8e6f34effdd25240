"""What the desk shows: a row a schedule, the whole, and why one of them does not run."""

from __future__ import annotations

from supervisor.base.clock import iso
from supervisor.base.counting import counted
from supervisor.base.machine_load import memory
from supervisor.core.breaker import CLOSED
from supervisor.core.gates import GATES, SKIP, Standing, all_held, first_held
from supervisor.engine.texts import duration
from supervisor.runs import columns
from supervisor.runs.plan import waits_for
from supervisor.runs.upcoming import next_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.runs.desk import Desk
    from supervisor.runs.plan import Plan
    from supervisor.runs.run import Run


def remarks(desk: Desk) -> list[str]:
    """What a person should know who looks at the whole: nothing begins on time, or what happens is not kept."""
    found: list[str] = []
    pause = desk.pauses.of_all()
    if pause is not None and desk.plans:
        found.append(f"all schedules are {pause.text}; sbctl resume")
    if desk.writer.trouble:
        waiting = counted(desk.writer.queued, "row")
        lost = f", {desk.writer.dropped} were lost" if desk.writer.dropped else ""
        found.append(f"{desk.writer.trouble}: {waiting} for it still to be written{lost}")
    return found


def row(desk: Desk, plan: Plan) -> dict[str, Any]:
    schedule, rule = plan.schedule, plan.rule
    nominal, due = next_of(desk, plan)
    pause = desk.pauses.of(plan.id)
    running = [run.id for run in desk.runner.of(plan.id)]
    return {
        "id": plan.id,
        "plugin": schedule.plugin,
        "tenant": schedule.tenant,
        "description": schedule.description,
        "rule": rule.times.describe(),
        "zone": desk.maker.zone_of(schedule).name,
        "source": schedule.source,
        "enabled": desk.is_enabled(plan),
        "paused": pause.as_dict() if pause is not None else None,
        "status": status(desk, plan, running),
        "next_run": iso(nominal) if nominal is not None else None,
        "next_due": iso(due) if due is not None else None,
        "next_reason": _why_not(desk, plan, due),
        "by_ends": _goes_by_ends(plan),
        "total_runs": plan.total,
        "successful_runs": plan.succeeded,
        "failed_runs": plan.failed,
        "consecutive_failures": plan.breaker.streak,
        "last_result": plan.last_result or None,
        "last_run": plan.last_run or None,
        "last_run_at": iso(plan.last_at) if plan.last_at else None,
        "last_duration_s": round(plan.last_took, 3) if plan.last_run else None,
        "average_s": round(sum(plan.recent) / len(plan.recent), 3) if plan.recent else None,
        "running": running,
        "queued": len(plan.queued),
        "cooldown_until": iso(plan.breaker.until) if plan.breaker.state != CLOSED else None,
        "steps": list(schedule.steps),
    }


def status(desk: Desk, plan: Plan, running: list[str]) -> str:
    if running:
        return "running"
    if not desk.is_enabled(plan):
        return "disabled"
    if desk.pauses.of(plan.id) is not None:
        return "paused"
    if plan.breaker.state != CLOSED:
        return "cooldown"
    if plan.wake is None and not plan.queued and not _goes_by_ends(plan):
        return "finished"
    return "active"


def _goes_by_ends(plan: Plan) -> bool:
    """Ends of runs make slots of it: its own, or those of another one."""
    return bool(plan.after_finish or waits_for(plan.schedule))


def _why_not(desk: Desk, plan: Plan, due: float | None) -> str:
    """Why its next slot will not run, of what is known to hold then: a run that goes on now may have ended by then."""
    standing = Standing()
    standing.group_size = 1
    standing.enabled = desk.is_enabled(plan)
    pause = desk.pauses.of(plan.id)
    if pause is not None and not (due is not None and pause.until and pause.until <= due):
        standing.paused, standing.pause_reason = True, pause.text
    if due is not None:
        if not plan.rule.hours.is_open(int(due)):
            standing.hours_open, standing.opens_at = False, float(plan.rule.hours.next_open(int(due)) or 0)
        blackout = desk.maker.blackout(plan.schedule, int(due))
        standing.blackout_name = blackout[0] if blackout is not None else ""
        standing.breaker_shut = plan.breaker.state != CLOSED and plan.breaker.until > due
    held = first_held(plan.schedule.policy, standing, due or 0.0)
    return held.reason if held is not None and held.action == SKIP else ""


class Counts:
    """What is counted over all schedules, one by one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.active = self.cycle = 0

    def add(self, plan: Plan) -> None:
        running = [run.id for run in self._desk.runner.of(plan.id)]
        self.active += status(self._desk, plan, running) in ("active", "running")
        self.cycle += plan.cycle


def system(desk: Desk, counts: Counts) -> dict[str, Any]:
    """The whole, as the documents have it; also where only some schedules were asked for."""
    used, percent = memory()
    pause = desk.pauses.of_all()
    return {
        "scheduler_running": not desk.stopping,
        "total_schedules": len(desk.plans),
        "active_schedules": counts.active,
        "running_tasks": len(desk.runner.runs),
        "memory_mb": round(used, 1),
        "memory_percent": round(percent, 1),
        "cpu_percent": round(desk.load.cpu_percent(), 1),
        "cycle": counts.cycle,
        "paused": pause.as_dict() if pause is not None else None,
        "queued_writes": desk.writer.queued,
        "dropped_writes": desk.writer.dropped,
        "history": desk.writer.trouble,
    }


def why(desk: Desk, plan: Plan) -> dict[str, Any]:
    """The row, each gate, and the sentence that sums them up."""
    now = desk.loop.clock.wall()
    standing = desk.admission.standing_quietly(plan)
    held = {each.gate: each for each in all_held(plan.schedule.policy, standing, now)}
    one = row(desk, plan)
    gates = [
        {
            "gate": gate,
            "open": gate not in held,
            "reason": held[gate].reason if gate in held else "",
            "until": iso(held[gate].until) if gate in held and held[gate].until else None,
        }
        for gate in GATES
    ]
    reason = next(iter(held.values())).reason if held else ""
    return {"row": one, "lines": _lines(desk, plan, reason, now), "gates": gates, "now": iso(now)}


def _lines(desk: Desk, plan: Plan, reason: str, now: float) -> list[str]:
    """`reason`: why it would not run, if it came now."""
    lines: list[str] = []
    runs = desk.runner.of(plan.id)
    for run in runs:
        took = duration(max(now - run.started, 0.0))
        lines.append(f"running for {took}: {run.progress.step} of run {run.id}")
    for run in plan.queued:
        lines.append(f"run {run.id} waits: {_waits_for(desk, plan, run, now)}")
    if reason and not runs:
        lines.append(reason)
    return lines


def _waits_for(desk: Desk, plan: Plan, run: Run, now: float) -> str:
    if run.due > now:
        return f"it begins in {duration(run.not_before - now)}, so long after the end that it follows"
    if run.not_before > now:
        return f"it begins in {duration(run.not_before - now)}, one after the other of those that came at once"
    standing = desk.admission.standing_quietly(plan)
    standing.queued = 0
    held = first_held(plan.schedule.policy, standing, now)
    return held.reason if held is not None else "for its turn"


def run_row(run: Run) -> dict[str, Any]:
    """A run that goes on, or has ended just now, in the columns of the history."""
    return {
        "id": run.id,
        "schedule": run.schedule or None,
        **columns.of_claim(run),
        **columns.of_beginning(run),
        **columns.of_end(run),
        "step": run.progress.step if not run.has_ended else None,
    }
