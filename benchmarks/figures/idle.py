"""What is used up while nothing happens."""

from __future__ import annotations

import time
from typing import NamedTuple

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, all_running, in_turn, say
from benchmarks.report import Figure
from benchmarks.subject import Subject

SETTLED_S = 1.5  # titles, and what else is put off until after the start


def measure(plan: Plan) -> list[Figure]:
    seconds = 10.0 if plan.quick else 20.0
    what, key = f"{plan.children} children", f"idle.{plan.children}"
    pss = _Values(memory_figure(what, key), targets.PSS_MIB)
    for turn in range(plan.windows):
        for subject in in_turn(plan.once_each, turn):
            # Alone: among many processes of Python the pages of its libraries would cost nobody anything.
            say(f"memory of {subject.name}, round {turn + 1} of {plan.windows}")
            with all_running([subject], "memory", plan.children) as running:
                time.sleep(SETTLED_S)
                for row in _rows_of(running):
                    pss.put(row, row.memory)
    with all_running(plan.once_each, "idle", plan.children) as running:
        return [pss.figure, *watch_costs(running, what, seconds, plan.windows, key=key)]


def memory_figure(what: str, key: str) -> Figure:
    return Figure(f"Idle, {what}: memory of all its processes", "MiB PSS", key=f"{key}.pss")


def watch(running: list[Subject], what: str, seconds: float, windows: int, *, key: str) -> list[Figure]:
    """Memory, context switches and processor time, so many times over so many seconds: KEY.pss, .switches, .cpu."""
    pss = _Values(memory_figure(what, key), targets.PSS_MIB)
    figures = watch_costs(running, what, seconds, windows, key=key, memory=pss)
    return [pss.figure, *figures]


def watch_costs(
    running: list[Subject], what: str, seconds: float, windows: int, *, key: str, memory: _Values | None = None
) -> list[Figure]:
    """Of each subject the sum of all its processes, however many they are; of ours each daemon too."""
    over = f"over {seconds:g} s each time"
    switches = _Values(
        Figure(f"Idle, {what}: context switches", "a minute", key=f"{key}.switches", note=over),
        targets.SWITCHES_A_MINUTE,
    )
    cpu = _Values(
        Figure(f"Idle, {what}: processor time", "s a minute", key=f"{key}.cpu", note=over), targets.CPU_S_A_MINUTE
    )
    time.sleep(SETTLED_S)
    rows, minute = _rows_of(running), 60 / seconds
    for window in range(windows):
        say(f"idle, {seconds:g} s, {window + 1} of {windows}")
        before = [procs.cost(row.pids) for row in rows]
        time.sleep(seconds)
        after = [procs.cost(row.pids) for row in rows]
        for row, was, now in zip(rows, before, after, strict=True):
            switches.put(row, (now.switches - was.switches) * minute)
            cpu.put(row, (now.cpu_s - was.cpu_s) * minute)
            if memory is not None:
                memory.put(row, row.memory)
    return [switches.figure, cpu.figure]


class _Values:
    """One figure that grows from window to window; `wanted`: the targets of daemons of ours, by their roles."""

    def __init__(self, figure: Figure, wanted: dict[str, float]) -> None:
        self.figure = figure
        self._wanted = wanted

    def put(self, of: _Row, value: float) -> None:
        row = self.figure.row(of.label)
        if row is None:
            self.figure.add(of.label, [value], target=self._wanted.get(of.role), note=of.note)
        else:
            row.values.append(value)


class _Row(NamedTuple):
    """A line of the tables. `role`: of one of our daemons, which have targets."""

    label: str
    role: str
    pids: list[int]

    @property
    def note(self) -> str:
        return f"{len(self.pids)} processes" if len(self.pids) > 1 else ""

    @property
    def memory(self) -> float:
        return procs.cost(self.pids, memory=True).pss_mib


def _rows_of(running: list[Subject]) -> list[_Row]:
    return [row for subject in running for row in _rows(subject)]


def _rows(subject: Subject) -> list[_Row]:
    daemons = subject.daemons()
    rows = [_Row(subject.name, "", list(daemons.values()))]
    if isinstance(subject, Ours):
        rows += [_Row(f"{subject.name} {role}", role, [pid]) for role, pid in daemons.items()]
    return rows
