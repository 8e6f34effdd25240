"""Who holds the lock, and do the daemons answer: is there one tree, is it this version, and does its clock beat?"""

from __future__ import annotations

import os

from supervisor import __version__
from supervisor.base import proc
from supervisor.cli.doctor.check import OK, PROBLEM, WARNING, Check
from supervisor.cli.doctor.exam import age_of, is_suspended, stat_of
from supervisor.cli.doctor.services import is_looping
from supervisor.cli.table import duration
from supervisor.cli.unreached import has_another_lock
from supervisor.control.api import SCHEDULER
from supervisor.model.identity import read_home_id
from supervisor.model.lost_id import lost_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.doctor.exam import Exam, Heard
    from supervisor.model.home import Home

BEGINS_S = 5.0  # a daemon of this age has its socket
LATE_BEATS = 3
SLACK_S = 5.0
HAS_ITS_ROWS = ("running", "starting", "stopping")


class LockFacts:
    """The lock, whoever has it, and what `start` says."""

    __slots__ = ("age", "answers", "foreign", "hangs", "holder", "kind", "lost", "pid", "suspended")

    def __init__(self) -> None:
        self.holder: int | None = None
        self.foreign = 0  # a process that is none of ours and has the lock
        self.lost = 0  # a `start` of this home that lives without its lock
        self.age = 0.0
        self.kind = "start"  # or a scheduler that runs alone
        self.answers = False
        self.hangs = False
        self.pid: int | None = None  # of the one that answers
        self.suspended = False


def look(exam: Exam) -> list[Check]:
    if exam.is_elsewhere:
        return [_elsewhere(exam)]
    facts = _lock_facts(exam)
    home = exam.home
    found = [
        judge_lock(facts, home.lock_file),
        *judge_id(read_home_id(home), lost_id(home), home.id_file, runs=exam.start.answers),
    ]
    if facts.lost and (facts.holder or facts.answers):
        found.append(_judge_second(facts.lost))
    if not exam.runs:
        return found
    if exam.start.answers:
        found.append(Check("start", f"answers in {exam.start.took * 1000:.0f} ms, pid {exam.start.pid}"))
    row = exam.row(SCHEDULER)
    if exam.start.answers or exam.scheduler.answers:
        pid = exam.scheduler.pid or (row["pid"] if row else None)
        found.append(judge_scheduler(row, exam.scheduler, suspended=is_suspended(pid)))
    if exam.scheduler.answers:
        found += judge_tick(exam.scheduler.health.get("tick"), exam.scheduler.summary, exam.now)
    said = dict(exam.start.health.get("versions") or {})
    said |= {role: heard.health.get("version") for role, heard in (("start", exam.start), (SCHEDULER, exam.scheduler))}
    found += judge_versions({name: str(version) for name, version in said.items() if version}, __version__)
    return found


def _judge_second(pid: int) -> Check:
    why = "two trees start every service twice; this one has lost its lock and can't be asked"
    what = f"start (pid {pid}) of this home runs beside it"
    return Check("second tree", what, level=PROBLEM, why=why, next=f"ps -o pid,lstart,args -p {pid}; kill {pid}")


def judge_id(known: str, lost: str, where: str, *, runs: bool) -> list[Check]:
    """The mark of all processes of this home; `lost`: it is known from the compiled settings alone."""
    if known or not (lost or runs):
        return []  # also a home that has never run
    why = "it marks every process of this home: without it nobody finds what a kill leaves, and all is started twice"
    next = "sbctl restart" if runs else "sbctl start writes it again"
    if lost and runs:
        next = "sbctl reload writes it again"
    return [Check("home id", "the file is gone or spoilt", level=PROBLEM, where=where, why=why, next=next)]


def _elsewhere(exam: Exam) -> Check:
    pid = exam.start.pid or exam.scheduler.pid
    return Check(
        "lock",
        f"what answers says that it is pid {pid}, which is another process here"
        if pid
        else "somebody has its sockets and does not answer, and no process of it is to be seen here",
        level=WARNING if pid else PROBLEM,
        why="it runs in another PID namespace (a container): processes and PID files can't be judged from here",
        next="run sbctl doctor in there",
    )


