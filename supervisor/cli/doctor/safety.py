"""What holds a tree together when a part of it is killed: sub-reaper, parent-death signals, cgroups."""

from __future__ import annotations

import os

from supervisor.cli.doctor.check import PROBLEM, WARNING, Check
from supervisor.engine.cgroup import find_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.cli.doctor.exam import Exam

ROOT = "/sys/fs/cgroup"
CONTROLLERS = "/proc/cgroups"


def look(exam: Exam) -> list[Check]:
    found: list[Check] = []
    health = exam.start.health
    if health:
        found.append(judge_reaper(bool(health["subreaper"]), exam.start.pid))
        running = [str(row["name"]) for row in exam.start.rows if row["state"] == "running" and row["pid"]]
        found += judge_parent_signals(health.get("parent_signals") or {}, running)
        folder, why = health["cgroup"]["folder"], health["cgroup"]["why"]
    else:
        folder, why = find_own("/proc/self/mountinfo", "/proc/self/cgroup")
    wanted = sorted(name for name, launch in exam.launches().items() if (launch.get("limits") or {}).get("cgroup"))
    found.append(judge_cgroup(folder, why, hierarchy(), wanted, running=bool(health)))
    return found


def judge_reaper(is_reaper: bool, pid: int | None) -> Check:
    if is_reaper or pid == 1:
        return Check("sub-reaper", "orphans of services come to start" + (", which is process 1" if pid == 1 else ""))
    return Check(
        "sub-reaper",
        "start does not get the orphans of its services",
        level=PROBLEM,
        why="what a dying service leaves behind goes to process 1, and nobody ends it",
        next="sbctl restart",
    )


def judge_parent_signals(signals: dict[str, int], running: list[str]) -> list[Check]:
    known = [name for name in running if name in signals]  # of one that has just been taken over it is not
    without = [name for name in known if not signals[name]]
    if without:
        return [
            Check(
                "death of start",
                f"{', '.join(without)} would outlive it",
                level=PROBLEM,
                why="if start is killed, what it began must end gracefully with it",
                next=f"sbctl restart {' '.join(without)}",
            )
        ]
    if not known:
        return []
    return [Check("death of start", f"ends {', '.join(known)} by a signal, and they their services")]


def hierarchy(root: str = ROOT) -> str:
    """Which cgroups this machine has, in words."""
    if os.path.exists(os.path.join(root, "cgroup.controllers")):
        return "version 2"
    if os.path.exists(os.path.join(root, "unified", "cgroup.controllers")) or _is_there(root):
        return "versions 1 and 2 mixed" if os.path.isdir(os.path.join(root, "unified")) else "version 1"
    return "none"


def _is_there(root: str) -> bool:
    return any(os.path.isdir(os.path.join(root, name)) for name in ("memory", "pids", "cpu"))


def judge_cgroup(folder: str, why: str, kind: str, wanted: list[str], *, running: bool) -> Check:
    """`running`: by the word of start; else as this shell would be placed."""
    seen = "" if running else " (as seen from this shell)"
    if folder:
        return Check("cgroups", f"{kind}, ours to divide{seen}", where=folder)
    if wanted:
        return Check(
            "cgroups",
            f"{kind}: {why}{seen}",
            level=WARNING,
            why=f"limits of {', '.join(wanted)} under limits.cgroup can't be set",
            next="sbctl boot enable makes a unit with Delegate=yes; or take limits.memoryMb, which needs no cgroup",
        )
    return Check("cgroups", f"{kind}: {why}; no service asks for one{seen}")
