"""Faults for real programs: calls that fail, disks that are full, files that may not grow, pids used again.

Each of them skips its test, with the reason, where the machine does not let us.

A write path is tried as SQLite tries its own: `calls_below` runs it once and lists what it asks of the disk, then it is
run again for each of these calls, which fails. Only the process itself is watched, not its children: strace counts in
each process anew.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from .children import child
from .waiting import eventually

# What changes something on a disk. Opening counts only where it is for writing.
CHANGING = (
    *("openat", "write", "pwrite64", "writev", "fsync", "fdatasync", "rename", "renameat", "renameat2"),
    *("mkdir", "mkdirat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir", "link", "linkat"),
    *("ftruncate", "fchmod", "fallocate", "copy_file_range", "sendfile", "splice"),
)
ERROR_FOR = {"fsync": "EIO", "fdatasync": "EIO", "fchmod": "EPERM", "unlink": "EROFS", "unlinkat": "EROFS"}


def needs(*programs: str) -> None:
    """Skip where one of them is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed here")


# calls that fail


class Call(NamedTuple):
    """One call that a program made: the how manieth of this name of its process."""

    name: str
    number: int
    text: str

    @property
    def error(self) -> str:
        """What a full or a broken disk answers to it."""
        return ERROR_FOR.get(self.name, "ENOSPC")

    @property
    def rule(self) -> str:
        return f"{self.name}:error={self.error}:when={self.number}"


def traced(log: Path, *rules: str, calls: Sequence[str] = CHANGING, beside: bool = False) -> list[str]:
    """Words in front of a command: its calls go to `log`, and by rules (`write:error=EIO:when=3`) some of them fail.

    `beside`: the command keeps its pid and its parent, and strace says `+++` once it has seen its end.
    """
    need_strace()
    injected = [word for rule in rules for word in ("-e", f"inject={rule}")]
    names = ",".join(dict.fromkeys([*calls, *(rule.partition(":")[0] for rule in rules)]))
    how = ["-q", "-DDD"] if beside else ["-qq"]
    return [
        shutil.which("strace") or "strace",
        *how,
        "-y",
        "-s",
        "0",
        "-o",
        str(log),
        "-e",
        f"trace={names}",
        *injected,
    ]


def need_strace() -> None:
    needs("strace")
    tried = subprocess.run(
        ["strace", "-qq", "-e", "trace=none", "-o", os.devnull, "true"], capture_output=True, check=False, timeout=20
    )
    if tried.returncode:
        pytest.skip(f"strace may not trace here: {tried.stderr.decode(errors='replace').strip()}")


def calls_below(log: Path, folder: Path) -> list[Call]:
    """What a traced program did to files below `folder`, in its order."""
    counts: dict[str, int] = {}
    found: list[Call] = []
    for line in log.read_text(errors="replace").splitlines():
        match = re.match(r"(?:\d+ +)?(\w+)\(", line)
        if match is None:
            continue
        name = match[1]
        counts[name] = counts.get(name, 0) + 1
        writes = name != "openat" or re.search(r"O_WRONLY|O_RDWR|O_CREAT", line)
        if writes and names(line, folder):
            found.append(Call(name, counts[name], line))
    return found


def names(line: str, folder: Path) -> bool:
    """Is the call about something below it? The folder that a program works in is named in each call."""
    return f"{folder}/" in re.sub(r"AT_FDCWD<[^>]*>", "", line)


def injected(log: Path, folder: Path | None = None) -> list[str]:
    """The calls that were made to fail, about something below the folder (None: about anything)."""
    lines = log.read_text(errors="replace").splitlines()
    return [line for line in lines if "(INJECTED)" in line and (folder is None or names(line, folder))]


@contextlib.contextmanager
def attached(pid: int, log: Path, *rules: str, calls: Sequence[str] = CHANGING, threads: bool = True) -> Iterator[None]:
    """The same for a process that runs already, for as long as the block lasts; it has just its own pid's to name."""
    words = traced(log, *rules, calls=calls)
    words.remove("-qq")  # it says when it has attached
    errors = tempfile.TemporaryFile()  # noqa: SIM115, closed below
    process = subprocess.Popen([*words, *(["-f"] if threads else []), "-p", str(pid)], stderr=errors)

    def is_attached() -> bool:
        said = os.pread(errors.fileno(), 1 << 16, 0).decode(errors="replace")
        if process.poll() is not None:
            pytest.skip(f"strace may not attach here: {said.strip()}")
        return "attached" in said

    try:
        eventually(is_attached, message=f"strace has attached to {pid}")
        yield
    finally:
        process.terminate()
        process.wait(10)
        errors.close()


# disks and files


@contextlib.contextmanager
def small_disk(folder: Path, size: str = "64k", inodes: int = 0) -> Iterator[Path]:
    """A disk of its own at `folder`, of that size and with so many inodes (0: no limit)."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={size},mode=755" + (f",nr_inodes={inodes}" if inodes else "")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=20)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.decode(errors='replace').strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=20)


def fill(folder: Path) -> Path:
    """Take all the room that is left there; the file that has it."""
    filler = folder / "filler"
    with open(filler, "ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return filler


def use_up_inodes(folder: Path) -> list[Path]:
    """Files of nothing until there can be no more."""
    made: list[Path] = []
    with contextlib.suppress(OSError):
        while True:
            path = folder / f"inode{os.urandom(4).hex()}"
            path.touch()
            made.append(path)
    return made


@contextlib.contextmanager
def limited_file_size(pid: int, size: int) -> Iterator[None]:
    """No file of that process may grow beyond this: the write that would is a short one, the next one fails."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


# pids


class PidSpace:
    """A PID namespace with a procfs of its own, in which a test says which pid comes next."""

    def __init__(self) -> None:
        needs("unshare", "nsenter")
        words = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *child("reaper")]
        self._process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            _, errors = self._process.communicate(timeout=10)
            pytest.skip(f"a PID namespace can't be made here: {errors.decode(errors='replace').strip()}")
        with open(f"/proc/{self._process.pid}/task/{self._process.pid}/children", encoding="ascii") as file:
            self.init = int(file.read())

    def words(self, command: Sequence[object]) -> list[str]:
        """That command, run in there."""
        return ["nsenter", "-t", str(self.init), "-p", "-m", "--", *map(str, command)]

    def run(self, command: Sequence[object], timeout: float = 20.0) -> str:
        done = subprocess.run(
            self.words(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=True
        )
        return done.stdout.decode()

    def stranger(self, pid: int) -> None:
        """A process with just this pid, which must be free; it stays."""
        script = "echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid; sleep 1000 >/dev/null 2>&1 & echo $!"
        for _ in range(20):
            got = int(self.run(["/bin/sh", "-c", script, "sh", pid]))
            if got == pid:
                return
            self.run(["kill", "-9", got])
        pytest.skip(f"pid {pid} can't be had again here: the kernel gave {got}")

    def alive(self, pid: int) -> bool:
        """By its state, for a zombie is none."""
        script = "read -r line 2>/dev/null </proc/$1/stat && case ${line##*) } in [ZX]*) ;; *) echo yes ;; esac; :"
        return self.run(["/bin/sh", "-c", script, "sh", pid]).strip() == "yes"

    def end(self) -> None:
        """Its first process takes all others with it."""
        self._process.kill()
        self._process.communicate(timeout=10)


@contextlib.contextmanager
def own_pids() -> Iterator[PidSpace]:
    space = PidSpace()
    try:
        yield space
    finally:
        space.end()
