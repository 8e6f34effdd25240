"""Launch until N children run; request until all of them, and then all of the supervisor, are gone."""

from __future__ import annotations

from collections import defaultdict

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, say
from benchmarks.report import Figure
from benchmarks.subject import Subject

STOP_S = 90.0
MAX_SLOW_STOP = 100  # children


class Times:
    """What the rounds of one subject took."""

    def __init__(self) -> None:
        self.start: list[float] = []
        self.children_gone: list[float] = []
        self.tree_gone: list[float] = []


def measure(plan: Plan) -> list[Figure]:
    return [figure for count in plan.counts for figure in _with(plan, count)]


def _with(plan: Plan, count: int) -> list[Figure]:
    subjects = [subject for subject in plan.subjects if subject.can_sleep]
    times: dict[str, Times] = defaultdict(Times)
    for subject in subjects:
        subject.prepare(f"start-{count}", subject.sleepers(count))
    for turn in range(plan.rounds + 1):  # the first one warms up (ours compiles its settings) and does not count
        say(f"start and stop, {count} children, round {turn} of {plan.rounds}")
        for subject in subjects:
            try:
                _one(subject, count, turn, times[subject.name], quick=plan.quick)
            except procs.TookTooLong as error:
                say(str(error))
            finally:
                subject.end()
    return _figures(count, subjects, times)


def _one(subject: Subject, count: int, turn: int, times: Times, *, quick: bool) -> None:
    took = subject.start(count)
    if turn > 0:
        times.start.append(took)
    if subject.slow_stop and (quick or turn != 1 or count > MAX_SLOW_STOP):
        return
    servers = procs.Ends(subject.servers)
    tree = procs.Ends(set(subject.daemons().values()))
    began = procs.now()
    subject.ask_stop()
    servers_gone = servers.wait(STOP_S) - began
    tree_gone = tree.wait(STOP_S) - began
    if turn > 0:
        times.children_gone.append(servers_gone)
        times.tree_gone.append(tree_gone)


def _figures(count: int, subjects: list[Subject], times: dict[str, Times]) -> list[Figure]:
    start = Figure(f"Start: launch until {count} children run", "s", key=f"start.{count}")
    stop = Figure(f"Stop: request until {count} children are gone", "s", key=f"stop.{count}")
    title = f"Stop: request until the supervisor of {count} is gone too"
    tree = Figure(title, "s", key=f"stop.tree.{count}")
    for subject in subjects:
        ours, found = isinstance(subject, Ours), times[subject.name]
        note = "" if not subject.slow_stop else "one round" if found.tree_gone else "left out: it takes 0.35 s a child"
        start.add(subject.name, found.start, target=targets.START_S.get(count) if ours else None)
        stop.add(subject.name, found.children_gone, target=targets.STOP_S.get(count) if ours else None, note=note)
        tree.add(subject.name, found.tree_gone, target=targets.TREE_GONE_S if ours else None, note=note)
    return [start, stop, tree]
