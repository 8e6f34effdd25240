"""PID files that name nobody, or somebody else. They are for people and `pgrep -F`; sbctl itself never trusts one."""

from __future__ import annotations

import glob
import os
import re

from supervisor.base import proc
from supervisor.base.errors import Problem
from supervisor.base.files import read_pid_file, write_pid_file
from supervisor.cli.doctor.check import PROBLEM, WARNING, Check, all_well
from supervisor.cli.doctor.exam import age_of, stat_of
from supervisor.model.lost_id import known_id
from supervisor.model.service import CORE_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.cli.doctor.exam import Exam
    from supervisor.model.home import Home

SERVER = re.compile(r"server(-[1-9]\d{0,3})?\.pid")  # any other name is a program's own file
SETTLED_S = 5.0
WHY = "who signals by it meets a stranger, or nobody"


class Named:
    """A PID file and what it should say."""

    __slots__ = ("is_ours", "name", "path", "right", "said", "stranger")

    def __init__(
        self, name: str, path: str, said: int | None, right: int | None, *, is_ours: bool = False, stranger: str = ""
    ) -> None:
        self.name = name
        self.path = path
        self.said = said  # None: no number
        self.right = right  # the pid of the service; None: it does not run
        self.is_ours = is_ours  # a live process of this home has that pid: it was written since, or is left over
        self.stranger = stranger  # the command of somebody else's process that has it


def look(exam: Exam) -> list[Check]:
    if exam.is_elsewhere:
        return []
    if not exam.start.answers and exam.scheduler.pid != exam.holder:
        return []  # nobody can tell which are right: a start that hangs, or a scheduler that is on its way out
    if exam.trees and not exam.start.answers and not exam.scheduler.answers:
        return []
    return all_well(judge(_find(exam), runs=exam.runs), "PID files", "each names the process it is for")


def _find(exam: Exam) -> list[Named]:
    home = exam.home
    right: dict[str, int | None] = {}
    files = {"start": home.pid_file("start"), **{name: home.pid_file(name) for name in CORE_NAMES}}
    right["start"] = exam.start.pid
    knows_servers = exam.scheduler.answers or not exam.runs
    for row in exam.rows:
        right[str(row["name"])] = row["pid"]
        if row["kind"] == "plugin" and row["state"] != "external":
            files[str(row["name"])] = home.server_pid(str(row["plugin"]), row["instance"] or 0)
    if exam.scheduler.answers:
        right["scheduler"] = exam.scheduler.pid
    if knows_servers:
        known = set(files.values())
        for path in glob.glob(os.path.join(glob.escape(home.logs), "*", "server*.pid")):
            if path not in known and SERVER.fullmatch(os.path.basename(path)):
                files[os.path.relpath(path, home.logs)] = path
    return [
        _look_at(home, name, path, right.get(name))
        for name, path in files.items()
        if os.path.lexists(path) or is_settled(right.get(name))
    ]


def is_settled(pid: int | None) -> bool:
    """Does it run for so long that its file must be there?"""
    stat = stat_of(pid)
    return stat is not None and not stat.is_zombie and age_of(stat.started) > SETTLED_S


def _look_at(home: Home, name: str, path: str, right: int | None) -> Named:
    said = read_pid_file(path)
    if said is None or said == right or not proc.is_alive(said):
        return Named(name, path, said, right)
    ours = is_ours(home, said)
    return Named(name, path, said, right, is_ours=ours, stranger="" if ours else proc.command_of(said)[:60] or "?")


def is_ours(home: Home, pid: int) -> bool:
    mark = known_id(home)
    if mark and proc.environment_of(pid).get(b"SB_HOME_ID") == os.fsencode(mark):
        return True
    words = proc.words_of(pid)
    return bool(words) and words[0].startswith(b"sbctl: ") and words[0].endswith(os.fsencode(home.path))


def judge(files: list[Named], *, runs: bool) -> list[Check]:
    found: list[Check] = []
    for file in files:
        if file.said is not None and (file.said == file.right or file.is_ours):
            continue  # one of ours that should not be there is told of as what it is
        killed = file.name == "start" and not runs
        found.append(
            Check(
                f"{file.name}.pid" if os.sep not in file.name else file.name,
                _what(file) + ("; sbctl was killed" if killed else ""),
                level=PROBLEM if killed else WARNING,
                where=file.path,
                why=WHY,
                next=_next(file, killed=killed),
                mend=lambda file=file: _mend(file),  # type: ignore[misc]
            )
        )
    return found


def _what(file: Named) -> str:
    if not os.path.lexists(file.path):
        return f"is gone, and {file.name} is {file.right}"
    if not os.path.isfile(file.path):
        return "is no file"
    if file.said is None:
        return "holds no pid"
    if file.right is not None:
        return f"says {file.said}, but {file.name} is {file.right}"
    if file.stranger:
        return f"names pid {file.said}, which is none of ours now: {file.stranger}"
    return f"names pid {file.said}, which is gone"


def _next(file: Named, *, killed: bool) -> str:
    if killed:
        return "sbctl start; or only: sbctl doctor --fix"
    return "sbctl doctor --fix writes it anew" if file.right is not None else f"rm '{file.path}'"


def _mend(file: Named) -> str:
    """If it still says the same: whoever has written it meanwhile knows better."""
    if read_pid_file(file.path) != file.said or (file.right is not None and not proc.is_alive(file.right)):
        raise Problem(f"{file.path} was written anew meanwhile", remedy="sbctl doctor")
    if file.right is not None:
        write_pid_file(file.path, file.right)
        return f"{file.path} says {file.right} now"
    if os.path.isdir(file.path) and not os.path.islink(file.path):
        raise Problem(f"{file.path} is a folder", remedy="look at it, and remove it yourself")
    os.unlink(file.path)
    return f"removed {file.path}, which named pid {file.said or '?'}"
