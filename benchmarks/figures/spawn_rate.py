"""How many processes a second: servers that end at once and are started again, and commands that are due at once."""

from __future__ import annotations

import json
import shutil
import time
from collections import defaultdict
from pathlib import Path

from benchmarks import procs, scheduled
from benchmarks.ours import Ours
from benchmarks.peers import Peer
from benchmarks.plan import Plan, say
from benchmarks.report import Figure
from benchmarks.stamps import Stamps, compiled
from benchmarks.subject import Services, Subject

SERVERS = 8  # as many at a time
WARM_S = 1.0
COMMANDS = 1000
AHEAD_S = 15  # the commands are due so long after their home was written
PATIENCE_S = 60.0
# Ends count for nothing and are answered at once, so that what is measured is the rate, and no rule that slows it down.
PATIENT = {"delaysSeconds": [0.0001], "giveUpAfter": 1_000_000, "windowDeaths": 1_000_000, "windowMinutes": 0.001}


class OursThatRestarts(Ours):
    """Every end is answered at once."""

    letter = "r"

    def write(self, services: Services) -> None:
        super().write(services)
        file = self.folder / "etc" / "sbctl.yaml"
        file.write_text(json.dumps({**json.loads(file.read_text()), "supervision": PATIENT}))


def measure(plan: Plan) -> list[Figure]:
    return [*_servers(plan), *_commands(plan)]


def _servers(plan: Plan) -> list[Figure]:
    program = compiled(plan.work)
    title = f"Spawn rate: {SERVERS} servers that end at once and are started again"
    figure = Figure(title, "a second", better="more", key=f"spawn.servers.{SERVERS}")
    if program is None:
        return []
    subjects: list[Subject] = [
        OursThatRestarts(plan.work, plan.mark) if s.name == "sbctl" else s for s in plan.once_each
    ]
    values: dict[str, list[float]] = defaultdict(list)
    for turn in range(2 if plan.quick else 3):
        for subject in subjects:
            say(f"spawn rate, round {turn + 1}, {subject.name}")
            try:
                values[subject.name].append(_rate(subject, program, 2.0 if plan.quick else 4.0))
            except procs.TookTooLong as error:
                say(str(error))
            finally:
                subject.end()
    for subject in subjects:
        figure.add(subject.name, values[subject.name])
    return [figure]


def _rate(subject: Subject, program: Path, seconds: float) -> float:
    stamps = Stamps(subject, program)
    try:
        subject.prepare("spawns", stamps.services(SERVERS, stay=False))
        subject.launch()
        stamps.wait(f"{subject.name}: the first starts", SERVERS, PATIENCE_S, 0.002)
        time.sleep(WARM_S)
        before, began = stamps.count, procs.now()
        time.sleep(seconds)
        return (stamps.count - before) / (procs.now() - began)
    finally:
        stamps.close()


# commands


def _commands(plan: Plan) -> list[Figure]:
    ours = plan.of(Ours)
    if ours is None:
        return []
    title = f"Spawn rate: {COMMANDS} commands of schedules, all due in one second"
    note = "until the last has ended"
    figure = Figure(title, "a second", better="more", key=f"spawn.commands.{COMMANDS}", note=note)
    turns = 1 if plan.quick else 3
    figure.add(ours.name, [COMMANDS / _burst(plan, turn) for turn in range(turns)], note="each with its durable row")
    took = [float(scheduled.child("commands.py", COMMANDS, *scheduled.COMMAND)) for _ in range(turns)]
    figure.add("limit, posix_spawn and wait", [COMMANDS / seconds for seconds in took])
    peer = next((subject for subject in plan.subjects if isinstance(subject, Peer)), None)
    if peer is not None:
        say(f"{COMMANDS} commands of APScheduler")
        python = peer.programs / "python"
        ended = scheduled.child("apscheduler_jobs.py", "commands", "memory", COMMANDS, turns, python=python)["ended"]
        figure.add("APScheduler, memory", [COMMANDS / seconds for seconds in ended], note="not durable")
    return [figure]


def _burst(plan: Plan, turn: int) -> float:
    """Seconds from the moment at which all are due to the end of the last, by the rows of the history."""
    say(f"{COMMANDS} commands of schedules, round {turn + 1}")
    ours = scheduled.started(plan)
    scheduled.all_at(ours, COMMANDS, scheduled.once_in(AHEAD_S))
    ours.prepare("burst", {})
    home = ours.compile()
    try:
        scheduled.start(ours)
        time.sleep(AHEAD_S / 2)
        procs.wait_for("the commands", lambda: bool(scheduled.rounds_of(home, COMMANDS)), PATIENCE_S, 0.5)
        return scheduled.rounds_of(home, COMMANDS)[0].ended
    finally:
        ours.end()
        shutil.rmtree(ours.folder, ignore_errors=True)
