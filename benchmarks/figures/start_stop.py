"""Launch until N children run; request until all of them, and then all of the supervisor, are gone."""

from __future__ import annotations

from collections import defaultdict

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, in_turn, say
from benchmarks.report import Figure
from benchmarks.subject import Subject

STOP_S = 90.0
LONG_STOP_S = 3.0  # from which on there are fewer rounds
ENOUGH_S = 30.0  # of stops of one subject, after which there is no other
TOO_LONG_STOP_S = 60.0
MANY = 100  # children; peers with more get fewer rounds
FEWER_ROUNDS = 3


class Times:
    """What the rounds of one subject took."""

    def __init__(self) -> None:
        self.start: list[float] = []
        self.children_gone: list[float] = []
        self.tree_gone: list[float] = []
        self.failed = ""


def measure(plan: Plan) -> list[Figure]:
    return [figure for count in plan.counts for figure in _with(plan, count)]


def _with(plan: Plan, count: int) -> list[Figure]:
    subjects = [subject for subject in plan.subjects if subject.can_sleep]
    times: dict[str, Times] = defaultdict(Times)
    for subject in subjects:
        subject.prepare(f"start-{count}", subject.sleepers(count))
    for turn in range(plan.rounds + 1):  # the first one warms up (ours compiles its settings) and does not count
        say(f"start and stop, {count} children, round {turn} of {plan.rounds}")
        for subject in in_turn(subjects, turn):
            if turn > start_rounds(plan, subject, count) or times[subject.name].failed:
                continue
            try:
                _one(plan, subject, count, turn, times[subject.name])
            except procs.TookTooLong as error:  # it would do it again, a minute each time
                times[subject.name].failed = f"broken off: {error}"
                say(str(error))
            finally:
                subject.end()
    return _figures(plan, count, subjects, times)


def start_rounds(plan: Plan, subject: Subject, count: int) -> int:
    return min(plan.rounds, FEWER_ROUNDS) if subject.is_peer and count > MANY else plan.rounds


def stop_rounds(plan: Plan, subject: Subject, count: int) -> int:
    """At most. None, or few, for those who stop one child after the other.

    What that takes them is known only once it was done: supervisord needs 0.01 to 1 s for each.
    """
    takes = subject.stop_takes(count)
    if takes > TOO_LONG_STOP_S or (plan.quick and takes > LONG_STOP_S):
        return 0
    rounds = start_rounds(plan, subject, count)
    return min(rounds, FEWER_ROUNDS) if takes > LONG_STOP_S else rounds


def _one(plan: Plan, subject: Subject, count: int, turn: int, times: Times) -> None:
    took = subject.start(count)
    if turn > 0:
        times.start.append(took)
    is_long = subject.stop_takes(count) > LONG_STOP_S
    if turn > stop_rounds(plan, subject, count) or (turn == 0 and is_long) or sum(times.tree_gone) > ENOUGH_S:
        return
    children_gone, tree_gone = stop(subject)
    if turn > 0:
        times.children_gone.append(children_gone)
        times.tree_gone.append(tree_gone)


def stop(subject: Subject) -> tuple[float, float]:
    """Seconds from the request until its children, and until all of its own processes, are gone."""
    servers = procs.Ends(subject.servers)
    tree = procs.Ends(set(subject.daemons().values()))
    began = procs.now()
    subject.ask_stop()
    return servers.wait(STOP_S) - began, tree.wait(STOP_S) - began


def _figures(plan: Plan, count: int, subjects: list[Subject], times: dict[str, Times]) -> list[Figure]:
    start = Figure(f"Start: launch until {count} children run", "s", key=f"start.{count}")
    stop = Figure(f"Stop: request until {count} children are gone", "s", key=f"stop.{count}")
    title = f"Stop: request until the supervisor of {count} is gone too"
    tree = Figure(title, "s", key=f"stop.tree.{count}")
    for subject in subjects:
        ours, found = isinstance(subject, Ours), times[subject.name]
        if not subject.launched_as:
            rounds = start_rounds(plan, subject, count)
            note = found.failed or ("" if rounds == plan.rounds else f"{rounds} rounds")
            took = [*found.start, *_of_twins(subject, subjects, times)]
            start.add(subject.name, took, target=targets.START_S.get(count) if ours else None, note=note)
        note = found.failed or _stop_note(plan, subject, count, len(found.tree_gone))
        stop.add(subject.name, found.children_gone, target=targets.STOP_S.get(count) if ours else None, note=note)
        tree.add(subject.name, found.tree_gone, target=targets.TREE_GONE_S if ours else None, note=note)
    return [start, stop, tree]


def _of_twins(subject: Subject, subjects: list[Subject], times: dict[str, Times]) -> list[float]:
    """Starts are starts, however they are stopped afterwards."""
    twins = [other for other in subjects if other.launched_as == subject.name]
    return [took for twin in twins for took in times[twin.name].start]


def _stop_note(plan: Plan, subject: Subject, count: int, rounds: int) -> str:
    if stop_rounds(plan, subject, count) == 0:
        return "left out: it does not stop all at once, and may take minutes"
    return "" if rounds == plan.rounds else "one round" if rounds == 1 else f"{rounds} rounds"
