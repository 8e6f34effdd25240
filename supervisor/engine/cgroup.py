"""A cgroup (v2) for each process that has limits of that kind; only where that part of the tree is ours to divide.

    <our own cgroup>/sbctl-<home>-main      `start` and whatever has no group of its own, once controllers are needed:
                                            a cgroup with controllers for its children must not hold processes itself
    <our own cgroup>/sbctl-<home>-web.3     one process of a service with all it brings forth

Ours is what systemd has delegated (Delegate=yes), what our user may write, or the root of the tree (a container). All
of it is procfs and cgroupfs: nothing here can wait for a disk.
"""

from __future__ import annotations

import errno
import os
import signal

from supervisor.base import proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FILES = {"memory_max": "memory.max", "cpu_percent": "cpu.max", "pids_max": "pids.max"}
SAID = {
    "memory_max": "cgroup.memoryMb",
    "cpu_percent": "cgroup.cpuPercent",
    "pids_max": "cgroup.processes",
}  # in settings
DELEGATED = ("user.delegate", "trusted.delegate")  # marks that systemd puts on what it has given away
CPU_PERIOD_US = 100_000
MOVES = 5  # times to look for processes of ours that were forked meanwhile
MAX_DEPTH = 8
MAX_BYTES = 1 << 20


class Place:
    """Where one process goes, and what could not be had there."""

    __slots__ = ("path", "refused", "told")

    def __init__(self, path: str, refused: dict[str, str]) -> None:
        self.path = path  # "": nowhere special
        self.refused = refused  # limits as the settings name them, and why each is not possible
        self.told: set[int] = set()  # processes outside the group of the main one that got its last signal

    @property
    def procs(self) -> str:
        """The file by which a process becomes a member."""
        return f"{self.path}/cgroup.procs" if self.path else ""

    def hand_on(self) -> dict[str, Any]:
        return {"path": self.path, "refused": self.refused, "told": sorted(self.told)}

    @classmethod
    def take_up(cls, data: dict[str, Any]) -> Place:
        place = cls(data["path"], data["refused"])
        place.told = set(data["told"])
        return place

    def is_populated(self) -> bool:
        return bool(self.path) and "populated 1" in _read(f"{self.path}/cgroup.events")

    def signal(self, number: int, leader: int) -> None:
        """Whoever is in here, has not been told yet and is not in the process group of `leader`, which is told itself.

        All at once and whoever is being forked meanwhile, if it is SIGKILL and the kernel can (5.14).
        """
        if not self.path:
            return
        if number == signal.SIGKILL and _write(f"{self.path}/cgroup.kill", "1") is None:
            return
        for pid in self._strays(leader) - self.told:
            self.told.add(pid)
            try:
                os.kill(pid, number)
            except OSError:
                continue

    def _strays(self, leader: int) -> set[int]:
        return {pid for folder in _below(self.path) for pid in _pids(folder) if _group_of(pid) not in (leader, None)}

    def remove(self) -> None:
        """With what it made in it; one that is still in use stays, for `start` to find empty another time."""
        for folder in _below(self.path) if self.path else []:
            _rmdir(folder)
        self.path = ""


