"""A week's load in two minutes: does a daemon grow, and does a run cost more in the end than in the beginning?

All of it is real: a run for each minute of the week, each a process with its row in the history; restarts, rotated
logs, questions by command, socket and HTTP, settings taken over. Only time is not: what comes once a day or an hour
(the tidying, old rows of the history) does not come here.
"""

from __future__ import annotations

import sys
import time
from itertools import pairwise

from benchmarks import procs, targets
from benchmarks.ours import Ours
from benchmarks.plan import Plan, say
from benchmarks.report import Figure
from benchmarks.week_load import RUNS_A_SECOND, Activity, OursForAWeek, started

MINUTES = 10_080
TENTHS = 10
BARE = [sys.executable, "-I", "-S", "-c", "pass"]  # how fast the machine is at that moment
PACE_TIMES = 8
WARM_S = 6.0  # first of all, folders are made; then the week begins


class Sample:
    """What each daemon has taken so far, and what there was to do."""

    def __init__(self, ours: OursForAWeek) -> None:
        costs = {role: procs.cost([pid], memory=True) for role, pid in ours.daemons().items()}
        self.cpu_s = sum(cost.cpu_s for role, cost in costs.items() if role != "config")
        self.pss = {role: cost.pss_mib for role, cost in costs.items()}
        self.files = {role: procs.open_files(pid) for role, pid in ours.daemons().items()}
        self.runs = ours.runs_ended()
        self.pace = min(procs.seconds_of(BARE, ours.environment()) for _ in range(PACE_TIMES))


def measure(plan: Plan) -> list[Figure]:
    if plan.of(Ours) is None:
        return []
    seconds = MINUTES // RUNS_A_SECOND // (10 if plan.quick else 1)
    ours = started(plan)
    try:
        say(f"a week in {seconds} s")
        ours.start(ours.servers_in_all)
        ours.wait_for_config()
        time.sleep(WARM_S)
        activity = Activity(ours)
        samples = [_sample(ours)]
        for tenth in range(TENTHS):
            activity.go_on(until=procs.now() + seconds / TENTHS, reload=tenth)
            samples.append(_sample(ours))
        activity.close()
        return _figures(seconds, samples, activity.told(), ours.what_is_wrong())
    finally:
        ours.end()
        procs.reap()


def _sample(ours: OursForAWeek) -> Sample:
    """When the runs of this second have ended, and those of the next are not yet made ready."""
    time.sleep((0.4 - time.time() % 1) % 1)
    return Sample(ours)


def _figures(seconds: int, samples: list[Sample], did: str, wrong: str) -> list[Figure]:
    name = "A week" if seconds * RUNS_A_SECOND >= MINUTES else "A day"
    note = f"one run a minute of it, in {seconds} s: {did}"
    first, last = samples[1], samples[-1]
    title = f"{name}: memory at the end, less that after its first tenth"
    memory = Figure(title, "MiB PSS", key="week.memory", note=note)
    files = Figure(f"{name}: open files at the end, less those after its first tenth", "files", key="week.files")
    for role, pss in last.pss.items():
        grown = max(pss - first.pss[role], 0.0)
        said = f"{first.pss[role]:.1f} -> {pss:.1f} MiB"
        memory.add(f"sbctl {role}", [grown], target=targets.GROWN_MIB[role], note=said, wrong=wrong)
        more = max(last.files[role] - first.files[role], 0)
        files.add(f"sbctl {role}", [more], target=0, note=f"{first.files[role]} -> {last.files[role]}")
    each = [_cpu_a_run(*pair) for pair in pairwise(samples)]
    title = f"{name}: processor time of a run in its last tenth, to that in its first"
    note = (
        "of start and scheduler, with all else that they do meanwhile; less what a bare Python's start has slowed down"
    )
    cpu = Figure(title, "x", key="week.cpu", note=note)
    slower = last.pace / first.pace
    said = f"ms a run in each tenth: {' '.join(f'{one:.2f}' for one in each)}; a bare Python {slower:.2f}x"
    cpu.add("sbctl", [each[-1] / each[0] / slower], target=targets.LATER_RUN, note=said)
    return [memory, files, cpu]


def _cpu_a_run(before: Sample, after: Sample) -> float:
    return (after.cpu_s - before.cpu_s) * 1000 / max(after.runs - before.runs, 1)
