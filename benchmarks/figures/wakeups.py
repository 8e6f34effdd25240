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
    """A row each, but one for each daemon of ours."""
    rows: list[tuple[str, str, list[int]]] = []
    for subject in running:
        daemons = subject.daemons()
        if isinstance(subject, Ours):
            rows += [(f"{subject.name} {role}", role, [pid]) for role, pid in daemons.items()]
        else:
            rows.append((subject.name, "", list(daemons.values())))
    groups = [pids for _, _, pids in rows]
    found, how = _watched(plan, groups, seconds)
    title = f"Idle, {plan.children} children and {SCHEDULES} schedules: wake-ups"
    figure = Figure(title, "a minute", key=f"wakeups.{plan.children}", note=f"{how}, over {seconds:g} s each time")
    for (label, role, pids), values in zip(rows, found, strict=True):
        note = f"{len(pids)} processes" if len(pids) > 1 else ""
        figure.add(label, values, target=targets.WAKEUPS_A_MINUTE.get(role), note=note)
    return figure


def _watched(plan: Plan, groups: list[list[int]], seconds: float) -> tuple[list[list[float]], str]:
    """A value of each window, of each group; and how they were found."""
    windows: list[list[float]] = []
    for window in range(plan.windows):
        say(f"wake-ups, {seconds:g} s, {window + 1} of {plan.windows}")
        values = wakeups.by_strace(groups, seconds, plan.work)
        if values is None:
            windows = [wakeups.by_switches(groups, seconds) for _ in range(plan.windows)]
            return _by_group(windows), "voluntary context switches: strace can't be used here"
        windows.append(values)
    return _by_group(windows), "returns from a wait, by strace"


def _by_group(windows: list[list[float]]) -> list[list[float]]:
    return [list(values) for values in zip(*windows, strict=True)]
