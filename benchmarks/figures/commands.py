"""How long a person waits for a command: each verb beside bare Python, and the peers' own command lines."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks import procs, scheduled
from benchmarks.ours import LAUNCHER, Ours
from benchmarks.plan import Plan, say
from benchmarks.report import Figure
from benchmarks.subject import Subject

VERBS = (
    ["status"],
    ["status", "--json"],
    ["logs"],
    ["runs"],
    ["next"],
    ["why", "s000"],
    ["events"],
    ["version"],
    ["help"],
    ["completion", "bash"],
    ["__complete", "bash", "1", "sbctl", "st"],
)
SERVERS = 10
EVERY_S = 2  # ten schedules run, so that `runs` has something to show
BARE = [sys.executable, "-I", "-S", "-c", "pass"]


def measure(plan: Plan) -> list[Figure]:
    if plan.of(Ours) is None:
        return []
    figure = Figure(f"Commands: each verb, {SERVERS} servers and ten schedules", "ms", key=f"commands.{SERVERS}")
    ours = scheduled.started(plan)
    scheduled.all_at(ours, SERVERS, {"cron": f"*/{EVERY_S} * * * * *", "seconds": True})
    peers = [
        subject for subject in plan.once_each if subject.status_command() is not None and subject.name != ours.name
    ]
    running: list[Subject] = []
    try:
        for subject in (ours, *peers):
            subject.prepare("commands", subject.sleepers(SERVERS))
            running.append(subject)
            subject.start(SERVERS)
        time.sleep(3 * EVERY_S)  # some runs
        for name, values in _in_turns(ours, peers, 5 if plan.quick else 20).items():
            figure.add(name, values)
    except procs.TookTooLong as error:
        figure.add(ours.name, [], note=f"not measured: {error}")
    finally:
        for subject in running:
            subject.end()
    return [figure]


def _in_turns(ours: Ours, peers: list[Subject], times: int) -> dict[str, list[float]]:
    commands = {" ".join(["sbctl", *verb]): ([str(LAUNCHER), *verb], ours.environment()) for verb in VERBS}
    commands["limit: python -I -S -c pass"] = (BARE, ours.environment())
    for peer in peers:
        argv = peer.status_command() or []
        commands[f"{peer.name}: {Path(argv[0]).name} status"] = (argv, peer.environment())
    values: dict[str, list[float]] = {name: [] for name in commands}
    say(f"commands, {len(commands)} of them, {times} times each")
    for turn in range(times + 1):  # the first one finds the files on the disk
        for name, (argv, env) in commands.items():
            took = procs.seconds_of(argv, env)
            if turn > 0:
                values[name].append(took * 1000)
    return values
