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
            answer = client.request("status")
            settle = answer["summary"]["settle_s"]
            rows = {row["name"]: row for row in answer["rows"] if row["name"] in before}
            for name in (name for name in before if name not in done):
                if name in rows and is_new(rows[name], before[name], settle):
                    done.append(name)
                    if not quiet:
                        show(f"{name} restarted (pid {rows[name]['pid']}), {len(done)} of {len(before)}")
            if len(done) == len(before):
                return
            stuck = _stuck(rows)
            if stuck is not None:
                mask_facts(home, [stuck])
                raise _stopped_at(stuck, [name for name in before if name not in done], before)
            if time.monotonic() > until:
                left = [name for name in before if name not in done]
                raise Problem(
                    f"not restarted in time: {', '.join(left)}", remedy=f"sbctl why {left[0]}", code=TIMED_OUT
                )
            time.sleep(EVERY_S)


def is_new(row: Row, old_pid: str, settle: float) -> bool:
    """Up again, and for as long as the daemon itself wants to see it; or it has no process that could be another."""
    if row["state"] != "running":
        return is_up(row)
    has_settled = row["ready"] is True or (row["uptime_s"] or 0.0) >= settle
    return is_up(row) and str(row["pid"]) != old_pid and has_settled


def _stuck(rows: dict[str, Row]) -> Row | None:
    """One that is not up, once nothing is on its way; also one that was up again for a moment."""
    if any(row["state"] in ON_THE_WAY for row in rows.values()):
        return None
    return next((row for row in rows.values() if not is_up(row)), None)


def _stopped_at(row: Row, left: list[str], before: dict[str, str]) -> Problem:
    rest = [name for name in left if name != row["name"] and before[name]]
    return Problem(
        f"the restart stopped at {row['name']}, which is {what_is_wrong(row)}",
        why=f"not restarted, and running as before: {', '.join(rest)}" if rest else "it was the last one",
        remedy=f"{why_hint(row)}; then: sbctl restart {' '.join([row['name'], *rest])}",
        code=FAILED,
    )
