"""The logs of runs, and what runs left in their work folders: kept as long as the history knows the run.

Nobody writes to the log of a run that ended a day ago, so unlike the logs of servers these are removed right here.
"""

from __future__ import annotations

import os
import re
import shutil

from supervisor.base.errors import Problem
from supervisor.base.files import remove_quietly
from supervisor.helpers.tidy_plan import Seen
from supervisor.store.asking import ask
from supervisor.store.reading import open_runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SETTLED_S = 86_400.0
LOG = re.compile(r"(r[0-9a-z]+)\.log(\.head|\.1)?$")
WORK = re.compile(r"(r[0-9a-z]+|spare-[0-9])$")  # that of a run, or one that waits for the next (runs/spare.py)


def find_run_logs(folders: Iterable[str], now: float) -> list[Seen]:
    """All that have ended for a while, whatever plugin they are of."""
    found: list[Seen] = []
    for folder in folders:
        for entry in _entries(os.path.join(folder, "runs")):
            if LOG.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                seen = entry.stat(follow_symlinks=False)
                if now - seen.st_mtime > SETTLED_S:
                    found.append(Seen(entry.path, entry.path, 0, seen.st_size, seen.st_ino, seen.st_mtime))
    return found


def forgotten(logs: list[Seen], history: str) -> list[Seen]:
    """Those of runs that are in the history no more. One that can't be read now has not forgotten anything."""
    if not logs:
        return []
    try:
        known = ask(history, lambda db: {str(row[0]) for row in db.execute("SELECT id FROM runs")}, None)
    except Problem:
        return []
    return [] if known is None else [seen for seen in logs if _run_of(seen.name) not in known]


def _run_of(path: str) -> str:
    return os.path.basename(path).partition(".")[0]


def remove_logs(logs: Iterable[Seen]) -> None:
    for seen in logs:
        remove_quietly(seen.name)


def remove_work(folders: Iterable[str], now: float, history: str) -> None:
    """Of runs that died with the machine; not of one that has been going for days."""
    left = [
        entry
        for folder in folders
        for entry in _entries(os.path.join(folder, "work"))
        if WORK.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
    ]
    old = [entry for entry in left if now - entry.stat(follow_symlinks=False).st_mtime > SETTLED_S]
    try:
        live = {row["id"] for row in open_runs(history)} if old else set()
    except Problem:
        return
    for entry in old:
        if entry.name not in live:
            shutil.rmtree(entry.path, ignore_errors=True)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
