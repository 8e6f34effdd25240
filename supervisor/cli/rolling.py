"""Watching several services being restarted, and telling each step as it is done."""

from __future__ import annotations

import time

from supervisor.base.errors import FAILED, NOT_RUNNING, TIMED_OUT, Problem
from supervisor.cli.details import mask_facts
from supervisor.cli.out import note, show
from supervisor.cli.reaching import reach
from supervisor.cli.settling import is_up, what_is_up, what_is_wrong, why_hint
from supervisor.control.api import SCHEDULER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.control.client import Client
    from supervisor.model.home import Home

    Row = dict[str, Any]

EVERY_S = 0.05
STILL_S = 0.25  # between one that is done and the next nothing is on its way, for a moment
FORGOTTEN_S = 2.0  # after which one that is down and not on its way will not get its turn any more
ON_THE_WAY = ("starting", "stopping", "waiting")


def watch_steps(home: Home, before: dict[str, str], wait: float, *, quiet: bool = False) -> list[str]:
    """Return when each of these services runs as another process than before: those that were left out.

    Left out is whom somebody has stopped, disabled or removed meanwhile. A Problem names the one at which the restart
    stopped, and those that it did not reach. `wait` is the time that each of them has. A scheduler that is replaced
    meanwhile goes on with the restart, so it is waited for.
    """
    steps = _Steps(home, before, wait, quiet=quiet)
    try:
        return reach(home, SCHEDULER, steps.follow)
    except Problem as problem:
        if problem.code == NOT_RUNNING:
            problem.why = f"the restart goes on when it is back; not restarted yet: {', '.join(steps.left())}"
            problem.remedy = "sbctl why scheduler; sbctl status"
        raise


class _Steps:
    """How far it has come; kept over the end of a scheduler."""

    def __init__(self, home: Home, before: dict[str, str], wait: float, *, quiet: bool) -> None:
        self._home = home
        self._before = before
        self._quiet = quiet
        self._until = time.monotonic() + wait * len(before)
        self._still = 0.0  # since when nothing is on its way; 0: something is
        self._wanted = {name for name, pid in before.items() if pid}  # were to run at some time
        self._done: list[str] = []
        self._out: list[str] = []

    def follow(self, client: Client) -> list[str]:
        while True:
            answer = client.request("status")
            rows = {row["name"]: row for row in answer["rows"] if row["name"] in self._before}
            self._take(rows, answer["summary"]["settle_s"])
            if not self.left():
                return self._out
            self._refuse_end(rows)
            if time.monotonic() > self._until:
                left = self.left()
                raise Problem(
                    f"not restarted in time: {', '.join(left)}", remedy=f"sbctl why {left[0]}", code=TIMED_OUT
                )
            time.sleep(EVERY_S)

    def left(self) -> list[str]:
        return [name for name in self._before if name not in self._done and name not in self._out]

    def _take(self, rows: dict[str, Row], settle: float) -> None:
        """What each of them has become since the last look."""
        moves = any(row["state"] in ON_THE_WAY for row in rows.values())
        for name in self.left():
            row = rows.get(name)
            if row is None:
                self._leave_out(name, "removed")
            elif is_new(row, self._before[name], settle):
                self._done.append(name)
                if not self._quiet:
                    is_ours = row["state"] == "running"
                    what = f"{name} restarted (pid {row['pid']})" if is_ours else what_is_up(row, already=False)
                    show(f"{what}, {len(self._done)} of {len(self._before)}")
            elif row["desired"] == "up":
                self._wanted.add(name)
                moves = moves or (is_up(row) and str(row["pid"]) != self._before[name])
            elif name in self._wanted or self._is_still(FORGOTTEN_S):
                self._leave_out(name, "disabled" if row["detail"] == "disabled" else "stopped")
        self._still = 0.0 if moves else self._still or time.monotonic()

    def _leave_out(self, name: str, how: str) -> None:
        self._out.append(name)
        note(f"{name} is left out: it has been {how} meanwhile")

    def _is_still(self, seconds: float) -> bool:
        return bool(self._still) and time.monotonic() - self._still > seconds

    def _refuse_end(self, rows: dict[str, Row]) -> None:
        """One that is not up, once nothing is on its way, is where it ended; also if it was up again for a moment."""
        wrong = [row for name, row in rows.items() if name not in self._out and not is_up(row)]
        wrong = [row for row in wrong if row["desired"] == "up"]
        if not wrong or not self._is_still(STILL_S):
            return
        mask_facts(self._home, wrong)
        running = {name for name in self.left() if (pid := self._before[name]) and str(rows[name]["pid"]) == pid}
        raise _ended_at(wrong, [name for name in self._before if name in running], self._renewed(rows))

    def _renewed(self, rows: dict[str, Row]) -> list[str]:
        return [name for name, row in rows.items() if is_up(row) and str(row["pid"] or "") != self._before[name]]


def is_new(row: Row, old_pid: str, settle: float) -> bool:
    """Up again, and for as long as the daemon itself wants to see it; or it has no process that could be another."""
    if row["state"] != "running":
        return is_up(row)
    has_settled = row["ready"] is True or (row["uptime_s"] or 0.0) >= settle
    return is_up(row) and str(row["pid"]) != old_pid and has_settled


def _ended_at(wrong: list[Row], rest: list[str], renewed: list[str]) -> Problem:
    """`rest`: running as before."""
    row = wrong[0]
    again = f"{why_hint(row)}; then: sbctl restart {' '.join([*(one['name'] for one in wrong), *rest])}"
    if rest:
        what = f"the restart stopped at {row['name']}, which is {what_is_wrong(row)}"
        return Problem(what, why=f"not restarted, and running as before: {', '.join(rest)}", remedy=again, code=FAILED)
    what = "; ".join(f"{one['name']} did not come up again: {what_is_wrong(one)}" for one in wrong)
    return Problem(what, why=f"restarted: {', '.join(renewed)}" if renewed else "", remedy=again, code=FAILED)
