"""Where a path leads, asked only of disks of this machine: the loop must not wait for a server of files that is gone.

The kernel's table of mounts says, without asking any disk, what each step would ask.
"""

from __future__ import annotations

import errno
import os

MAX_STEPS = 200
LOCAL = frozenset(
    ("bcachefs", "btrfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs", "reiserfs",
     "rootfs", "squashfs", "tmpfs", "vfat", "xfs", "zfs")
)  # fmt: skip
# These are no disks: the kernel makes them up.
MADE_UP = frozenset(
    ("binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl",
     "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "securityfs", "selinuxfs", "sysfs", "tracefs")
)  # fmt: skip
IN_MEMORY = ("ramfs", "tmpfs")
TABLE = "/proc/self/mountinfo"
ESCAPES = ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\"))


class Mounts:
    """The table as it was when it was first needed."""

    def __init__(self, lines: list[str] | None = None) -> None:
        self._lines = lines
        self._kinds: dict[str, str] | None = None
        self._has_others: bool | None = None

    def is_local(self, path: str) -> bool:
        """Whether looking at it asks disks of this machine only. Where there are no others, that is not even asked."""
        if self._kinds is None:
            self._kinds = kinds(self._lines if self._lines is not None else _table())
        if self._has_others is None:
            self._has_others = not LOCAL.union(MADE_UP).issuperset(self._kinds.values())
        return not self._has_others or bool(self.real(path))

    def real(self, path: str) -> str:
        """Behind all links; "" if there is nothing, or if a disk elsewhere would have to be asked."""
        left = [part for part in reversed(path.split("/")) if part]
        found = ""
        for _ in range(MAX_STEPS):
            if not left:
                return found or "/"
            part = left.pop()
            if part == "..":
                found = found.rpartition("/")[0]
            if part in (".", ".."):
                continue
            step = f"{found}/{part}"
            if not self._is_local(step):
                return ""
            try:
                target = os.readlink(step)
            except OSError as error:
                if error.errno != errno.EINVAL:  # it is not there
                    return ""
                found = step
                continue
            if target.startswith("/"):
                found = ""
            left += [part for part in reversed(target.split("/")) if part]
        return ""

    def _is_local(self, path: str) -> bool:
        if self._kinds is None:
            self._kinds = kinds(self._lines if self._lines is not None else _table())
        while path not in self._kinds and path:
            path = path.rpartition("/")[0]
        return self._kinds.get(path or "/", "") in LOCAL


def kinds(lines: list[str]) -> dict[str, str]:
    """The kind of file system by the folder it is mounted on; of several on one folder the last is seen."""
    found: dict[str, str] = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        words = before.split(" ")
        if len(words) > 4:
            point = words[4]
            for code, char in ESCAPES:
                point = point.replace(code, char)
            found[point] = after.partition(" ")[0]
    return found


def in_memory(lines: list[str]) -> list[int]:
    """The devices of those file systems that lie in memory."""
    found = []
    for line in lines:
        before, _, after = line.partition(" - ")
        words = before.split(" ")
        if len(words) > 4 and after.partition(" ")[0] in IN_MEMORY:
            major, _, minor = words[2].partition(":")
            found.append(os.makedev(int(major), int(minor)))
    return found


def _table() -> list[str]:
    try:
        with open(TABLE, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().split("\n")
    except OSError:
        return []
