"""`python -m benchmarks.memory`: what an idle tree's memory is, from a bare Python up. In docs/benchmarks.md.

PSS shares a page among all processes of the machine that have it, so it goes down with each other Python that runs.
Here a page of a file is shared among the processes of one row only.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import procs, scheduled
from benchmarks.peers.cache import Unavailable
from benchmarks.peers.from_pypi import environment
from benchmarks.peers.supervisord import Supervisord
from supervisor.base.where import ROOT

SETTLED_S = 3.0
PACKAGES = f"import sys; sys.path[:0] = [{ROOT!r}]"
SMALL = "import _socket, select, signal, fcntl, errno, heapq"
FLOOR = (
    ("bare `python -I -S`", ""),
    ("and `_socket select signal` and three small ones", SMALL),
    ("and `json`", f"{SMALL}, json"),
    ("the second, and `_sqlite3` with a file open in WAL, in a thread", "DATABASE"),
    ("all modules of `start`", f"{PACKAGES}; import supervisor.daemons.start"),
    ("all modules of the scheduler", f"{PACKAGES}; import supervisor.daemons.scheduler"),
)
DATABASE = f"""
{SMALL}, _sqlite3, _thread, tempfile
def work():
    global db
    db = _sqlite3.connect(tempfile.mkdtemp() + "/x", check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE t (x)")
    done.release()
    for_ever.acquire()
done, for_ever = _thread.allocate_lock(), _thread.allocate_lock()
done.acquire(), for_ever.acquire()
_thread.start_new_thread(work, ())
done.acquire()
"""
WAITS = "\nimport os; os.write(1, b'x'); os.read(0, 1)"
MIB = 1024


def pages(pids: list[int]) -> dict[int, tuple[float, float]]:
    """MiB of each that are its own, and those of files, divided among whoever of these has the same part of one."""
    parts: dict[tuple[str, str, str], dict[int, tuple[int, int]]] = {}
    for pid in pids:
        part, rss = ("", "", ""), 0
        for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
            words = line.split()
            if not words[0].endswith(":"):
                part = " ".join(words[5:]), words[1], words[2]
            elif words[0] == "Rss:":
                rss = int(words[1])
            elif words[0] == "Anonymous:":
                was = parts.setdefault(part, {}).get(pid, (0, 0))
                parts[part][pid] = was[0] + int(words[1]), was[1] + rss - int(words[1])
    own = {pid: sum(users[pid][0] for users in parts.values() if pid in users) / MIB for pid in pids}
    files = {pid: sum(users[pid][1] / len(users) for users in parts.values() if pid in users) / MIB for pid in pids}
    return {pid: (own[pid], files[pid]) for pid in pids}


def told(name: str, rows: list[tuple[float, float]]) -> None:
    own, files = sum(row[0] for row in rows), sum(row[1] for row in rows)
    print(f"| {name} | {own:.1f} | {files:.1f} | {own + files:.1f} |", flush=True)


def floor(code: str, count: int) -> list[tuple[float, float]]:
    argv = [sys.executable, "-I", "-S", "-c", code + WAITS]
    children = [subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(count)]
    for child in children:
        assert child.stdout
        child.stdout.read(1)
    found = pages([child.pid for child in children])
    for child in children:
        child.communicate()
    return list(found.values())


def ours(work: Path, schedules: int) -> None:
    subject = scheduled.OursOnTime(work, "mem")
    subject.schedule([], [])
    if schedules:
        scheduled.all_at(subject, schedules, scheduled.once_in(3600))
    try:
        subject.prepare(f"memory{schedules}", subject.sleepers(100))
        scheduled.start(subject)
        time.sleep(SETTLED_S)
        daemons = subject.daemons()
        found = pages(list(daemons.values()))
        what = f"100 servers, {schedules} schedules" if schedules else "100 servers"
        for role, pid in daemons.items():
            told(f"`{role}`, {what}", [found[pid]])
        told(f"both, {what}", list(found.values()))
    finally:
        subject.end()
        procs.reap()


def peer(work: Path) -> None:
    """If it can be had here."""
    try:
        subject = Supervisord(work, "mem", environment())
    except Unavailable:
        return
    subject.prepare("memory", subject.sleepers(100))
    subject.start(100)
    time.sleep(SETTLED_S)
    told("supervisord, 100 servers", list(pages(list(subject.daemons().values())).values()))
    subject.end()
    procs.reap()


def main() -> None:
    print("| MiB | its own | of files | together |\n|---|--:|--:|--:|")
    for name, code in FLOOR:
        told(name, floor(DATABASE if code == "DATABASE" else code, 1))
    told("two bare ones", floor("", 2))
    procs.adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="m") as folder:
        try:
            peer(Path(folder))
            for schedules in (0, 1000):
                ours(Path(folder), schedules)
        finally:
            procs.end_everything()


if __name__ == "__main__":
    main()
