"""Twice the schedules: at most 2.1 times the cost, in each figure, up to a hundred thousand."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

from benchmarks import bursts, scheduled, targets
from benchmarks.doubling import Doubling, table
from benchmarks.ours import Ours
from benchmarks.plan import Plan, say
from benchmarks.report import Figure

LOADED = (12_500, 25_000, 50_000, 100_000)
DUE = (250, 500, 1000, 2000)
DUE_OF_MANY = 100
COMMANDS = (125, 250, 500, 1000)
BURSTS = 25
LOADS, SECONDS = 5, 9  # how often each is loaded, and due
EVERY_S = 6  # what is to be due; so the same home can be measured again and again
RULE = {"cron": f"*/{EVERY_S} * * * * *", "seconds": True}


class Costs:
    """Of everything that grows with the schedules."""

    def __init__(self) -> None:
        self.load = Doubling("schedules loaded", "s")
        self.memory = Doubling("memory of the process with all schedules", "MiB")
        self.few = Doubling(f"{DUE_OF_MANY} due of so many schedules, the last decided", "ms late")
        self.decided = Doubling("so many due in one second, the median decided", "ms late")
        self.last = Doubling("so many due in one second, the last decided", "ms late")
        self.claimed = Doubling("so many due in one second, the last claim on the disk", "ms late")
        self.commands = Doubling("so many commands due in one second, the last has ended", "s", of=statistics.median)

    @property
    def all(self) -> list[Doubling]:
        return [self.load, self.memory, self.few, self.decided, self.last, self.claimed, self.commands]


def measure(plan: Plan) -> list[Figure]:
    if plan.of(Ours) is None:
        return []
    loaded, due = (LOADED[:2], DUE[:2]) if plan.quick else (LOADED, DUE)
    costs = Costs()
    homes = [_home(plan, f"many-{count}", count) for count in loaded]
    for turn in range(2 if plan.quick else LOADS):
        for count, home in zip(loaded, homes, strict=True):
            say(f"growth, {count} schedules, round {turn + 1}")
            _many(home, count, costs, loaded[-1] // count)
    _remove(homes)
    homes = [_home(plan, f"due-{count}", 0, count) for count in due]
    for turn in range(2 if plan.quick else SECONDS):
        for count, home in zip(due, homes, strict=True):
            say(f"growth, {count} due, round {turn + 1}")
            _due(home, count, costs)
    _remove(homes)
    _commands(plan, COMMANDS[:2] if plan.quick else COMMANDS, costs)
    title = f"Growth: twice the schedules, from {loaded[0]} to {loaded[-1]}, and of those that are due to {due[-1]}"
    return [table(title, "growth.schedules", costs.all, targets.GROWTH)]


def _home(plan: Plan, name: str, count: int, due: int = DUE_OF_MANY) -> Path:
    say(f"{count + due} schedules are compiled")
    ours = scheduled.started(plan)
    if count:
        scheduled.mixed(ours, count, due=due, rule=RULE)
    else:
        scheduled.all_at(ours, due, RULE)
    ours.prepare(name, {})
    ours.compile()
    return ours.folder


def _remove(homes: list[Path]) -> None:
    for home in homes:
        shutil.rmtree(home, ignore_errors=True)


def _many(home: Path, count: int, costs: Costs, times: int) -> None:
    """The fewer they are the oftener, so that a lucky moment of the machine is no likelier for them."""
    found = [scheduled.fresh("due", home, DUE_OF_MANY) for _ in range(times)]
    costs.load.add(count, *(each["seconds"] for each in found))
    costs.memory.add(count, *(each["memory"] / (1 << 20) for each in found))
    costs.few.add(count, *(max(each["decided"][:DUE_OF_MANY]) * 1000 for each in found))


def _due(home: Path, count: int, costs: Costs) -> None:
    found = scheduled.fresh("due", home, count)
    costs.decided.add(count, statistics.median(found["decided"]) * 1000)
    costs.last.add(count, max(found["decided"]) * 1000)
    costs.claimed.add(count, max(found["claimed"]) * 1000)


def _commands(plan: Plan, counts: tuple[int, ...], costs: Costs) -> None:
    """Each burst is a round."""
    for count, rounds in bursts.side_by_side(plan, counts, 2 if plan.quick else BURSTS).items():
        assert not rounds.wrong, rounds.wrong
        for each in rounds.whole:
            costs.commands.add(count, each.ended)
