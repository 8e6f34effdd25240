"""Files that a kill has left lying: half-written ones, folders of runs nobody has, torn records, undone set-ups."""

from __future__ import annotations

import glob
import os
import re
import shutil
import sys

from supervisor.base.counting import counted
from supervisor.base.errors import Problem
from supervisor.base.files import look_at
from supervisor.base.where import ROOT
from supervisor.cli.doctor import temporaries
from supervisor.cli.doctor.check import PROBLEM, WARNING, Check, all_well
from supervisor.cli.table import size
from supervisor.engine.entries import STEP
from supervisor.engine.leftovers import find_marked
from supervisor.engine.records import unreadable
from supervisor.model.lost_id import known_id
from supervisor.store.reading import open_runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.cli.doctor.exam import Exam
    from supervisor.model.home import Home

WORK = re.compile(r"r[0-9a-z]+|spare-[0-9]")  # that of a run, or one that a killed scheduler kept for the next
WORK_SETTLED_S = 600.0
UNFINISHED = ".sbctl-unfinished"
SHOWN = 3


def look(exam: Exam) -> list[Check]:
    home = exam.home
    found = [
        *judge_temporaries(temporaries.find(home, exam.now)),
        *judge_work([] if exam.is_elsewhere else _work(home, exam.now)),
        *judge_records(unreadable(home.records_file), home.records_file),
        *judge_set_ups(_set_ups(exam.now)),
    ]
    found += [check for path in (home.intent_file, home.journal_file, home.records_file) for check in judge_kind(path)]
    found = all_well(found, "files", "nothing half-done lies about")
    return found + judge_aside(sorted(glob.glob(os.path.join(glob.escape(home.run), "before-restore-*"))))


# half-written files


def judge_temporaries(paths: list[str]) -> list[Check]:
    what = f"{counted(len(paths), 'half-written file')} of a killed command"
    why = "it takes room; what it was to replace is whole"
    return _removable("temporary files", what, paths, why=why, command="rm", mend=_remove)


def _removable(
    name: str, what: str, paths: list[str], *, why: str, command: str, mend: Callable[[list[str]], str]
) -> list[Check]:
    if not paths:
        return []
    next = f"{command} '{paths[0]}'" + (" and the others" if len(paths) > 1 else "")
    where = os.path.dirname(paths[0])
    text = f"{what}: {_some(paths)}"
    return [Check(name, text, level=WARNING, where=where, why=why, next=next, mend=lambda: mend(paths))]


def _some(paths: list[str]) -> str:
    return ", ".join(os.path.basename(path) for path in paths[:SHOWN]) + (", ..." if len(paths) > SHOWN else "")


def _remove(paths: list[str]) -> str:
    for path in paths:
        os.unlink(path)
    return f"removed {', '.join(paths)}"


# folders of runs


def _work(home: Home, now: float) -> list[str]:
    """Those of runs that neither the history nor a live process has; of very young ones nobody can know."""
    found: list[str] = []
    for path in glob.glob(os.path.join(glob.escape(home.logs), "*", "work", "*")):
        try:
            seen = os.lstat(path)
        except OSError:
            continue
        if WORK.fullmatch(os.path.basename(path)) and now - seen.st_mtime > WORK_SETTLED_S and not os.path.islink(path):
            found.append(path)
    if not found:
        return []
    try:
        live = {str(row["id"]) for row in open_runs(home.history_file)}
    except Problem:
        return []  # nobody knows which are whose
    mark = known_id(home)
    live |= (
        {key.removeprefix(STEP).partition("/")[0] for _, key in find_marked(mark) if key.startswith(STEP)}
        if mark
        else set()
    )
    return sorted(path for path in found if os.path.basename(path) not in live)


def judge_work(paths: list[str]) -> list[Check]:
    what = f"{counted(len(paths), 'work folder')} of runs that have ended"
    why = "they take room; a running scheduler removes those that are a day old"
    return _removable("work folders", what, paths, why=why, command="rm -r", mend=_remove_folders)


def _remove_folders(paths: list[str]) -> str:
    for path in paths:
        shutil.rmtree(path)
    return f"removed {', '.join(paths)}"


# records, set-ups


def judge_kind(path: str) -> list[Check]:
    """A FIFO, a device or a folder where a file of ours has to be: what is written there is lost."""
    if not os.path.lexists(path) or os.path.isfile(path):
        return []
    name = os.path.basename(path)
    next = f"look at it, and move it away: mv '{path}' '{path}.odd'; then: sbctl restart"
    why = "sbctl neither reads nor writes what is no file: what it keeps there is lost"
    return [Check(name, "is no regular file", level=PROBLEM, where=path, why=why, next=next)]


def judge_records(torn: int, where: str) -> list[Check]:
    if not torn:
        return []
    what = f"{counted(torn, 'line')} can't be read"
    why = "a kill or a full disk cut it; the process it was about is known by its mark alone"
    return [
        Check("records", what, level=WARNING, where=where, why=why, next="nothing: each sbctl start writes it anew")
    ]


def _set_ups(now: float) -> list[str]:
    places = {sys.prefix, *glob.glob(os.path.join(glob.escape(ROOT), ".venv*"))}
    found = [os.path.join(place, UNFINISHED) for place in sorted(places)]
    return [path for path in found if os.path.isfile(path) and now - os.lstat(path).st_mtime > WORK_SETTLED_S]


def judge_set_ups(marks: list[str]) -> list[Check]:
    return [
        Check(
            "set-up",
            "an environment was left unfinished",
            level=WARNING,
            where=os.path.dirname(mark),
            why="it is used by nobody; what runs has been set up as a whole",
            next="bin/sbctl version makes it again",
        )
        for mark in marks
    ]


def judge_aside(folders: list[str]) -> list[Check]:
    """What `restore` has put there on purpose: told, and nothing wrong."""
    if not folders:
        return []
    taken = sum(look_at(os.path.join(folder, name))[0] for folder in folders for name in temporaries.listed(folder))
    what = f"{counted(len(folders), 'folder')} set aside by restore ({size(taken)} and more)"
    return [Check("set aside", what, where=folders[0])]
