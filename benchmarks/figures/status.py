"""How long a person waits for the status of all children, and a program that holds a connection."""

from __future__ import annotations

import json
import subprocess

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, all_running, say
from benchmarks.report import Figure
from benchmarks.subject import Subject
from supervisor.control.client import connect
from supervisor.model.home import Home

QUESTIONS = 200


def measure(plan: Plan) -> list[Figure]:
    command = Figure(f"Status: the command, {plan.children} children", "ms", key=f"status.command.{plan.children}")
    times = 5 if plan.quick else 20
    say(f"status, {times} times each")
    asked = [subject for subject in plan.once_each if subject.status_command() is not None]
    with all_running(asked, "status", plan.children) as running:
        values: dict[str, list[float]] = {subject.name: [] for subject in running}
        for turn in range(times + 1):
            for subject in running:
                took = _run(subject.status_command() or [], subject.environment())
                if turn > 0:
                    values[subject.name].append(took)
        for subject in running:
            target = targets.STATUS_MS if isinstance(subject, Ours) else None
            command.add(subject.name, values[subject.name], target=target)
        return [command, _open_connection(plan, running)]


def _run(argv: list[str], env: dict[str, str]) -> float:
    began = procs.now()
    subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=30)
    return (procs.now() - began) * 1000


def _open_connection(plan: Plan, running: list[Subject]) -> Figure:
    title = f"Status: asked over an open connection, {plan.children} children"
    figure = Figure(title, "ms", key=f"status.asked.{plan.children}")
    for subject in running:
        if isinstance(subject, Ours):
            figure.add(subject.name, _ask_ours(subject), target=targets.ASK_MS)
        elif argv := subject.ask_command():
            values, why = _ask_peer([*argv, str(QUESTIONS)], subject.environment())
            figure.add(subject.name, values, note=why)
    return figure


def _ask_peer(argv: list[str], env: dict[str, str]) -> tuple[list[float], str]:
    try:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout), ""
    except (subprocess.SubprocessError, ValueError) as error:
        return [], f"could not be asked: {error}"


def _ask_ours(ours: Ours) -> list[float]:
    values = []
    with connect(Home(str(ours.folder)), "scheduler") as client:
        for _ in range(QUESTIONS):
            began = procs.now()
            client.raw("rows")
            values.append((procs.now() - began) * 1000)
    return values
