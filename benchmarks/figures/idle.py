"""What is used up while nothing happens."""

from __future__ import annotations

import time
from typing import NamedTuple

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, all_running, say
from benchmarks.report import Figure
from benchmarks.subject import Subject

SETTLED_S = 1.5  # titles, and what else is put off until after the start


def measure(plan: Plan) -> list[Figure]:
    seconds = 5.0 if plan.quick else 20.0
    what, key = f"{plan.children} children", f"idle.{plan.children}"
    pss = memory_figure(what, key)
    for subject in plan.once_each:
        # Alone: among many processes of Python the pages of its libraries would cost nobody anything.
        say(f"memory of {subject.name}")
        with all_running([subject], "memory", plan.children) as running:
            time.sleep(SETTLED_S)
            for row in (row for each in running for row in _rows(each)):
                row.add_memory(pss)
    with all_running(plan.once_each, "idle", plan.children) as running:
        return [pss, *watch_costs(running, what, seconds, key=key)]


def memory_figure(what: str, key: str) -> Figure:
    return Figure(f"Idle, {what}: memory of all its processes", "MiB PSS", key=f"{key}.pss")


def watch(running: list[Subject], what: str, seconds: float, *, key: str) -> list[Figure]:
    """Memory, context switches and processor time over so many seconds: KEY.pss, .switches, .cpu."""
    figures = watch_costs(running, what, seconds, key=key)
    pss = memory_figure(what, key)
    for row in (row for each in running for row in _rows(each)):
        row.add_memory(pss)
    return [pss, *figures]


def watch_costs(running: list[Subject], what: str, seconds: float, *, key: str) -> list[Figure]:
    """Of each subject the sum of all its processes, however many they are; of ours each daemon too."""
    over = f"over {seconds:g} s"
    switches = Figure(f"Idle, {what}: context switches", "a minute", key=f"{key}.switches", note=over)
    cpu = Figure(f"Idle, {what}: processor time", "s a minute", key=f"{key}.cpu", note=over)
    say(f"idle, {seconds:g} s")
    time.sleep(SETTLED_S)
    watched = [(row, procs.cost(row.pids)) for subject in running for row in _rows(subject)]
    time.sleep(seconds)
    after = [procs.cost(row.pids) for row, _ in watched]
    for (row, was), now in zip(watched, after, strict=True):
        minute = 60 / seconds
        target = targets.SWITCHES_A_MINUTE.get(row.role)
        switches.add(row.label, [(now.switches - was.switches) * minute], target=target, note=row.note)
        target = targets.CPU_S_A_MINUTE.get(row.role)
        cpu.add(row.label, [(now.cpu_s - was.cpu_s) * minute], target=target, note=row.note)
    return [switches, cpu]


class _Row(NamedTuple):
    """A line of the tables. `role`: of one of our daemons, which have targets."""

    label: str
    role: str
    pids: list[int]

    @property
    def note(self) -> str:
        return f"{len(self.pids)} processes" if len(self.pids) > 1 else ""

    def add_memory(self, figure: Figure) -> None:
        memory = procs.cost(self.pids, memory=True).pss_mib
        figure.add(self.label, [memory], target=targets.PSS_MIB.get(self.role), note=self.note)


def _rows(subject: Subject) -> list[_Row]:
    daemons = subject.daemons()
    rows = [_Row(subject.name, "", list(daemons.values()))]
    if isinstance(subject, Ours):
        rows += [_Row(f"{subject.name} {role}", role, [pid]) for role, pid in daemons.items()]
    return rows
