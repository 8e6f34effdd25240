"""Limits of the kernel that a busy home may meet: descriptors, pipes, processes, memory of a container."""

from __future__ import annotations

import os

from supervisor.cli.doctor.check import PROBLEM, WARNING, Check, all_well
from supervisor.cli.table import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.cli.doctor.exam import Exam

PIPE_PAGES = 16  # of a pipe as the kernel makes it
PIPES_SOFT = "/proc/sys/fs/pipe-user-pages-soft"
FULL_PERCENT = 90
NEARLY_PERCENT = 75
UNLIMITED = 1 << 60  # and above: nobody has set a limit
GROUPS = "/sys/fs/cgroup"


def look(exam: Exam) -> list[Check]:
    found: list[Check] = []
    if descriptors := _descriptors(exam):
        found += all_well(judge_descriptors(descriptors), "descriptors", _told(descriptors))
    pipes = _pipes(exam)
    if os.geteuid() != 0 and pipes:
        found.append(judge_pipes(pipes, _number(PIPES_SOFT)))
    found += judge_processes("processes", *_tasks(), "/proc/sys/kernel/pid_max")
    group = own_group(os.getpid() if exam.is_elsewhere else exam.start.pid or os.getpid())
    if "pids" in group:
        found += judge_processes("processes of the container", *group["pids"])
    if "memory" in group:
        found.append(judge_memory(*group["memory"]))
    return found


# descriptors


def _descriptors(exam: Exam) -> dict[str, tuple[int, int]]:
    """Used and allowed, of each daemon: by its own word, else as procfs has it."""
    found: dict[str, tuple[int, int]] = {}
    for name, heard in (("start", exam.start), ("scheduler", exam.scheduler)):
        if heard.health:
            found[name] = (int(heard.health["open_files"]), int(heard.health["open_files_limit"]))
    for row in exam.start.rows if not exam.is_elsewhere else ():
        name, pid = str(row["name"]), row["pid"]
        if name not in found and pid and (seen := _descriptors_of(int(pid))):
            found[name] = seen
    return found


def _descriptors_of(pid: int) -> tuple[int, int] | None:
    try:
        used = len(os.listdir(f"/proc/{pid}/fd"))
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("Max open files"))
        soft = line.split()[3]
    except (OSError, StopIteration):
        return None
    return used, UNLIMITED if soft == "unlimited" else int(soft)


def _told(known: dict[str, tuple[int, int]]) -> str:
    return ", ".join(f"{name} {used} of {limit}" for name, (used, limit) in known.items()) or "not known"


def judge_descriptors(known: dict[str, tuple[int, int]]) -> list[Check]:
    found: list[Check] = []
    for name, (used, limit) in known.items():
        level = _level(used, limit)
        if level:
            found.append(
                Check(
                    "descriptors",
                    f"{name} has {used} open of {limit} allowed",
                    level=level,
                    why="without one nothing can be spawned, asked or logged",
                    next="raise the limit (ulimit -n, LimitNOFILE= of the unit), then: sbctl restart",
                )
            )
    return found


# pipes


def _pipes(exam: Exam) -> int:
    """How many are kept for the output of what runs."""
    launches = exam.launches()
    running = [str(row["name"]) for row in exam.scheduler.rows if row["pid"]]
    return sum(2 if (launches.get(name) or {}).get("err_log") else 1 for name in running)


def judge_pipes(pipes: int, pages: int) -> Check:
    """The limit is for each user but root; above it every new pipe holds a page or two."""
    room = pages // PIPE_PAGES if pages else UNLIMITED
    if pipes >= room:
        return Check(
            "pipes",
            f"{pipes} for output, and this user may have {room} of full size",
            level=WARNING,
            where=PIPES_SOFT,
            why="new pipes of this user are small: loud services wait more often, and less is kept in a gap",
            next=f"sysctl fs.pipe-user-pages-soft={max(pipes * 2, 1024) * PIPE_PAGES}",
        )
    return Check("pipes", f"{pipes} for output" + (f", this user may have {room} of full size" if pages else ""))


# processes, memory


def _tasks() -> tuple[int, int]:
    try:
        with open("/proc/loadavg", encoding="ascii") as file:
            tasks = int(file.read().split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        tasks = 0
    limits = [limit for limit in map(_number, ("/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max")) if limit]
    return tasks, min(limits, default=0)


def judge_processes(name: str, used: int, limit: int, where: str) -> list[Check]:
    if not limit or limit >= UNLIMITED:
        return []
    level = _level(used, limit)
    if not level:
        return [Check(name, f"{used} of {limit}", where=where)]
    why = "at the limit nothing can be started any more, not even what was to be started again"
    return [Check(name, f"{used} of {limit}", level=level, where=where, why=why, next=f"raise it: {where}")]


def judge_memory(used: int, limit: int, where: str) -> Check:
    what = f"{size(used)} of {size(limit)} that this container may have"
    level = _level(used, limit)
    if level:
        why = "at the limit the kernel kills one of its processes"
        next = "raise the limit, or set limits.memoryMb for the service that takes most: sbctl status"
        return Check("memory", what, level=level, where=where, why=why, next=next)
    return Check("memory", what, where=where)


def own_group(pid: int, root: str = GROUPS, listed: str = "") -> dict[str, tuple[int, int, str]]:
    """What the cgroup of that process, or one above it, allows and takes: (used, limit, file of the limit)."""
    found: dict[str, tuple[int, int, str]] = {}
    try:
        with open(listed or f"/proc/{pid}/cgroup", encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return found
    for line in lines:
        _, names, path = line.split(":", 2)
        for name, mount, limit, used in (
            ("memory", "", "memory.max", "memory.current"),
            ("pids", "", "pids.max", "pids.current"),
            ("memory", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
            ("pids", "pids", "pids.max", "pids.current"),
        ):
            if (mount in names.split(",")) if mount else not names:
                tightest = _tightest(os.path.join(root, mount), path, limit, used)
                if tightest is not None:
                    found[name] = tightest
    return found


def _tightest(mount: str, path: str, limit: str, used: str) -> tuple[int, int, str] | None:
    """Of the group and those above it, as far as they are to be seen. Memory that only caches files is free."""
    best: tuple[int, int, str] | None = None
    folders = [path.rstrip("/")]
    while folders[-1]:
        folders.append(folders[-1].rpartition("/")[0])
    for folder in folders:
        file = f"{mount}{folder}/{limit}"
        allowed = _number(file)
        if not allowed or allowed >= UNLIMITED:
            continue
        taken = _number(f"{mount}{folder}/{used}") - _cached(f"{mount}{folder}/memory.stat" if "memory" in used else "")
        if best is None or (allowed - taken) < (best[1] - best[0]):
            best = (max(taken, 0), allowed, file)
    return best


def _cached(path: str) -> int:
    if not path:
        return 0
    try:
        with open(path, encoding="ascii") as file:
            pairs = dict(line.split(None, 1) for line in file)
    except (OSError, ValueError):
        return 0
    return int(pairs.get("total_inactive_file") or pairs.get("inactive_file") or 0)


def _level(used: int, limit: int) -> str:
    if limit <= 0 or limit >= UNLIMITED:
        return ""
    percent = 100 * used // limit
    return PROBLEM if percent >= FULL_PERCENT else WARNING if percent >= NEARLY_PERCENT else ""


def _number(path: str) -> int:
    """0: it is not there, not for us, or no limit ("max")."""
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read(64).strip())
    except (OSError, ValueError):
        return 0
