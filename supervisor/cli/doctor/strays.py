"""Processes with this home's marker that belong to no running tree: who they are, and how `--fix` ends them.

One is never ended because of its pid: it is held by a pidfd whose start time was compared, and what a tree that runs
has begun is left alone, whatever it looks like.
"""

from __future__ import annotations

import os

from supervisor.base import proc, procstat
from supervisor.base.clock import SystemClock
from supervisor.base.errors import Problem
from supervisor.base.loop import Loop
from supervisor.cli import quick
from supervisor.cli.doctor.check import PROBLEM, WARNING, Check
from supervisor.cli.doctor.exam import age_of, descends, is_suspended, stat_of
from supervisor.cli.table import duration
from supervisor.cli.unreached import scheduler_pids, trees_of
from supervisor.engine.entries import name_of
from supervisor.engine.leftovers import Ending, Left, find_left, find_marked
from supervisor.engine.records import read_records
from supervisor.model.lost_id import known_id
from supervisor.model.service import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.cli.doctor.exam import Exam
    from supervisor.model.home import Home

WHY = "what it does is done twice once its service is started again: it holds ports, files and locks"
TREES_ARE = "those of a tree that runs"


class Stray:
    """One process, and what is known of it."""

    __slots__ = ("age", "command", "is_older", "name", "pid", "started")

    def __init__(self, pid: int, started: int, name: str, command: str, *, age: float, is_older: bool) -> None:
        self.pid = pid
        self.started = started
        self.name = name  # of the service that it was begun for
        self.command = command
        self.age = age
        self.is_older = is_older  # than the tree that runs; true where none does


def look(exam: Exam) -> list[Check]:
    if exam.is_elsewhere:
        return []
    home, tops = exam.home, exam.tops
    if not tops:
        ending = [pid for pid in exam.schedulers if not is_suspended(pid)]
        if ending:
            return [judge_ending(ending)]
    found = _find(home, tops)
    mendable = [stray for stray in found if stray.is_older]
    is_known = not tops or exam.start.answers or exam.scheduler.answers  # beside a tree that hangs nothing is ended
    mend = (lambda: _end(home, mendable, tops)) if mendable and is_known else None
    return judge(found, runs=bool(tops), mend_it=mend)


def _is_below(pid: int, tops: list[int]) -> bool:
    return any(descends(pid, top) for top in tops)


def _find(home: Home, tops: list[int]) -> list[Stray]:
    mark = known_id(home)
    known = dict(find_marked(mark)) if mark else {}
    if not tops:
        records = read_records(home.records_file, proc.boot_id(), mark) if mark else []
        alive = [record for record in records if proc.is_alive(record.pid, record.started)]
        known |= {record.pid: record.key for record in alive}
        known |= dict.fromkeys((pid for pid in scheduler_pids(home)), "scheduler.0")
    trees = [stat for top in tops if (stat := stat_of(top)) is not None]
    found: list[Stray] = []
    for pid, key in sorted(known.items()):
        stat = procstat.stat_of(pid)
        if stat is None or stat.is_zombie or _is_below(pid, tops):
            continue
        older = all(stat.started < tree.started for tree in trees)
        name = name_of(key) or "?"
        command = proc.command_of(pid)[:80]
        found.append(Stray(pid, stat.started, name, command, age=age_of(stat.started), is_older=older))
    return found


def judge_ending(schedulers: list[int]) -> Check:
    pids = ", ".join(map(str, schedulers))
    what = f"start was killed; its scheduler (pid {pids}) is ending what it managed"
    return Check("leftovers", what, level=WARNING, next="sbctl stop waits for that; sbctl start does, too")


def judge(found: list[Stray], *, runs: bool, mend_it: object = None) -> list[Check]:
    if not found:
        return [Check("leftovers", "no process of an earlier life" if runs else "no process is left of this home")]
    older = [stray for stray in found if stray.is_older]
    checks: list[Check] = []
    if older:
        next = "sbctl doctor --fix ends them" + ("" if runs else "; so does sbctl start")
        if mend_it is None:
            next = "mend the tree first, then: sbctl doctor --fix"
        checks.append(
            Check(
                "leftovers",
                f"left of an earlier life, below no tree that runs: {_named(older)}",
                level=PROBLEM,
                where=_where(older),
                why=WHY,
                next=next,
                mend=mend_it if callable(mend_it) else None,
            )
        )
    younger = [stray for stray in found if not stray.is_older]
    if younger:
        next = f"look at it, and end it yourself: ps -o pid,ppid,lstart,args -p {','.join(str(s.pid) for s in younger)}"
        what = f"marked as this tree's, but not below it: {_named(younger)}"
        why = "it may have been begun by hand out of a service's shell; a stop of the service may not reach it"
        checks.append(Check("leftovers", what, level=WARNING, where=_where(younger), why=why, next=next))
    return checks


def _named(strays: list[Stray]) -> str:
    return ", ".join(f"{stray.name} (pid {stray.pid}, {duration(stray.age)} old)" for stray in strays[:5]) + (
        f" and {len(strays) - 5} more" if len(strays) > 5 else ""
    )


def _where(strays: list[Stray]) -> str:
    return "; ".join(stray.command for stray in strays[:3])


def _end(home: Home, strays: list[Stray], tops: list[int]) -> str:
    """SIGTERM, each one's grace, SIGKILL; and only those that were seen, if nothing has begun meanwhile."""
    if not tops and (quick.lock_holder(home) is not None or trees_of(home)):
        raise Problem("a start has begun meanwhile: it ends them itself", remedy="sbctl status")
    lefts = _held(home, strays, tops)
    loop = Loop(SystemClock(), _report)
    try:
        Ending(loop, lefts, loop.stop).begin()
        loop.run()
    finally:
        loop.close()
    ended = ", ".join(f"{stray.name} (pid {stray.pid})" for stray in strays)
    return f"ended what was left over: {ended}"


def _held(home: Home, strays: list[Stray], tops: list[int]) -> list[Left]:
    """Each by a pidfd, with the grace that its record has."""
    wanted = {(stray.pid, stray.started): stray for stray in strays}
    mark = known_id(home)
    records = read_records(home.records_file, proc.boot_id(), mark) if not tops else []
    lefts: list[Left] = []
    for left in find_left(records, mark, Policy().stop) if mark else []:
        if wanted.pop((left.pid, left.started), None) is None or _is_below(left.pid, tops):
            os.close(left.pidfd)
        else:
            lefts.append(left)
    for pid, started in wanted:  # known by its title alone
        pidfd = proc.open_pidfd(pid, started)
        if pidfd is not None:
            lefts.append(Left(wanted[pid, started].name, pid, started, pidfd, Policy().stop))
    return lefts


def _report(error: BaseException) -> None:
    raise error