def _lock_facts(exam: Exam) -> LockFacts:
    facts = LockFacts()
    facts.holder = exam.holder
    alone = exam.scheduler.answers and exam.scheduler.pid == exam.holder
    heard = exam.scheduler if alone else exam.start
    facts.kind = SCHEDULER if alone else "start"
    facts.answers, facts.hangs, facts.pid = heard.answers, heard.hangs, heard.pid
    facts.lost = next((pid for pid in exam.trees if pid not in (exam.holder, heard.pid)), 0)
    facts.suspended = is_suspended(exam.holder or facts.lost)
    stat = stat_of(exam.holder or facts.lost or None)
    facts.age = age_of(stat.started) if stat is not None else 0.0
    if facts.lost and has_another_lock(facts.lost, exam.home):
        facts.age = max(facts.age, BEGINS_S)  # it had the lock already
    if exam.holder is None:
        if facts.pid is not None and _has_open(facts.pid, place_of(exam.home.lock_file)):
            facts.holder = facts.pid  # where the kernel's list of locks is not to be seen
        else:
            facts.foreign = _foreign_holder(exam.home)
    return facts


def _foreign_holder(home: Home) -> int:
    """One that has the file open and locked, though its command line is not one of ours."""
    place = place_of(home.lock_file)
    try:
        with open("/proc/locks", encoding="ascii") as file:
            lines = [line.split() for line in file]
    except OSError:
        return 0
    inode = str(place[1])
    pids = [int(words[4]) for words in lines if words[1:2] == ["FLOCK"] and words[5].rpartition(":")[2] == inode]
    return next((pid for pid in pids if _has_open(pid, place)), 0)


