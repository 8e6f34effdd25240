"""Many commands that are due in one second, again and again, in a home under `start`; and the least for as many."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks import scheduled
from benchmarks.plan import Plan, say
from supervisor.engine.environment import SHIM

EVERY_S = 10
APART_S = 3  # from one home's to the next one's; a minute must be so many cycles


def take(plan: Plan, count: int, turns: int) -> tuple[scheduled.Rounds, list[float], list[float]]:
    """Our rounds, and the seconds of a bare posix_spawn loop without and with a shell, taken in between.

    The first time makes folders and does not count, if all of it was done.
    """
    ours = scheduled.started(plan)
    scheduled.all_at(ours, count, {"cron": f"*/{EVERY_S} * * * * *", "seconds": True})
    ours.prepare(f"commands-{count}", {})
    home = ours.compile()
    shell = ["/bin/sh", "-c", SHIM, "sbctl", 1024, "/tmp", *scheduled.COMMAND]
    limits: list[tuple[float, float]] = []
    try:
        scheduled.start(ours)
        first = last = _next()
        for turn in range(turns + 1):
            say(f"{count} commands due at once, round {turn} of {turns}")
            time.sleep(EVERY_S * 0.5)
            both = [float(scheduled.child("commands.py", count, *argv)) for argv in (scheduled.COMMAND, shell)]
            limits.append((both[0], both[1]))
            last = _next()
        time.sleep(EVERY_S * 0.5)
        bare, through_shell = zip(*limits, strict=True)
        rounds = scheduled.rounds_of(home, count, range(first, last + 1, EVERY_S))
        counted = [one for one in rounds.whole if one.nominal > first]
        return rounds._replace(whole=counted), list(bare), list(through_shell)
    finally:
        ours.end()


def side_by_side(plan: Plan, counts: Sequence[int], turns: int) -> dict[int, scheduled.Rounds]:
    """Our rounds with so many each, in homes that run at the same time and are due in turns: what else the machine
    does, or how fast it is just now, meets all of them.
    """
    homes = [_Home(plan, count, number * APART_S, len(counts) * APART_S) for number, count in enumerate(counts)]
    try:
        for home in homes:
            scheduled.start(home.ours)
        cycle = len(homes) * APART_S
        first = _next(cycle)
        say(f"{', '.join(map(str, counts))} commands due at once, in turns, {turns + 1} times")
        time.sleep(cycle * (turns + 1))
        return {each.count: each.rounds(first + cycle, turns) for each in homes}
    finally:
        for home in homes:
            home.ours.end()


class _Home:
    """One of those, due so many seconds after each beginning of a cycle."""

    def __init__(self, plan: Plan, count: int, offset: int, cycle: int) -> None:
        self.count = count
        self.offset = offset
        self.cycle = cycle
        self.ours = scheduled.started(plan)
        seconds = ",".join(str(second) for second in range(offset, 60, cycle))
        scheduled.all_at(self.ours, count, {"cron": f"{seconds} * * * * *", "seconds": True})
        self.ours.prepare(f"commands-{count}", {})
        self.home = self.ours.compile()

    def rounds(self, first: int, turns: int) -> scheduled.Rounds:
        """Without those of the cycle before `first`, which made folders."""
        begin = first + self.offset
        return scheduled.rounds_of(self.home, self.count, range(begin, begin + self.cycle * turns, self.cycle))


def _next(every: int = EVERY_S) -> int:
    """Waits for the next time at which they are due."""
    time.sleep(every - time.time() % every)
    return int(time.time()) // every * every
