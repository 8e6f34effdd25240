"""How many processes a second: servers that end at once and are started again, and commands that are due at once."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from pathlib import Path

from benchmarks import bursts, procs, scheduled
from benchmarks.ours import Ours
from benchmarks.peers import Peer
from benchmarks.plan import Plan, in_turn, say
from benchmarks.report import Figure
from benchmarks.stamps import Stamps, compiled
from benchmarks.subject import Services, Subject

SERVERS = 8  # as many at a time
WARM_S = 1.0
COMMANDS = 1000
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
    others = [subject for subject in plan.once_each if subject.restarts and not isinstance(subject, Ours)]
    subjects: list[Subject] = [OursThatRestarts(plan.work, plan.mark), *others]
    values: dict[str, list[float]] = defaultdict(list)
    for turn in range(2 if plan.quick else 3):
        for subject in in_turn(subjects, turn):
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
        subject.prepare("spawns", stamps.services(SERVERS, stay=False), must_be_quick=True)
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
    turns = 2 if plan.quick else 4
    rounds, bare, _ = bursts.take(plan, COMMANDS, turns)
    speeds = [COMMANDS / one.ended for one in rounds.whole]
    figure.add(ours.name, speeds, note="each with its durable row", wrong=rounds.wrong)
    figure.add("limit, posix_spawn and wait", [COMMANDS / seconds for seconds in bare])
    peer = next((subject for subject in plan.subjects if isinstance(subject, Peer)), None)
    if peer is not None:
        say(f"{COMMANDS} commands of APScheduler")
        python = peer.programs / "python"
        ended = scheduled.child("apscheduler_jobs.py", "commands", "memory", COMMANDS, turns, python=python)["ended"]
        figure.add("APScheduler, memory", [COMMANDS / seconds for seconds in ended], note="not durable")
        ended = scheduled.the_same_work(plan.work, COMMANDS, turns, python)
        figure.add(scheduled.THE_SAME, [COMMANDS / seconds for seconds in ended])
    return [figure]
