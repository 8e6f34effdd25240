"""Many commands that are due in one second, again and again, in a home under `start`; and the least for as many."""

from __future__ import annotations

import time

from benchmarks import scheduled
from benchmarks.plan import Plan, say
from supervisor.engine.environment import SHIM

EVERY_S = 10


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


def _next() -> int:
    """Waits for the next time at which they are due."""
    time.sleep(EVERY_S - time.time() % EVERY_S)
    return int(time.time()) // EVERY_S * EVERY_S
