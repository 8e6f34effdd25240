"""`logs/history.db`: can it be read, is it whole, how large is it, and what was set aside."""

from __future__ import annotations

import _sqlite3
import glob
import os
import time

from supervisor.base.errors import Problem
from supervisor.base.files import look_at
from supervisor.cli.doctor.check import PROBLEM, WARNING, Check
from supervisor.cli.table import size
from supervisor.store.asking import ask
from supervisor.store.database import MODE
from supervisor.store.spool import SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _sqlite3 import Connection

    from supervisor.cli.doctor.exam import Exam

CHECK_S = 2.0
OFTEN = 20_000  # steps of SQLite between two looks at the clock
WAL_IS_LARGE = 64 << 20  # the writer keeps it at four
WHOLE = "ok"
UNTOLD = "too large to be checked in time"


def look(exam: Exam) -> list[Check]:
    path = exam.home.history_file
    found: list[Check] = []
    if os.path.lexists(path):
        trouble: Problem | None = None
        said = ""
        try:
            said = ask(path, quick_check, WHOLE)
        except Problem as problem:
            trouble = problem
        found += judge_file(trouble, said, look_at(path)[0], path, runs=exam.runs)
        found += judge_wal(look_at(path + "-wal")[0], path + "-wal")
    else:
        found.append(Check("history", "none yet", where=path))
    waiting = look_at(path + SUFFIX)[0]
    found += judge_waiting(waiting, path + SUFFIX, runs=exam.runs)
    aside = [name for word in ("broken", "left") for name in glob.glob(f"{glob.escape(path)}.{word}-*")]
    return found + judge_aside({name: look_at(name)[0] for name in sorted(aside)})


def quick_check(db: Connection) -> str:
    """What SQLite finds wrong, in one line; at most for so long."""
    until = time.monotonic() + CHECK_S
    db.set_progress_handler(lambda: time.monotonic() > until, OFTEN)
    try:
        return str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except _sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) == _sqlite3.SQLITE_INTERRUPT:
            return UNTOLD
        raise
    finally:
        db.set_progress_handler(None, 0)


def judge_file(trouble: Problem | None, said: str, length: int, path: str, *, runs: bool) -> list[Check]:
    why = "runs and slots of the past can't be shown, and what ran last is not known"
    if trouble is not None:
        return [Check("history", trouble.why or trouble.what, level=PROBLEM, where=path, why=why, next=trouble.remedy)]
    if said == UNTOLD:
        return [Check("history", f"{size(length)}; {UNTOLD}", where=path)]
    if said != WHOLE:
        who = "the scheduler sets it aside with its next write; " if runs else ""
        next = f"{who}sbctl restore FILE brings back a backup (of a stopped home)"
        return [Check("history", f"damaged: {said.strip()[:200]}", level=PROBLEM, where=path, why=why, next=next)]
    return [Check("history", f"whole, {size(length)}", where=path), *_judge_mode(path)]


def _judge_mode(path: str) -> list[Check]:
    mode = os.stat(path).st_mode & 0o777
    if mode & ~MODE & 0o007:
        why = "arguments and last words of runs may hold secrets"
        what = f"everybody can read it ({mode:o})"
        return [Check("history", what, level=WARNING, where=path, why=why, next=f"chmod {MODE:o} '{path}'")]
    return []


def judge_wal(length: int, path: str) -> list[Check]:
    if length < WAL_IS_LARGE:
        return []
    why = "some program keeps the history open and reads, so that what is new can't be moved into the file"
    return [
        Check(
            "history", f"{size(length)} wait beside it", level=WARNING, where=path, why=why, next=f"fuser -v '{path}'"
        )
    ]


def judge_waiting(length: int, path: str, *, runs: bool) -> list[Check]:
    """While one runs it is the writer's own affair, and counted with what was lost."""
    if runs or not length:
        return []
    what = f"{size(length)} could not be written before the end, and wait"
    why = "until then those runs are missing in what is shown"
    return [Check("history", what, level=WARNING, where=path, why=why, next="sbctl start writes it first")]


def judge_aside(files: dict[str, int]) -> list[Check]:
    if not files:
        return []
    names = list(files)
    what = f"{len(names)} set aside, {size(sum(files.values()))}: {os.path.basename(names[-1])}"
    why = "one was damaged or removed while in use; what it holds is shown by no command"
    next = f"rm '{names[-1]}'" + (" and the others" if len(names) > 1 else "") + ", once nobody wants to look at it"
    return [Check("history", what, level=WARNING, where=os.path.dirname(names[0]), why=why, next=next)]
