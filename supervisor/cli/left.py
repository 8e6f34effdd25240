"""What is still there of a home whose `start` was killed: its daemons and services, on their way out.

Found by the marker in the environment they were started with, as the next `start` would find them; the scheduler,
whose title has taken that place, by its title.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

LOOK_EVERY_S = 0.05
ALONE_S = 1.0  # how long those are waited for whom no scheduler is there to end
NAMED = 5


def left_of(home: Home) -> dict[str, list[int]]:
    """The pids of each service and daemon that is still there, by name."""
    from supervisor.cli.unreached import scheduler_pids
    from supervisor.engine.entries import service_of
    from supervisor.engine.leftovers import find_marked
    from supervisor.model.lost_id import known_id

    mark = known_id(home)
    found: dict[str, list[int]] = {}
    for pid, key in find_marked(mark) if mark else ():
        found.setdefault(service_of(key), []).append(pid)
    if "scheduler" not in found and (pids := scheduler_pids(home)):
        found["scheduler"] = pids
    return dict(sorted(found.items()))


def wait_for_left(home: Home, until: float | None) -> dict[str, list[int]]:
    """Until nobody is left, or that monotonic time; without one as long as a scheduler is there to end them.

    Once another `start` has begun, nobody is: what was left it ends, and what is there it has started.
    """
    from supervisor.cli.quick import lock_holder

    alone_until = time.monotonic() + ALONE_S
    while left := left_of(home):
        if lock_holder(home) is not None:
            return {}
        now = time.monotonic()
        if "scheduler" in left:
            alone_until = now + ALONE_S
        if now >= (alone_until if until is None else until):
            break
        time.sleep(LOOK_EVERY_S)
    return left


def named(left: dict[str, list[int]]) -> str:
    """`web (pid 12), db (pid 13, 14)`; of many the first."""
    some = [f"{name} (pid {', '.join(map(str, pids))})" for name, pids in list(left.items())[:NAMED]]
    more = len(left) - len(some)
    return ", ".join(some) + (f" and {more} more" if more else "")
