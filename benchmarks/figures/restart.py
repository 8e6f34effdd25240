"""kill -9 of one child until its successor runs."""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from pathlib import Path

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, in_turn, say
from benchmarks.report import Figure
from benchmarks.stamps import Stamps, compiled
from benchmarks.subject import Subject

PATIENCE_S = 10.0
SETTLED_S = 1.5
PAUSE_S = 0.05
ROUNDS, KILLS = 2, 20  # the first of each is slower: Python has not yet fitted its code to what it meets
ENOUGH_S = 5.0  # waited for one subject


def measure(plan: Plan) -> list[Figure]:
    """One subject at a time. Nobody looks for the successor: it writes down itself when its first instruction was."""
    program = compiled(plan.work)
    if program is None:
        return []
    title = f"Restart: kill -9 of 1 of {plan.children} until the first instruction of its successor"
    figure = Figure(title, "ms", key=f"restart.{plan.children}")
    rounds, kills = (1, 5) if plan.quick else (ROUNDS, KILLS)
    subjects = [subject for subject in plan.once_each if subject.restarts]
    values: dict[str, list[float]] = defaultdict(list)
    failed: dict[str, str] = {}
    for turn in range(rounds):
        for subject in in_turn(subjects, turn):
            say(f"restart, {kills} kills, round {turn + 1} of {rounds}, {subject.name}")
            try:
                _round(plan, subject, program, kills, values[subject.name])
            except procs.TookTooLong as error:
                failed[subject.name] = f"broken off: {error}"
                say(str(error))
            finally:
                subject.end()
    for subject in subjects:
        target = targets.RESTART_MS if isinstance(subject, Ours) else None
        found = values[subject.name]
        note = failed.get(subject.name) or ("" if len(found) == rounds * kills else f"{len(found)} kills")
        figure.add(subject.name, found, target=target, note=note)
    for subject in plan.once_each:
        if not subject.restarts:
            figure.add(subject.name, [], note="does not restart")
    return [figure]


def _round(plan: Plan, subject: Subject, program: Path, kills: int, values: list[float]) -> None:
    """Adds milliseconds, of as many as there is time for."""
    if sum(values) > ENOUGH_S * 1000:
        return
    stamps = Stamps(subject, program)
    try:
        subject.prepare("restart", stamps.services(plan.children, stay=True), must_be_quick=True)
        subject.start(plan.children)
        time.sleep(SETTLED_S)
        servers = [pid for _, pid in stamps.since(0)]
        for number in range(kills):
            if sum(values) > ENOUGH_S * 1000:
                break
            values.append(replace(stamps, servers, number) * 1000)
            time.sleep(PAUSE_S)
    finally:
        stamps.close()


def replace(stamps: Stamps, servers: list[int], number: int) -> float:
    """Kills one of them, another each time: seconds from the signal until its successor began."""
    victim = number * 7 % len(servers)
    before = stamps.count
    began = procs.now()
    os.kill(servers[victim], signal.SIGKILL)
    stamps.wait("a restart", before + 1, PATIENCE_S)
    ((at, servers[victim]),) = stamps.since(before)
    return at - began
