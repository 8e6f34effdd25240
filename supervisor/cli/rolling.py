"""Watching several services being restarted, and telling each step as it is done."""

from __future__ import annotations

import time

from supervisor.base.errors import FAILED, TIMED_OUT, Problem
from supervisor.cli.details import mask_facts
from supervisor.cli.out import show
from supervisor.cli.settling import is_up, what_is_wrong, why_hint
from supervisor.control.api import SCHEDULER
from supervisor.control.client import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home

    Row = dict[str, Any]

EVERY_S = 0.05
ON_THE_WAY = ("starting", "stopping", "waiting")


def watch_steps(home: Home, before: dict[str, str], wait: float, *, quiet: bool = False) -> None:
    """Return when each of these services runs as another process than before.

    A Problem names the one at which the restart stopped, and those that it did not reach. `wait` is the time that
    each of them has.
    """
    done: list[str] = []
    until = time.monotonic() + wait * len(before)
    with connect(home, SCHEDULER) as client:
        while True:
            rows = {row["name"]: row for row in client.request("status")["rows"] if row["name"] in before}
            for name in (name for name in before if name not in done):
                if name in rows and is_new(rows[name], before[name]):
                    done.append(name)
                    if not quiet:
                        show(f"{name} restarted (pid {rows[name]['pid']}), {len(done)} of {len(before)}")
            if len(done) == len(before):
                return
            stuck = _stuck(rows, done)
            if stuck is not None:
                mask_facts(home, [stuck])
                raise _stopped_at(stuck, [name for name in before if name not in done], before)
            if time.monotonic() > until:
                left = [name for name in before if name not in done]
                raise Problem(
                    f"not restarted in time: {', '.join(left)}", remedy=f"sbctl why {left[0]}", code=TIMED_OUT
                )
            time.sleep(EVERY_S)


def is_new(row: Row, old_pid: str) -> bool:
    """Up again; or it has no process of ours that could be another."""
    return is_up(row) and (row["state"] != "running" or str(row["pid"]) != old_pid)


def _stuck(rows: dict[str, Row], done: list[str]) -> Row | None:
    """One that does not come up, once nothing else is on its way."""
    left = [row for name, row in rows.items() if name not in done]
    if any(row["state"] in ON_THE_WAY for row in left):
        return None
    return next((row for row in left if not is_up(row)), None)


def _stopped_at(row: Row, left: list[str], before: dict[str, str]) -> Problem:
    rest = [name for name in left if name != row["name"] and before[name]]
    return Problem(
        f"the restart stopped at {row['name']}, which is {what_is_wrong(row)}",
        why=f"not restarted, and running as before: {', '.join(rest)}" if rest else "it was the last one",
        remedy=f"{why_hint(row)}; then: sbctl restart {' '.join([row['name'], *rest])}",
        code=FAILED,
    )
