"""Did the kernel kill for want of memory? Told by its counters: a SIGKILL alone says only that somebody did.

The counter of our own cgroup is asked where there is one, else that of the whole machine.
"""

from __future__ import annotations

import os
import signal

MAX_BYTES = 1 << 16
KILLED_CHILD = 128 + signal.SIGKILL  # the exit code of a shell whose child was killed
OF_V2 = "memory.events"  # counts what is below, too
OF_V1 = "memory.oom_control"
MAIN = "-main"  # the end of the name of the group that `start` makes for itself
VMSTAT = "/proc/vmstat"


def looks_like_it(status: int) -> bool:
    """Killed by SIGKILL, or a shell that passes on such an end."""
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == KILLED_CHILD


class Counter:
    """One number of the kernel that only rises, and how much of it nobody has claimed yet."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen = oom_kills(path) or 0
        self._unclaimed = 0
        self._older = 0  # of these, what was there at the last tick

    def look(self) -> None:
        count = oom_kills(self._path)
        if count is not None:
            self._unclaimed += max(count - self._seen, 0)
            self._seen = count

    def claim(self) -> bool:
        """Each kill explains one end."""
        self.look()
        if not self._unclaimed:
            return False
        self._unclaimed -= 1
        self._older = max(self._older - 1, 0)
        return True

    def forget(self) -> None:
        """What nobody has claimed since the last time. Younger ones may be on their way: whoever is killed has its
        memory taken away first, which takes long on a busy machine.
        """
        self.look()
        self._unclaimed -= self._older
        self._older = self._unclaimed


class OomCounter:
    """Asked when something has died of SIGKILL, and at each tick."""

    def __init__(self, pid: int | str = "self") -> None:
        own = find_own(pid)
        self._machine = Counter(VMSTAT)
        self._own = Counter(own) if own else self._machine

    def rose(self, *, own_cgroup: bool = False) -> bool:
        """Was there such a kill that no end has been explained with? `own_cgroup`: the service has one of its own."""
        found = self._machine.claim() if own_cgroup and self._machine is not self._own else False
        return self._own.claim() or found

    def forget(self) -> None:
        """At the tick: whatever was killed before the last one and has not come up was none of ours."""
        self._own.forget()
        self._machine.forget()


def find_own(pid: int | str = "self") -> str:
    """The file that counts the kills in the memory cgroup of a process; "" when there is none to read."""
    files = candidates(_lines(f"/proc/{pid}/cgroup"), _lines("/proc/self/mountinfo"))
    return next((file for file in files if oom_kills(file) is not None), "")


def candidates(cgroups: list[str], mounts: list[str]) -> list[str]:
    """Where it may be, by what the kernel says of the process and of what is mounted."""
    files: list[str] = []
    for line in cgroups:
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            folder = _mounted(path, mounts, "cgroup2", "")
            if folder.endswith(MAIN):  # the services that have a group of their own are beside it
                files.append(f"{os.path.dirname(folder)}/{OF_V2}")
            files += [f"{folder}/{OF_V2}"] * bool(folder)
        elif "memory" in controllers.split(","):
            folder = _mounted(path, mounts, "cgroup", "memory")
            files += [f"{folder}/{OF_V1}"] * bool(folder)
    return files


def _mounted(path: str, mounts: list[str], kind: str, controller: str) -> str:
    """Where the cgroup of that path is to be seen; "" if nowhere."""
    for line in mounts:
        before, _, after = line.partition(" - ")
        words, (type_, _, options) = before.split(), after.split(" ", 2)
        if type_ != kind or (controller and controller not in options.split(" ")[-1].split(",")):
            continue
        root, point = words[3].rstrip("/"), words[4]
        # Elsewhere means a cgroup namespace: what is mounted is our own.
        inside = path[len(root) :].strip("/") if (path + "/").startswith(root + "/") else ""
        return f"{point}/{inside}" if inside else point
    return ""


def oom_kills(path: str) -> int | None:
    """Asked for each end by SIGKILL; vmstat has 200 lines."""
    _, mark, rest = (b"\n" + _read(path)).partition(b"\noom_kill ")
    number = rest.partition(b"\n")[0]
    return int(number) if mark and number.isdigit() else None


def _lines(path: str) -> list[str]:
    return os.fsdecode(_read(path)).splitlines()


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        data = b""
        while len(data) < MAX_BYTES and (chunk := os.read(fd, MAX_BYTES)):
            data += chunk
    except OSError:
        return b""
    finally:
        os.close(fd)
    return data
