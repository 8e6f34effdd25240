"""`tidy`: packs rotated logs and works out which must go; a short-lived child of low priority, off every loop.

It only prepares. Packed copies are written to temporaries beside their originals, and the plan names files by inode:
whoever started us does the renames, because it may rotate the same logs meanwhile. It reads the plan from our output,
of which it keeps so many bytes: nothing is written on a disk that may be full. Killed at any line this leaves nothing
but temporaries, which the next one removes.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import re
import shutil
import sys
import time
from typing import Any, BinaryIO, cast

from supervisor.base.files import lock_folder, look_at, remove_quietly
from supervisor.base.rotation import index_of, rotated
from supervisor.helpers.tidy_plan import Group, Plan, Rules, Seen, first_pass, over_budget
from supervisor.helpers.tidy_runs import find_run_logs, forgotten, remove_logs, remove_work
from supervisor.model.home import Home
from supervisor.model.service import CORE_NAMES

NICE = 19
PATIENCE_S = 60.0  # after that the rest is left for the next time
SETTLED_S = 2 * 86400.0  # a day's log younger than that may still be followed
CHUNK = 1 << 20
SMALL = 500  # bytes of a plan without steps
TEMPORARY = ".packing"
OLDER = re.compile(r"(\.\d+)?(\.gz)?$")
STRAY = re.compile(r"server(-\d+)?(\.err|\.commands)?\.log$")  # also of services that are in no settings any more
DAY = re.compile(r"\d{4}-\d\d-\d\d\.log(\.gz)?$")


def main(argv: list[str]) -> int:
    if len(argv) != 2 or not argv[1].isdigit():
        sys.stderr.write("usage: tidy HOME BYTES\n")
        return 2
    os.nice(NICE)
    home = Home(argv[0])
    try:
        lock = lock_folder(home.run)
        if lock is None:
            sys.stdout.write("another one is at it\n")
            return 0
        answer = prepare(home, time.time(), int(argv[1]))
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        sys.stdout.write(f"{error.strerror or error}{where}\n")
        return 1
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


def prepare(home: Home, now: float, room: int = 1 << 20) -> dict[str, Any]:
    """Pack what is to be packed, and say what is to be done with which file, in so many bytes."""
    compiled = _compiled(home)
    folders = _folders(home)
    for folder in (*folders, home.daily_folder):
        _remove_temporaries(folder)
    groups = find_groups(home, compiled["services"], now, folders)
    run_logs = find_run_logs(folders, now)
    old = forgotten(run_logs, home.history_file)
    groups.append(Group([seen for seen in run_logs if seen not in old], may_pack=False))
    remove_work(folders, now, home.history_file)
    settings = compiled.get("logs") or {}
    rules = Rules(
        gzip=bool(settings.get("gzip", True)),
        keep_age=float(settings.get("keep_age") or 0),
        total_budget=int(settings.get("total_budget") or 0),
    )
    plan = first_pass(groups, rules, now)
    packed, trouble = _pack_all(plan)
    gone = plan.remove + over_budget(groups, rules)
    runs = [*old, *(seen for seen in gone if seen in run_logs)]
    remove_logs(runs)
    gone = [seen for seen in gone if seen not in runs]
    steps = [_step("remove", seen) for seen in gone]
    for seen, temporary in packed:
        if seen in gone:
            remove_quietly(temporary)
        else:
            steps.append({**_step("pack", seen), "temporary": temporary})
    steps = _fitting(steps, room - SMALL)
    gone = gone[: sum(step["do"] == "remove" for step in steps)]
    freed = sum(seen.size for seen in (*gone, *runs))
    return {"steps": steps, "removed": len(gone) + len(runs), "freed": freed, "trouble": trouble}


def _step(do: str, seen: Seen) -> dict[str, Any]:
    return {"do": do, "log": seen.log, "number": seen.number, "inode": seen.inode}


def _fitting(steps: list[dict[str, Any]], room: int) -> list[dict[str, Any]]:
    """The first so many; the rest is left for the next time."""
    for number, step in enumerate(steps):
        room -= len(json.dumps(step)) + len(", ")
        if room < 0:
            for left in steps[number:]:
                remove_quietly(left.get("temporary", ""))
            return steps[:number]
    return steps


def _compiled(home: Home) -> dict[str, Any]:
    """What the scheduler runs by; without it only what lies there is known."""
    try:
        with open(home.compiled_file("scheduler"), "rb") as file:
            return cast("dict[str, Any]", json.load(file))
    except (OSError, ValueError):
        return {"services": []}


# what there is


def _folders(home: Home) -> list[str]:
    """One for the logs of each plugin."""
    with os.scandir(home.logs) as entries:
        return [
            entry.path
            for entry in entries
            if entry.is_dir(follow_symlinks=False) and entry.name not in ("run", "scheduler")
        ]


def find_groups(home: Home, services: list[dict[str, Any]], now: float, folders: list[str]) -> list[Group]:
    groups: list[Group] = []
    known: set[str] = set()
    for service in services:
        launch = service["launch"]
        commands = launch["log"].removesuffix(".log") + ".commands.log"
        logs = [log for log in (launch["log"], launch["err_log"], commands) if log]
        known.update(logs)
        streams = 2 if launch["err_log"] else 1
        groups.append(
            _group(logs, keep=launch["log_keep"], budget=launch["log_budget"], reserve=streams * launch["log_max"])
        )
    groups.append(_group([home.provider_log]))
    groups += [_group([log]) for log in _strays(folders) if log not in known]
    # Read by their own readers, which know the plain form only.
    plain = [home.journal_file, home.start_log, *(home.out_file(role) for role in CORE_NAMES)]
    groups += [_group([log], may_pack=False) for log in plain]
    groups.append(_days(home.daily_folder, now))
    return groups


def _group(logs: list[str], *, keep: int = 0, budget: int = 0, reserve: int = 0, may_pack: bool = True) -> Group:
    files = [
        Seen(log, each.name, each.number, each.size + look_at(index_of(each.name))[0], each.inode, each.mtime)
        for log in logs
        for each in rotated(log)
    ]
    current = sum(look_at(log)[0] for log in logs)
    return Group(files, current, reserve if budget else 0, keep, budget, may_pack)


def _strays(folders: list[str]) -> list[str]:
    """Logs of servers by their names, also where only older files are left."""
    found: set[str] = set()
    for folder in folders:
        for name in _names(folder):
            plain = OLDER.sub("", name)
            if STRAY.match(plain):
                found.add(os.path.join(folder, plain))
    return sorted(found)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _days(folder: str, now: float) -> Group:
    """The daily log: what is no longer written or followed."""
    group = Group([])
    for name in sorted(name for name in _names(folder) if DAY.match(name)):
        path = os.path.join(folder, name)
        found = os.stat(path, follow_symlinks=False)
        if now - found.st_mtime < SETTLED_S and not name.endswith(".gz"):
            group.current += found.st_size
        else:
            group.files.append(Seen(path, path, 0, found.st_size, found.st_ino, found.st_mtime))
    return group


# packing


def _pack_all(plan: Plan) -> tuple[list[tuple[Seen, str]], str]:
    """Each file with its packed temporary, and what was in the way of the rest."""
    end = time.monotonic() + PATIENCE_S
    packed: list[tuple[Seen, str]] = []
    for seen in plan.pack:
        if time.monotonic() >= end:
            break
        temporary = os.path.join(os.path.dirname(seen.name), f".{os.path.basename(seen.log)}.{seen.inode}{TEMPORARY}")
        try:
            seen.size += pack(seen, temporary)
        except FileNotFoundError:
            continue  # it was moved on or removed: next time
        except OSError as error:
            return packed, f"{error.strerror or error}"
        packed.append((seen, temporary))
    return packed, ""


def pack(seen: Seen, temporary: str) -> int:
    """Write the packed copy, whole and on the disk; returns by how much it is smaller (as a negative number)."""
    fd = os.open(seen.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb") as source:
        before = os.fstat(fd)
        if before.st_ino != seen.inode:
            raise FileNotFoundError(errno.ENOENT, "another file has the name now", seen.name)
        try:
            with open(temporary, "xb", opener=_opener) as target:
                _copy(source, target, before)
                os.fchmod(target.fileno(), before.st_mode & 0o777)
                os.utime(target.fileno(), ns=(before.st_atime_ns, before.st_mtime_ns))
                os.fsync(target.fileno())
                return os.fstat(target.fileno()).st_size - before.st_size
        except OSError:
            remove_quietly(temporary)
            raise


def _copy(source: BinaryIO, target: BinaryIO, before: os.stat_result) -> None:
    with gzip.GzipFile("", "wb", 6, target, mtime=before.st_mtime) as packed:
        shutil.copyfileobj(source, packed, CHUNK)
    if source.tell() != before.st_size:
        raise FileNotFoundError(errno.ENOENT, "somebody writes into it")
    target.flush()


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _remove_temporaries(folder: str) -> None:
    for name in _names(folder):
        if name.startswith(".") and name.endswith(TEMPORARY):
            remove_quietly(os.path.join(folder, name))