class Cgroups:
    """Found out when the first service asks: most homes never do."""

    def __init__(self, home_id: str, *, mounts: str = "/proc/self/mountinfo", own: str = "/proc/self/cgroup") -> None:
        self._prefix = f"sbctl-{home_id}-"
        self._sources = (mounts, own)
        self._base: str | None = None  # our own cgroup's folder; "": none that we may divide
        self._why = ""

    @property
    def found(self) -> tuple[str | None, str]:
        """Our own cgroup as it was before we went into a group of it, or None: nobody has asked yet; and why not."""
        return self._base, self._why

    @found.setter
    def found(self, found: tuple[str | None, str]) -> None:
        self._base, self._why = found

    def place(self, key: str, wanted: dict[str, int]) -> Place:
        """Make the group for a process that is about to be spawned."""
        base = self._find()
        if not base:
            return Place("", {SAID[name]: self._why for name in wanted})
        refused = self._enable(base, wanted)
        path = f"{base}/{self._prefix}{key.replace('/', '+')}"  # of a step: run/r5k2m9x/1-get.1
        try:
            os.mkdir(path, 0o755)
        except FileExistsError:
            pass
        except OSError as error:
            return Place("", {SAID[name]: f"no cgroup can be made: {error.strerror}" for name in wanted})
        for name, amount in wanted.items():
            if SAID[name] not in refused:
                why = _write(f"{path}/{FILES[name]}", _amount(name, amount))
                if why is not None:
                    refused[SAID[name]] = os.strerror(why)
        return Place(path, refused)

    def standing(self) -> tuple[str, str]:
        """The folder that we may divide, or "" and why there is none."""
        return self._find(), self._why

    # our part of the tree

    def _find(self) -> str:
        if self._base is None:
            self._base, self._why = find_own(*self._sources)
            if self._base:
                self._sweep(self._base)
        return self._base

    def _sweep(self, base: str) -> None:
        """Empty groups of an earlier life; what is in use refuses to go."""
        for name in _listed(base):
            if name.startswith(self._prefix):
                for folder in _below(f"{base}/{name}"):
                    _rmdir(folder)

    # controllers

    def _enable(self, base: str, wanted: dict[str, int]) -> dict[str, str]:
        refused: dict[str, str] = {}
        there = _read(f"{base}/cgroup.controllers").split()
        on = _read(f"{base}/cgroup.subtree_control").split()
        for name in wanted:
            controller = FILES[name].partition(".")[0]
            if controller not in there:
                refused[SAID[name]] = f"the cgroup controller {controller} is not delegated to sbctl"
            elif controller not in on:
                why = self._switch_on(base, controller)
                if why:
                    refused[SAID[name]] = why
        return refused

    def _switch_on(self, base: str, controller: str) -> str:
        control = f"{base}/cgroup.subtree_control"
        why = _write(control, f"+{controller}")
        for _ in range(MOVES):
            if why != errno.EBUSY:
                break
            self._move_out(base)
            why = _write(control, f"+{controller}")
        if why == errno.EBUSY:
            return f"strangers are in our cgroup, so the controller {controller} can't be switched on"
        return "" if why is None else f"the cgroup controller {controller} can't be switched on: {os.strerror(why)}"

    def _move_out(self, base: str) -> None:
        """We and what descends from us go into a group beside those of the services."""
        main = f"{base}/{self._prefix}main"
        try:
            os.mkdir(main, 0o755)
        except FileExistsError:
            pass
        except OSError:
            return
        for pid in _pids(base):
            if pid == os.getpid() or _descends(pid, os.getpid()):
                _write(f"{main}/cgroup.procs", str(pid))


def find_own(mounts: str, own: str) -> tuple[str, str]:
    """The folder of our cgroup, or "" and why we can't divide it."""
    paths = [line[3:] for line in _read(own).splitlines() if line.startswith("0::")]
    points = [words for words in (line.split() for line in _read(mounts).splitlines()) if _kind(words) == "cgroup2"]
    if not paths or not points:
        return "", "this system has no cgroups of version 2"
    path, (root, point) = paths[0], (points[0][3], points[0][4])
    below = path[len(root.rstrip("/")) :] if path == root or path.startswith(root.rstrip("/") + "/") else None
    if below is None or "/.." in path:
        return "", "our cgroup is outside of what we can see"
    folder = point + below.rstrip("/")
    why = _why_not_given(folder, path)
    return ("", why) if why else (folder, "")


def _kind(words: list[str]) -> str:
    """File system of a line of mountinfo: behind a lone dash, after any number of optional fields."""
    return words[words.index("-") + 1] if "-" in words[6:] else ""


def _why_not_given(folder: str, path: str) -> str:
    """Why it is not ours to divide; "" when it is. That root can write there makes it no more his than systemd's."""
    needed = (folder, f"{folder}/cgroup.procs", f"{folder}/cgroup.subtree_control")
    if not all(os.access(each, os.W_OK) for each in needed):
        return "our cgroup is not delegated to this user (Delegate=yes in the unit of systemd)"
    if os.geteuid() != 0 or path == "/":
        return ""
    while folder.count("/") > 1:
        if any(_has_mark(folder, name) for name in DELEGATED):
            return ""
        folder = os.path.dirname(folder)
    return "our cgroup is not delegated to sbctl (Delegate=yes in the unit of systemd)"


def _has_mark(folder: str, name: str) -> bool:
    try:
        return os.getxattr(folder, name) == b"1"
    except OSError:
        return False


def _amount(name: str, amount: int) -> str:
    return f"{amount * CPU_PERIOD_US // 100} {CPU_PERIOD_US}" if name == "cpu_percent" else str(amount)


def _descends(pid: int, ancestor: int) -> bool:
    for _ in range(64):
        pid = proc.parent_of(pid) or 0
        if pid in (0, 1, ancestor):
            break
    return pid == ancestor


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


# the files


def _below(folder: str, depth: int = MAX_DEPTH) -> list[str]:
    """A cgroup and those in it, the deepest first."""
    found: list[str] = []
    for name in _listed(folder) if depth else []:
        found += _below(f"{folder}/{name}", depth - 1)
    return [*found, folder]


def _listed(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _pids(folder: str) -> list[int]:
    return [int(word) for word in _read(f"{folder}/cgroup.procs").split() if word.isdecimal()]


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(MAX_BYTES)
    except OSError:
        return ""


def _write(path: str, text: str) -> int | None:
    """One write, as these files want it; the number of the error, or None."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        return error.errno or errno.EIO
    try:
        os.write(fd, text.encode())
        return None
    except OSError as error:
        return error.errno or errno.EIO
    finally:
        os.close(fd)


def _rmdir(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        return
