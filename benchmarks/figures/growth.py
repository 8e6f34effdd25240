"""Twice the services: at most 2.1 times the cost, in each figure, up to a thousand."""

from __future__ import annotations

import json
import shutil
import statistics
import time
from pathlib import Path

from benchmarks import procs, targets
from benchmarks.doubling import Doubling, table
from benchmarks.figures import deaf, restart
from benchmarks.figures.adopt import adoption
from benchmarks.figures.idle import SETTLED_S
from benchmarks.ours import LAUNCHER, QUICK, Ours
from benchmarks.plan import Plan, say
from benchmarks.report import Figure
from benchmarks.stamps import Stamps, compiled
from benchmarks.subject import Services
from supervisor.control.client import connect
from supervisor.model.home import Home

COUNTS = (125, 250, 500, 1000)
PATIENCE_S = 60.0
KILLS = 15
ADOPTIONS = 3
COMMANDS = 3
LOOK_OLD_S = 0.15  # by then the scheduler looks at all processes anew for the next who asks
QUESTIONS = 24
PAUSE_S = 0.05
TICK_S = 2.0  # instead of a minute: so a window of half a minute has as many heartbeats as a quarter of an hour
IDLE_S = 30.0


class OursThatGrows(Ours):
    """Its servers write down when they began, so that looking at them costs the same for any number."""

    letter = "g"
    stamps: Stamps


class OursThatBeats(Ours):
    """What a minute has, a tick and two looks at all that runs, comes each two seconds."""

    letter = "b"

    def write(self, services: Services) -> None:
        super().write(services)
        file = self.folder / "etc" / "sbctl.yaml"
        beats = {**QUICK, "tickSeconds": TICK_S, "reconcileSeconds": TICK_S / 2}
        file.write_text(json.dumps({**json.loads(file.read_text()), "supervision": beats}))


class Costs:
    """Of everything that grows with the services."""

    def __init__(self) -> None:
        self.start = Doubling("start until all run", "s")
        self.stop = Doubling("stop until all are gone", "s", of=statistics.median)
        self.restart = Doubling("restart of one", "ms")
        self.adopt = Doubling("adoption after kill -9 of the scheduler", "s")
        self.command = Doubling("status, the command", "ms")
        self.question = Doubling("status over an open connection", "ms")
        self.memory = Doubling("memory of start and scheduler, idle", "MiB PSS")
        self.cpu = Doubling("processor time of start and scheduler, idle", "s a minute")
        self.deaf = Doubling("stop of servers that ignore SIGTERM, their grace 1 s", "s")

    @property
    def all(self) -> list[Doubling]:
        stops = [self.stop, self.deaf]
        return [self.start, *stops, self.restart, self.adopt, self.command, self.question, self.memory, self.cpu]


def measure(plan: Plan) -> list[Figure]:
    program = compiled(plan.work)
    if plan.of(Ours) is None or program is None:
        return []
    counts = COUNTS[:2] if plan.quick else COUNTS
    homes = {count: _home(plan, count, program) for count in counts}
    costs = Costs()
    try:
        _rounds(homes, 1, Costs())  # compiles the settings and does not count
        _rounds(homes, 2 if plan.quick else 3, costs)
        _rounds(homes, 0 if plan.quick else 9, costs, all_of_them=False)
    finally:
        for ours in homes.values():
            ours.stamps.close()
            shutil.rmtree(ours.folder, ignore_errors=True)
    _deaf(plan, counts, costs)
    _idle(plan, counts, costs)
    title = f"Growth: twice the services, from {counts[0]} to {counts[-1]}"
    return [table(title, "growth.services", costs.all, targets.GROWTH)]


def _rounds(homes: dict[int, OursThatGrows], turns: int, costs: Costs, *, all_of_them: bool = True) -> None:
    """Of start and stop a round has one value each, so of these there are more."""
    for turn in range(turns):
        for count, ours in homes.items():
            say(f"growth, {count} services, round {turn + 1} of {turns}")
            try:
                servers = _start(ours, count, costs)
                if all_of_them:
                    _in_between(ours, count, servers, costs)
                _stop(ours, count, servers, costs)
            finally:
                ours.end()


