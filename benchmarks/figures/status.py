"""How long a person waits for the status of all children, and a program that holds a connection."""

from __future__ import annotations

import json
import subprocess
import time

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, all_running, say
from benchmarks.report import Figure
from benchmarks.subject import Subject
from supervisor.control.client import connect
from supervisor.model.home import Home

MORE_CHILDREN = (10, 1000)  # beside those of the plan, and without --quick
MOST_TOGETHER = 100  # children of each, with all supervisors running at once
QUESTIONS = 200
FRESH_QUESTIONS = 20
LOOK_OLD_S = 0.15  # by then the scheduler looks at all processes anew for the next who asks


def measure(plan: Plan) -> list[Figure]:
    counts = [plan.children] if plan.quick else [plan.children, *MORE_CHILDREN]
    return [figure for count in dict.fromkeys(counts) for figure in _with(plan, count)]


def _with(plan: Plan, count: int) -> list[Figure]:
    command = Figure(f"Status: the command, {count} children", "ms", key=f"status.command.{count}")
    title = f"Status: asked over an open connection, {count} children"
    question = Figure(title, "ms", key=f"status.asked.{count}", note="one question after the other")
    times = 5 if plan.quick else 20
    asked = [subject for subject in plan.once_each if subject.status_command() is not None]
    # Whoever looks at all processes of the machine must not pay for the thousands of the others.
    groups = [asked] if count <= MOST_TOGETHER else [[subject] for subject in asked]
    for group in groups:
        say(f"status of {count}, {times} times each, {', '.join(subject.name for subject in group)}")
        with all_running(group, "status", count) as running:
            _commands(command, running, count, times)
            for subject in running:
                _questions(question, subject, count)
    return [command, question]


def _commands(figure: Figure, running: list[Subject], count: int, times: int) -> None:
    values: dict[str, list[float]] = {subject.name: [] for subject in running}
    for turn in range(times + 1):
        for subject in running:
            took = procs.seconds_of(subject.status_command() or [], subject.environment())
            if turn > 0:
                values[subject.name].append(took * 1000)
    for subject in running:
        target = targets.STATUS_MS.get(count) if isinstance(subject, Ours) else None
        figure.add(subject.name, values[subject.name], target=target)


def _questions(figure: Figure, subject: Subject, count: int) -> None:
    """Over an open connection."""
    if isinstance(subject, Ours):
        figure.add(subject.name, _ask_ours(subject, QUESTIONS, 0.0), target=targets.ASK_MS.get(count))
        fresh = _ask_ours(subject, FRESH_QUESTIONS, LOOK_OLD_S)
        figure.add("  each after a pause", fresh, note="a look at all processes is as old as 0.1 s else")
    elif argv := subject.ask_command():
        values, why = _ask_peer([*argv, str(QUESTIONS)], subject.environment())
        figure.add(subject.name, values, note=why)


def _ask_peer(argv: list[str], env: dict[str, str]) -> tuple[list[float], str]:
    try:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout), ""
    except (subprocess.SubprocessError, ValueError) as error:
        return [], f"could not be asked: {error}"


def _ask_ours(ours: Ours, times: int, pause: float) -> list[float]:
    values = []
    with connect(Home(str(ours.folder)), "scheduler") as client:
        for _ in range(times):
            time.sleep(pause)
            began = procs.now()
            client.raw("rows")
            values.append((procs.now() - began) * 1000)
    return values
