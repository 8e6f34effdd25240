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
QUESTIONS = 200
ASK_LIMIT_S = 60
FRESH_QUESTIONS = 20
LOOK_OLD_S = 0.15  # by then the scheduler looks at all processes anew for the next who asks
AFTER_A_PAUSE, WHY_A_PAUSE = f"{Ours.name}, each after a pause", "a look at all processes is as old as 0.1 s else"


def measure(plan: Plan) -> list[Figure]:
    counts = [plan.children] if plan.quick else [plan.children, *MORE_CHILDREN]
    return [figure for count in dict.fromkeys(counts) for figure in _with(plan, count)]


def _with(plan: Plan, count: int) -> list[Figure]:
    command = Figure(f"Status: the command, {count} children", "ms", key=f"status.command.{count}")
    title = f"Status: asked over an open connection, {count} children"
    question = Figure(title, "ms", key=f"status.asked.{count}", note="one question after the other")
    times = 5 if plan.quick else 20
    asked = [subject for subject in plan.once_each if subject.status_command() is not None]
    for subject in asked:  # one after the other: who looks at all processes of the machine must not pay for the others
        say(f"status of {count}, {times} times, {subject.name}")
        with all_running([subject], "status", count) as running:
            for one in running:
                _commands(command, one, count, times)
                _questions(question, one, count)
    return [command, question]


def _commands(figure: Figure, subject: Subject, count: int, times: int) -> None:
    argv, env = subject.status_command() or [], subject.environment()
    values = [procs.seconds_of(argv, env) * 1000 for _ in range(times + 1)]
    target = targets.STATUS_MS.get(count) if isinstance(subject, Ours) else None
    figure.add(subject.name, values[1:], target=target)  # the first one finds the files on the disk
    if isinstance(subject, Ours):
        fresh = []
        for _ in range(times):
            time.sleep(LOOK_OLD_S)
            fresh.append(procs.seconds_of(argv, env) * 1000)
        figure.add(AFTER_A_PAUSE, fresh, target=target, note=WHY_A_PAUSE)


def _questions(figure: Figure, subject: Subject, count: int) -> None:
    """Over an open connection."""
    if isinstance(subject, Ours):
        figure.add(subject.name, _ask_ours(subject, QUESTIONS, 0.0), target=targets.ASK_MS.get(count))
        fresh = _ask_ours(subject, FRESH_QUESTIONS, LOOK_OLD_S)
        figure.add(AFTER_A_PAUSE, fresh, note=WHY_A_PAUSE)
    elif argv := subject.ask_command():
        values, why = _ask_peer([*argv, str(QUESTIONS)], subject.environment())
        figure.add(subject.name, values, note=why)


def _ask_peer(argv: list[str], env: dict[str, str]) -> tuple[list[float], str]:
    try:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=ASK_LIMIT_S, check=True)
        return json.loads(done.stdout), ""
    except subprocess.TimeoutExpired:
        return [], f"no {QUESTIONS} answers in {ASK_LIMIT_S} s"
    except (subprocess.SubprocessError, ValueError):  # its words name the command, with this machine's paths
        return [], "could not be asked"


def _ask_ours(ours: Ours, times: int, pause: float) -> list[float]:
    values = []
    with connect(Home(str(ours.folder)), "scheduler") as client:
        for _ in range(times):
            time.sleep(pause)
            began = procs.now()
            client.raw("rows")
            values.append((procs.now() - began) * 1000)
    return values