def place_of(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return -1, -1
    return found.st_dev, found.st_ino


def _has_open(pid: int, place: tuple[int, int]) -> bool:
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            found = os.stat(f"/proc/{pid}/fd/{name}")
            if (found.st_dev, found.st_ino) == place:
                return True
    except OSError:
        return False
    return False


def judge_lock(facts: LockFacts, where: str) -> Check:
    holder = facts.holder
    if holder is None:
        return _judge_free(facts, where)
    if facts.answers and facts.pid == holder:
        alone = ", alone: if it is killed, nobody keeps its services" if facts.kind == SCHEDULER else ""
        return Check("lock", f"held by {facts.kind}, pid {holder}, for {duration(facts.age)}{alone}", where=where)
    if facts.answers:
        return _lock_problem(
            f"pid {holder} holds it, but pid {facts.pid} answers",
            where,
            "two trees would start every service twice",
            f"ps -o pid,ppid,lstart,args -p {holder},{facts.pid}",
        )
    if facts.suspended:
        return _lock_problem(
            f"start (pid {holder}) is suspended, and has held it for {duration(facts.age)}",
            where,
            "nothing is restarted, reaped or answered",
            f"kill -CONT {holder}",
        )
    if facts.hangs:
        return _lock_problem(
            f"start (pid {holder}) holds it and does not answer",
            where,
            "nothing is restarted, and no other start can take its place; its end ends the services gracefully",
            f"kill -KILL {holder}; then: sbctl start",
        )
    if facts.age < BEGINS_S:
        what = f"pid {holder} has just taken it, and does not listen yet"
        return Check("lock", what, level=WARNING, where=where, next="sbctl status")
    return _lock_problem(
        f"start (pid {holder}) runs, but nothing listens in logs/run",
        where,
        "the files through which it is asked were removed or moved while it ran",
        "sbctl stop ends it; then: sbctl start",
    )


def _judge_free(facts: LockFacts, where: str) -> Check:
    if facts.answers:
        return _lock_problem(
            f"start (pid {facts.pid}) runs without it: the lock file was removed or replaced",
            where,
            "a second start would run beside it, and start every service twice",
            "sbctl restart",
        )
    if facts.lost:
        return judge_lost(facts, where)
    if facts.foreign:
        command = proc.command_of(facts.foreign)[:80] or "?"
        return _lock_problem(
            f"held by a process that is not sbctl's: pid {facts.foreign} ({command})",
            where,
            "nothing can be started in this home",
            f"ps -o pid,user,args -p {facts.foreign}",
        )
    return Check("lock", "nobody holds it: sbctl is stopped", where=where)


def judge_lost(facts: LockFacts, where: str) -> Check:
    """It runs, though no file says so."""
    lost = facts.lost
    if facts.age < BEGINS_S and not facts.suspended:
        return Check("lock", f"start (pid {lost}) has just begun", level=WARNING, where=where, next="sbctl status")
    first = f"kill -CONT {lost}; " if facts.suspended else ""
    return _lock_problem(
        f"start (pid {lost}) runs{' (suspended)' if facts.suspended else ''}, but its lock is gone",
        where,
        "the files through which it is asked were removed or moved while it ran; a second one would start all twice",
        f"{first}sbctl stop ends it; then: sbctl start",
    )


def _lock_problem(what: str, where: str, why: str, next: str) -> Check:
    return Check("lock", what, level=PROBLEM, where=where, why=why, next=next)


def judge_scheduler(row: dict[str, Any] | None, heard: Heard, *, suspended: bool) -> Check:
    """`row`: as `start` has it; None of one that runs alone."""
    if heard.answers:
        return Check(SCHEDULER, f"answers in {heard.took * 1000:.0f} ms, pid {heard.pid}")
    state = str(row["state"]) if row else "away"
    pid = row["pid"] if row else None
    why = "its services run on, but nothing is restarted and no schedule runs"
    if row is not None and row["desired"] == "down":
        what = f"is {state}, as somebody wanted it"
        return Check(
            SCHEDULER, what, level=WARNING, why="no service and no schedule runs", next="sbctl start scheduler"
        )
    if suspended:
        what = f"is suspended (pid {pid})"
        next = f"kill -CONT {pid}; else start replaces it once its watchdog time is over"
        return Check(SCHEDULER, what, level=PROBLEM, why=why, next=next)
    if row is not None and is_looping(row):
        what = f"dies again and again ({row['restarts']} restarts)"
        next = "sbctl why scheduler; what it said last is in logs/scheduler.out"
        return Check(SCHEDULER, what, level=PROBLEM, why=why, next=next)
    if state in ("starting", "backoff", "waiting", "stopping"):
        return Check(SCHEDULER, f"is {state}", level=WARNING, why=why, next="sbctl why scheduler")
    what = f"does not answer (pid {pid})" if heard.hangs else f"is {state} and can't be reached"
    return Check(SCHEDULER, what, level=PROBLEM, why=why, next="sbctl restart scheduler")


def judge_tick(tick: dict[str, Any] | None, summary: dict[str, Any], now: float) -> list[Check]:
    """It beats each minute, whatever there is to do."""
    if tick is None:
        return []
    limit = LATE_BEATS * float(tick["every_s"]) + SLACK_S
    at = tick["at"] or summary.get("started") or now
    late = now - float(at)
    if late > limit:
        what = f"the last one was {duration(late)} ago, and one is due each {duration(float(tick['every_s']))}"
        why = "its loop is held up, or the clock was set"
        return [Check("tick", what, level=PROBLEM, why=why, next="sbctl restart scheduler")]
    return [Check("tick", f"{tick['number']} so far, in time")]


def judge_versions(said: dict[str, str], installed: str) -> list[Check]:
    old = {name: version for name, version in said.items() if version != installed}
    if old:
        what = ", ".join(f"{name} runs {version}" for name, version in old.items())
        return [
            Check(
                "version",
                f"{what}; installed is {installed}",
                level=WARNING,
                why="what was mended since then is not in force",
                next="sbctl upgrade, which keeps the servers; or sbctl restart",
            )
        ]
    return [Check("version", installed, level=OK)] if said else []
