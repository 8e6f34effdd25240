"""Room, inodes, and whether logs can be written the way that loses no line (splice)."""

from __future__ import annotations

import errno
import os

from supervisor.base.files import remove_quietly
from supervisor.cli.doctor.check import OK, PROBLEM, WARNING, Check
from supervisor.cli.table import size
from supervisor.engine.local_disk import TABLE, kinds
from supervisor.model.rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.cli.doctor.exam import Exam
    from supervisor.model.home import Home

LEAST_FREE = 16 << 20  # bytes: less is a problem
LOW_FREE = 1 << 30
LOW_SHARE = 20  # the twentieth part
LEAST_INODES = 1000
ELSEWHERE = ("9p", "afs", "ceph", "cifs", "nfs", "nfs4", "smb3", "virtiofs")
MAX_FILES = 100_000
TRIED = b"sbctl doctor\n"


class Room:
    """One file system, as far as it matters here."""

    __slots__ = ("files", "free", "inodes", "kind", "read_only", "size", "where")

    def __init__(
        self, where: str, kind: str, *, size: int, free: int, files: int, inodes: int, read_only: bool
    ) -> None:
        self.where = where
        self.kind = kind
        self.size = size
        self.free = free
        self.files = files  # inodes it has in all; 0: it does not count them
        self.inodes = inodes  # ... and those that are free
        self.read_only = read_only


def look(exam: Exam) -> list[Check]:
    home = exam.home
    found: list[Check] = []
    for room in _rooms([home.path, home.etc, home.logs, home.run]):
        found += judge_room(room)
    if os.path.isdir(home.run):
        found.append(judge_writing(*try_writing(home.run), home.run))
    else:
        found.append(judge_access(home))
    logs = exam.documents.get("scheduler", {}).get("logs")
    budget = int(logs.get("total_budget") or 0) if isinstance(logs, dict) else None  # None: nothing is in force yet
    used = _logs_size(home)
    if used is not None:
        found.append(judge_budget(used, budget, home.logs))
    return found


def _rooms(paths: list[str]) -> list[Room]:
    """Each file system once."""
    by_point = kinds(_lines())
    seen: set[int] = set()
    found: list[Room] = []
    for path in paths:
        try:
            device = os.stat(path).st_dev
            state = os.statvfs(path)
        except OSError:
            continue
        if device in seen:
            continue
        seen.add(device)
        unit = state.f_frsize
        found.append(
            Room(
                path,
                _kind(os.path.realpath(path), by_point),
                size=state.f_blocks * unit,
                free=state.f_bavail * unit,
                files=state.f_files,
                inodes=state.f_favail,
                read_only=bool(state.f_flag & os.ST_RDONLY),
            )
        )
    return found


