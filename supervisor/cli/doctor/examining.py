"""All subjects at once, each in a thread with a time limit: a disk that hangs costs its own lines and nothing else."""

from __future__ import annotations

import threading
import time

from supervisor.base.errors import Problem
from supervisor.cli.doctor import (
    access,
    boot,
    clock,
    counters,
    disk,
    history,
    limits,
    pid_files,
    residue,
    safety,
    services,
    settings,
    strays,
    tree,
)
from supervisor.cli.doctor.check import PROBLEM, WARNING, Check
from supervisor.cli.doctor.exam import Exam

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from supervisor.model.home import Home

    Look = Callable[[Exam], list[Check]]
    Section = tuple[str, list[Check]]

LIMIT_S = 6.0  # for all that is looked at together; the daemons have had their time before

SUBJECTS: tuple[tuple[str, tuple[Look, ...]], ...] = (
    ("tree", (tree.look, services.look)),
    ("safety", (safety.look,)),
    ("leftovers", (strays.look, pid_files.look, residue.look)),
    ("settings", (settings.look, access.look, boot.look)),
    ("disk", (disk.look,)),
    ("history", (history.look, counters.look)),
    ("machine", (clock.look, limits.look)),
)


class Looking:
    """One function in its thread."""

    __slots__ = ("_exam", "_look", "_thread", "checks", "title")

    def __init__(self, title: str, look: Look, exam: Exam) -> None:
        self.title = title
        self.checks: list[Check] | None = None
        self._look = look
        self._exam = exam
        # A daemon: one that hangs in the kernel must not keep the command from ending.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.checks = self._look(self._exam)
        except Problem as problem:
            self.checks = [Check(self.title, problem.what, level=PROBLEM, why=problem.why, next=problem.remedy)]
        except OSError as error:
            what = f"can't be looked at: {error.strerror or error}"
            self.checks = [Check(self.title, what, level=WARNING, where=str(error.filename or ""))]
        except Exception as error:
            what = f"could not be looked at: {type(error).__name__}: {error}"
            next = "please report it; SB_DEBUG=1 before the command shows more of other errors"
            self.checks = [Check(self.title, what, level=WARNING, why="a defect of sbctl", next=next)]

    def result(self, until: float) -> list[Check]:
        self._thread.join(max(until - time.monotonic(), 0.0))
        if self.checks is not None:
            return self.checks
        return [
            Check(
                self.title,
                f"no answer within {LIMIT_S:g} s ({self._look.__module__.rpartition('.')[2]})",
                level=PROBLEM,
                why="a disk, a network file system or a program of the system hangs",
                next="dmesg | tail; ps -eo pid,stat,wchan,args | grep ' D'",
            )
        ]


def examine(home: Home, titles: Container[str] | None = None) -> list[Section]:
    """The checks of each section, in the order in which they are shown; `titles`: of these sections only."""
    exam = Exam(home).look()
    until = time.monotonic() + LIMIT_S
    wanted = [subject for subject in SUBJECTS if titles is None or subject[0] in titles]
    looking = [(title, [Looking(title, look, exam) for look in looks]) for title, looks in wanted]
    found = [(title, [check for each in some for check in each.result(until)]) for title, some in looking]
    for _, checks in found:
        for check in checks:  # they tell of command lines, and of what programs have said
            check.what, check.where = exam.mask.hide_text(check.what), exam.mask.hide_text(check.where)
    return found
