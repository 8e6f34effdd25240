"""What is used up while nothing happens."""

from __future__ import annotations

import time

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, all_running, say
from benchmarks.report import Figure
from benchmarks.subject import Subject


def measure(plan: Plan) -> list[Figure]:
    seconds = 5.0 if plan.quick else 20.0
    with all_running(plan.once_each, "idle", plan.children) as running:
        return watch(running, f"{plan.children} children", seconds, key=f"idle.{plan.children}")


def watch(running: list[Subject], what: str, seconds: float, *, key: str) -> list[Figure]:
    """Memory, context switches and processor time of each daemon over so many seconds: KEY.pss, .switches, .cpu."""
    over = f"over {seconds:g} s"
    pss = Figure(f"Idle, {what}: memory of each daemon", "MiB PSS", key=f"{key}.pss")
    switches = Figure(f"Idle, {what}: context switches", "a minute", key=f"{key}.switches", note=over)
    cpu = Figure(f"Idle, {what}: processor time", "s a minute", key=f"{key}.cpu", note=over)
    say(f"idle, {seconds:g} s")
    time.sleep(1.5)  # titles, and what else is put off until after the start
    daemons = [(subject, name, pid) for subject in running for name, pid in subject.daemons().items()]
    before = [procs.cost([pid]) for _, _, pid in daemons]
    time.sleep(seconds)
    after = [procs.cost([pid]) for _, _, pid in daemons]
    for (subject, name, pid), was, now in zip(daemons, before, after, strict=True):
        ours = isinstance(subject, Ours)
        label = f"{subject.name} {name}" if ours else subject.name
        pss.add(label, [procs.cost([pid], memory=True).pss_mib], target=targets.PSS_MIB.get(name) if ours else None)
        minute = 60 / seconds
        target = targets.SWITCHES_A_MINUTE.get(name) if ours else None
        switches.add(label, [(now.switches - was.switches) * minute], target=target)
        target = targets.CPU_S_A_MINUTE.get(name) if ours else None
        cpu.add(label, [(now.cpu_s - was.cpu_s) * minute], target=target)
    return [pss, switches, cpu]
