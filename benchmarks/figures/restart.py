"""kill -9 of one child until its successor runs."""

from __future__ import annotations

import os
import signal
import time

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, all_running, say
from benchmarks.report import Figure
from benchmarks.subject import Subject

PATIENCE_S = 10.0
LOOK_S = 0.0001
PAUSE_S = 0.05
ENOUGH_S = 5.0  # waited for one subject


def measure(plan: Plan) -> list[Figure]:
    title = f"Restart: kill -9 of 1 of {plan.children} until its successor runs"
    figure = Figure(title, "ms", key=f"restart.{plan.children}")
    kills = 5 if plan.quick else 20
    say(f"restart, {kills} kills each")
    subjects = [subject for subject in plan.once_each if subject.restarts]
    with all_running(subjects, "restart", plan.children, must_be_quick=True) as running:
        values: dict[str, list[float]] = {subject.name: [] for subject in running}
        for number in range(kills):
            for subject in running:
                if sum(values[subject.name]) > ENOUGH_S * 1000:
                    continue
                victim = sorted(subject.servers)[number * 7 % len(subject.servers)]
                took = replace(subject, victim)
                if took is not None:
                    values[subject.name].append(took * 1000)
                time.sleep(PAUSE_S)
    for subject in running:
        target = targets.RESTART_MS if isinstance(subject, Ours) else None
        found = values[subject.name]
        figure.add(subject.name, found, target=target, note="" if len(found) == kills else f"{len(found)} kills")
    for subject in plan.once_each:
        if not subject.restarts:
            figure.add(subject.name, [], note="does not restart")
    return [figure]


def replace(subject: Subject, victim: int) -> float | None:
    """Seconds from the signal until another process of that name has the same parent."""
    parent = procs.state_and_parent(victim)[1]
    before = procs.children_of(parent)
    comm = subject.comm.encode() + b"\n"
    began = procs.now()
    os.kill(victim, signal.SIGKILL)
    while procs.now() - began < PATIENCE_S:
        for pid in procs.children_of(parent) - before:
            if procs.read(f"/proc/{pid}/comm") == comm:
                took = procs.now() - began
                subject.servers = subject.servers - {victim} | {pid}
                return took
        time.sleep(LOOK_S)
    return None