def _deaf(plan: Plan, counts: tuple[int, ...], costs: Costs) -> None:
    """In homes of their own, each of which is compiled anew: of such a stop nothing else is needed."""
    ours = Ours(plan.work, plan.mark)  # beside whose folder the C programs are
    for turn in range(2):
        for count in counts:
            say(f"growth, {count} deaf servers, round {turn + 1} of 2")
            try:
                ours.prepare(f"deaf-{count}", ours.deaf(count), grace_s=deaf.GRACE_S)
                costs.deaf.add(count, deaf.one(ours, count))
            finally:
                ours.end()
                shutil.rmtree(ours.folder, ignore_errors=True)


def _idle(plan: Plan, counts: tuple[int, ...], costs: Costs) -> None:
    ours = OursThatBeats(plan.work, plan.mark)
    for turn in range(2):
        for count in counts:
            say(f"growth, {count} services, idle for {IDLE_S:g} s, round {turn + 1} of 2")
            try:
                ours.prepare(f"idle-{count}", ours.sleepers(count))
                ours.start(count)
                time.sleep(SETTLED_S)
                pids = ours.daemons().values()
                before = procs.cost(pids).cpu_s
                time.sleep(IDLE_S)
                costs.cpu.add(count, (procs.cost(pids).cpu_s - before) * TICK_S / IDLE_S)
            finally:
                ours.end()
                shutil.rmtree(ours.folder, ignore_errors=True)


def _home(plan: Plan, count: int, program: Path) -> OursThatGrows:
    ours = OursThatGrows(plan.work / f"growth-{count}", plan.mark)
    ours.stamps = Stamps(ours, program)
    ours.prepare("home", ours.stamps.services(count, stay=True))
    return ours


def _start(ours: OursThatGrows, count: int, costs: Costs) -> list[int]:
    first = ours.stamps.count
    began = ours.launch()
    ours.stamps.wait(f"{count} servers", first + count, PATIENCE_S, 0.005)
    stamps = ours.stamps.since(first)
    costs.start.add(count, max(at for at, _ in stamps) - began)
    ours.settle()
    return [pid for _, pid in stamps]


def _in_between(ours: OursThatGrows, count: int, servers: list[int], costs: Costs) -> None:
    time.sleep(1.0)  # titles, and what else is put off until after the start
    costs.memory.add(count, procs.cost(ours.daemons().values(), memory=True).pss_mib)
    costs.restart.add(count, *_restarts(ours, servers))
    _questions(ours, count, costs)
    costs.adopt.add(count, *[_adoption(ours, count) for _ in range(ADOPTIONS)])


def _stop(ours: OursThatGrows, count: int, servers: list[int], costs: Costs) -> None:
    ends = procs.Ends(servers)
    began = procs.now()
    ours.ask_stop()
    costs.stop.add(count, ends.wait(PATIENCE_S) - began)


def _restarts(ours: OursThatGrows, servers: list[int]) -> list[float]:
    """Milliseconds from the signal to the first instruction of the successor."""
    took: list[float] = []
    for number in range(KILLS):
        took.append(restart.replace(ours.stamps, servers, number) * 1000)
        time.sleep(PAUSE_S)
    return took


def _questions(ours: OursThatGrows, count: int, costs: Costs) -> None:
    took = []
    for _ in range(COMMANDS):
        time.sleep(LOOK_OLD_S)
        took.append(procs.seconds_of([str(LAUNCHER), "status"], ours.environment()) * 1000)
    costs.command.add(count, *took)
    answered = []
    with connect(Home(str(ours.folder)), "scheduler") as client:
        for _ in range(QUESTIONS):
            time.sleep(LOOK_OLD_S)
            began = procs.now()
            client.raw("rows")
            answered.append((procs.now() - began) * 1000)
    costs.question.add(count, *answered)


def _adoption(ours: OursThatGrows, count: int) -> float:
    took, adopted = adoption(ours)
    assert adopted == count, f"{adopted} of {count} servers were taken over"
    time.sleep(PAUSE_S * 4)
    return took
