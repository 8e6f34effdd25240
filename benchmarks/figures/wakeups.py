"""A hundred servers and a thousand schedules of which none is due: how often each daemon wakes up."""

from __future__ import annotations

from benchmarks import procs, scheduled, targets, wakeups
from benchmarks.ours import Ours
from benchmarks.plan import Plan, all_running, say
from benchmarks.report import Figure
from benchmarks.subject import Subject

SCHEDULES = 1000


def measure(plan: Plan) -> list[Figure]:
    """The peers have the servers only."""
    seconds = 10.0 if plan.quick else 60.0
    others = [subject for subject in plan.once_each if not isinstance(subject, Ours)]
    if plan.of(Ours) is None:
        return []
    ours = scheduled.started(plan)
    scheduled.all_at(ours, SCHEDULES, scheduled.once_in(3600))
    try:
        with all_running([ours, *others], "wakeups", plan.children) as running:
            return [_figure(plan, running, seconds)]
    finally:
        procs.reap()


def _figure(plan: Plan, running: list[Subject], seconds: float) -> Figure:
    daemons = [(subject, name, pid) for subject in running for name, pid in subject.daemons().items()]
    pids = [pid for _, _, pid in daemons]
    say(f"wake-ups, {seconds:g} s")
    found, how = wakeups.by_strace(pids, seconds, plan.work), "returns from a wait, by strace"
    if found is None:
        found, how = wakeups.by_switches(pids, seconds), "voluntary context switches: strace can't be used here"
    title = f"Idle, {plan.children} children and {SCHEDULES} schedules: wake-ups"
    figure = Figure(title, "a minute", key=f"wakeups.{plan.children}", note=f"{how}, over {seconds:g} s")
    for subject, name, pid in daemons:
        is_ours = isinstance(subject, Ours)
        label = f"{subject.name} {name}" if is_ours else subject.name
        figure.add(label, [found[pid]], target=targets.WAKEUPS_A_MINUTE.get(name) if is_ours else None)
    return figure
