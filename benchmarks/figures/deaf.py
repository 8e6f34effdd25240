"""The stop of children that ignore SIGTERM: it should take the grace once, at any number of them."""

from __future__ import annotations

import signal
from collections import defaultdict

from benchmarks import procs, targets
from benchmarks.figures import start_stop
from benchmarks.ours import Ours
from benchmarks.plan import Plan, in_turn, say
from benchmarks.report import Figure
from benchmarks.subject import Subject

GRACE_S = 1.0
FEW = 20
MANY = (500, 1000)  # "at any number": what each of them costs shows only where they are many
LONG_S = 5.0  # in a quick run left out, else one round
TOO_LONG_S = 60.0
PATIENCE_S = 10.0


def measure(plan: Plan) -> list[Figure]:
    return [_with(plan, count) for count in counts_of(plan)]


def counts_of(plan: Plan) -> list[int]:
    """In a quick run of the many only those that are asked for, as the check does."""
    many = [count for count in MANY if not plan.quick or count in plan.counts]
    return list(dict.fromkeys((FEW, plan.children, *many)))


def _with(plan: Plan, count: int) -> Figure:
    subjects = [subject for subject in plan.subjects if subject.can_sleep]
    for subject in subjects:
        if not subject.never_ends_deaf:
            subject.prepare(f"deaf-{count}", subject.deaf(count), grace_s=GRACE_S)
    values: dict[str, list[float]] = defaultdict(list)
    failed: dict[str, str] = {}
    for turn in range(_most(plan)):
        say(f"stop of {count} deaf children, round {turn + 1} of {_most(plan)}")
        for subject in in_turn(subjects, turn):
            if turn >= rounds_of(plan, subject, count) or subject.name in failed:
                continue
            try:
                values[subject.name].append(one(subject, count))
            except procs.TookTooLong as error:
                failed[subject.name] = f"broken off: {error}"
                say(str(error))
            finally:
                subject.end()
    return figure_of(plan, count, subjects, values, failed)


def figure_of(
    plan: Plan, count: int, subjects: list[Subject], values: dict[str, list[float]], failed: dict[str, str]
) -> Figure:
    title = f"Stop of {count} children that ignore SIGTERM, SIGKILL after {GRACE_S:g} s: until all are gone"
    figure = Figure(title, "s", key=f"deaf.{count}", note=f"the least is {GRACE_S:g} s")
    figure.waits = GRACE_S
    for subject in subjects:
        target = GRACE_S + targets.DEAF_S if isinstance(subject, Ours) else None
        note = failed.get(subject.name) or _note(plan, subject, count)
        figure.add(subject.name, values.get(subject.name, []), target=target, note=note)
    return figure


def _most(plan: Plan) -> int:
    return 1 if plan.quick else 3


def rounds_of(plan: Plan, subject: Subject, count: int) -> int:
    takes = subject.stop_takes(count)
    if subject.never_ends_deaf or takes > TOO_LONG_S or (plan.quick and takes > LONG_S):
        return 0
    return 1 if takes > LONG_S else _most(plan)


def _note(plan: Plan, subject: Subject, count: int) -> str:
    if subject.never_ends_deaf:
        return subject.never_ends_deaf
    found = rounds_of(plan, subject, count)
    if found == 0:
        return f"left out: at least {subject.stop_takes(count):.0f} s, since it does not stop all at once"
    return "" if found == _most(plan) else "one round"


def one(subject: Subject, count: int) -> float:
    subject.start(count)
    procs.wait_for(f"{subject.name}: {count} deaf children", lambda: _are_deaf(subject.servers), PATIENCE_S)
    return start_stop.stop(subject)[0]


def _are_deaf(pids: set[int]) -> bool:
    return all(procs.ignores(pid, signal.SIGTERM) for pid in pids)
