"""Did the kernel kill for want of memory? Told by its counters: a SIGKILL alone says only that somebody did.

The counter of our own cgroup is asked where there is one, else that of the whole machine.
"""

from __future__ import annotations

import os
import signal

MAX_BYTES = 1 << 16
KILLED_CHILD = 128 + signal.SIGKILL  # the exit code of a shell whose child was killed
OF_V2 = ("memory.events",)  # counts what is below, too
OF_V1 = ("memory.oom_control",)
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
        return True

    def forget(self) -> None:
        self.look()
        self._unclaimed = 0


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
        """At the tick: whatever was killed until now and has not come up was none of ours."""
        self._own.forget()
        self._machine.forget()


def find_own(pid: int | str = "self") -> str:
    """The file that counts the kills in the memory cgroup of a process; "" when there is none to read."""
    for line in _lines(f"/proc/{pid}/cgroup"):
        number, controllers, path = line.split(":", 2)
        is_new = number == "0" and not controllers
        if is_new or "memory" in controllers.split(","):
            folder = _mounted(path, "cgroup2" if is_new else "cgroup")
            names = OF_V2 if is_new else OF_V1
            if is_new and folder.endswith(MAIN):  # our services with groups of their own are beside it
                names = (f"../{OF_V2[0]}", *names)
            for file in [f"{folder}/{name}" for name in names if folder]:
                if oom_kills(file) is not None:
                    return file
    return ""


def _mounted(path: str, kind: str) -> str:
    """Where the cgroup of that path is to be seen; "" if nowhere."""
    for line in _lines("/proc/self/mountinfo"):
        fields, _, rest = line.partition(" - ")
        words, (type_, _, options) = fields.split(), rest.split(" ", 2)
        if type_ != kind or (kind == "cgroup" and "memory" not in options.split(",")):
            continue
        root, point = words[3], words[4]
        if path == root or path.startswith(root.rstrip("/") + "/"):
            return point + "/" + path[len(root.rstrip("/")) :].strip("/")
        return point  # a cgroup namespace: what is mounted is our own
    return ""


def oom_kills(path: str) -> int | None:
    for line in _lines(path):
        words = line.split()
        if len(words) == 2 and words[0] == "oom_kill":
            return int(words[1])
    return None


def _lines(path: str) -> list[str]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        data = b""
        while len(data) < MAX_BYTES and (chunk := os.read(fd, MAX_BYTES)):
            data += chunk
    except OSError:
        return []
    finally:
        os.close(fd)
    return os.fsdecode(data).splitlines()