def _lines() -> list[str]:
    try:
        with open(TABLE, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().split("\n")
    except OSError:
        return []


def _kind(path: str, by_point: dict[str, str]) -> str:
    while path not in by_point and path not in ("", "/"):
        path = path.rpartition("/")[0]
    return by_point.get(path or "/", "?")


def judge_room(room: Room) -> list[Check]:
    name, where = f"disk of {os.path.basename(room.where) or '/'}", room.where
    told = f"{size(room.free)} free of {size(room.size)} ({clean(room.kind)})"
    if room.read_only:
        why = "no log, no record and no history can be written"
        return [
            Check(
                name,
                "is read-only",
                level=PROBLEM,
                where=where,
                why=why,
                next="mount -o remount,rw, or look at: dmesg",
            )
        ]
    found: list[Check] = []
    why = "services run on, but what they say is dropped and counted, and runs are held back"
    next = f"du -xh --max-depth=2 '{where}' | sort -h | tail; or lower logs.totalBudgetMb in etc/sbctl.yaml"
    if room.free < min(LEAST_FREE, room.size // 50):
        found.append(Check(name, f"{told}: full", level=PROBLEM, where=where, why=why, next=next))
    elif room.free < min(LOW_FREE, room.size // LOW_SHARE):
        found.append(Check(name, f"{told}: little", level=WARNING, where=where, why=why, next=next))
    if room.files and room.inodes < min(LEAST_INODES, room.files // 50):
        what = f"{room.inodes} of {room.files} inodes are free"
        next = f"du --inodes -x --max-depth=2 '{where}' | sort -n | tail"
        found.append(Check(name, what, level=PROBLEM, where=where, why="no new file can be made", next=next))
    if room.kind in ELSEWHERE:
        why = "when its server hangs, whoever writes there waits: the scheduler, too"
        next = "move the home to a disk of this machine"
        found.append(Check(name, f"{told}: it is not of this machine", level=WARNING, where=where, why=why, next=next))
    inodes = f", {room.inodes} inodes" if room.files else ""
    return found or [Check(name, told + inodes, where=where)]


def try_writing(folder: str) -> tuple[OSError | None, OSError | None]:
    """What is in the way of writing a file there at all, and by splice from a pipe; nothing is left of it."""
    path = os.path.join(folder, f".doctor.{os.getpid()}.tmp")
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return error, None
    try:
        os.unlink(path)
        return _write_both_ways(file)
    except OSError as error:
        return error, None
    finally:
        os.close(file)
        remove_quietly(path)


def _write_both_ways(file: int) -> tuple[OSError | None, OSError | None]:
    read, write = os.pipe()
    try:
        if os.write(file, TRIED) < len(TRIED):
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), None
        os.write(write, TRIED)
        try:
            os.splice(read, file, len(TRIED))
        except OSError as error:
            return None, error
        return None, None
    except OSError as error:
        return error, None
    finally:
        os.close(read)
        os.close(write)


def judge_writing(wrote: OSError | None, spliced: OSError | None, where: str) -> Check:
    if wrote is not None:
        why = "records of processes, settings and sockets are kept there"
        next = f"df -h '{where}'; ls -ld '{where}'"
        return Check("writing", f"not possible: {wrote.strerror}", level=PROBLEM, where=where, why=why, next=next)
    if spliced is not None:
        return Check(
            "writing",
            f"works, but not by splice ({spliced.strerror})",
            level=WARNING,
            where=where,
            why="output is copied instead: a scheduler that is killed may lose what it has just read",
            next="keep logs/ on a disk of this machine (ext4, xfs, btrfs, tmpfs, overlay)",
        )
    return Check("writing", "works, also by splice", where=where)


def judge_access(home: Home) -> Check:
    """Of a home that was never started."""
    if os.access(home.path, os.W_OK | os.X_OK):
        return Check("writing", "logs/ is not there yet; the first start makes it", where=home.path)
    next = f"ls -ld '{home.path}'; chown it, or use sbctl as its owner"
    return Check(
        "writing", "this user can't write here", level=PROBLEM, where=home.path, why="nothing can be started", next=next
    )


def _logs_size(home: Home) -> int | None:
    """Bytes below logs/ but for what is no log; None: there are too many files to count."""
    total = count = 0
    for folder, names, files in os.walk(home.logs):
        if folder == home.logs:
            names[:] = [name for name in names if name != "run"]
        for name in files:
            count += 1
            if folder == home.logs and name.startswith("history.db"):
                continue
            try:
                total += os.stat(os.path.join(folder, name), follow_symlinks=False).st_size
            except OSError:
                continue
        if count > MAX_FILES:
            return None
    return total


def judge_budget(used: int, budget: int | None, where: str) -> Check:
    if not budget:
        return Check("logs", f"{size(used)}, without a budget" if budget is not None else size(used), where=where)
    told = f"{size(used)} of a budget of {size(budget)}"
    if used > budget + budget // 10:
        why = "only older files are removed for it: those being written, and plugins' own files, are more than that"
        next = f"du -ah '{where}' | sort -h | tail"
        return Check("logs", told, level=WARNING, where=where, why=why, next=next)
    return Check("logs", told, level=OK, where=where)
