"""Whether a command can be exec'ed as it is, without the shell that stands between `start` and a disk that hangs.

While a child execs, `start` stands still. What lies on the disk that `start` itself runs from can't make that worse:
if that one does not answer, `start` stands still whatever it does. Only that, and what lies in memory, is exec'ed
straight, and only where nothing has to be told apart afterwards: a program for this machine that may be run, in a
folder that is there. All else goes through the shell, which costs an exec more and says what is wrong.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import stat
import sys

from supervisor.base.start_times import now
from supervisor.engine.local_disk import TABLE, Mounts, in_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from supervisor.model.launch import Launch

ELF = b"\x7fELF"
MOST_KNOWN = 1000
_RESET = [number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)]


class Exec:
    """What is to be exec'ed, and the process that it has become."""

    __slots__ = ("actions", "after", "before", "cwd", "env", "pid", "program", "words")

    def __init__(
        self, program: str, words: Sequence[str], env: dict[str, str], actions: list[tuple[Any, ...]], *, cwd: str = ""
    ) -> None:
        self.program = program
        self.words = list(words)
        self.env = env
        self.actions = actions
        self.cwd = cwd
        self.pid = 0
        self.before = self.after = 0  # moments around it, on the clock by which the kernel counts start times

    def spawn(self) -> None:
        """In a session of its own, with nothing of our handling of signals."""
        self.before = now()
        self.pid = os.posix_spawn(
            self.program, self.words, self.env,
            file_actions=self.actions, setsid=True, setsigmask=(), setsigdef=_RESET,
        )  # fmt: skip
        self.after = now()


class Straight:
    """Of one store."""

    def __init__(self, table: str = TABLE) -> None:
        self._table = table
        self._mounts = Mounts()
        self._poll: select.poll | None = None
        self._is_stale = True
        self._disks: set[int] = set()  # our own, and those in memory
        self._programs: dict[tuple[int, int, int, int], bool] = {}  # by what stat says of them: are they ELF?

    def spawn(self, batch: list[Exec], open_files: int) -> None:
        """One after the other. Who has no pid then is for the shell, which can say why.

        A child inherits folder and limit of open files, so this process has them for that moment, in which nothing
        else of it runs that would mind.
        """
        if not batch:
            return
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            before = os.getcwd()
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(open_files, limits[1]), limits[1]))
        except OSError:
            return
        try:
            for each in batch:
                try:
                    os.chdir(each.cwd)
                    each.spawn()
                except (OSError, ValueError):
                    continue
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            os.chdir(before)

    def program(self, launch: Launch, env: Mapping[str, str]) -> str:
        """The path to exec in the folder of the launch; "": the shell has to do it."""
        self._look_at_table()
        if not self._disks or not self._is_folder(launch.cwd):
            return ""
        name = launch.argv[0]
        if "/" in name:
            path = name if name.startswith("/") else f"{launch.cwd}/{name}"
            return path if self._can_run(path) else ""
        for folder in env.get("PATH", "").split(":"):
            path = f"{folder}/{name}"
            if not folder.startswith("/") or not self._mounts.is_local(folder):
                return ""
            if os.path.lexists(path):  # if it is something else, the shell may know how to run it
                return path if self._can_run(path) else ""
        return ""

    def _look_at_table(self) -> None:
        """Read it again if something was mounted; the kernel says so, without asking any disk."""
        try:
            if self._poll is None:
                fd = os.open(self._table, os.O_RDONLY | os.O_CLOEXEC)  # kept: it is what the kernel tells us by
                self._poll = select.poll()
                self._poll.register(fd, select.POLLPRI)
                self._is_stale = True
        except OSError:  # no /proc, or no descriptor just now: the shell does it all
            return
        if self._is_stale or self._poll.poll(0):
            self._read_table()

    def _read_table(self) -> None:
        """If that fails it is tried again with the next spawn."""
        self._is_stale, self._disks = True, set()
        try:
            with open(self._table, encoding="utf-8", errors="surrogateescape") as file:
                lines = file.read().split("\n")
            self._mounts = Mounts(lines)
            self._disks = {os.stat(sys.executable).st_dev, *in_memory(lines)}
            self._is_stale = False
        except OSError:
            return

    def _is_folder(self, path: str) -> bool:
        found = self._stat(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def _can_run(self, path: str) -> bool:
        found = self._stat(path)
        if found is None or not stat.S_ISREG(found.st_mode) or not found.st_mode & 0o111:
            return False
        key = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
        is_elf = self._programs.get(key)
        if is_elf is None:
            if len(self._programs) >= MOST_KNOWN:
                self._programs.clear()
            is_elf = _is_elf(path)
            if is_elf is None:
                return False
            self._programs[key] = is_elf
        return is_elf

    def _stat(self, path: str) -> os.stat_result | None:
        """None: it is not there, or not on such a disk."""
        if not self._mounts.is_local(path):
            return None
        try:
            found = os.stat(path)
        except OSError:
            return None
        return found if found.st_dev in self._disks else None


def _is_elf(path: str) -> bool | None:
    """None: it could not be read just now."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(fd, len(ELF)) == ELF
    except OSError:
        return None
    finally:
        os.close(fd)
