"""Who a process is, and what the kernel offers to hold on to it.

A pid alone names nobody: it is reused. A process here is (pid, start time, boot id), and where the
kernel gives pidfds an inode of their own, that too.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` itself loads enum, which a command need not wait for
import os

PR_SET_PDEATHSIG = 1
PR_GET_PDEATHSIG = 2
PR_SET_CHILD_SUBREAPER = 36
PR_GET_CHILD_SUBREAPER = 37
PIDFD_SIGNAL_PROCESS_GROUP = 4

_boot_id = ""
_group_by_pidfd = True


def boot_id() -> str:
    """This boot's id; a record of another boot names no process of this one."""
    global _boot_id
    if not _boot_id:
        try:
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
                _boot_id = file.read().strip()
        except OSError:
            _boot_id = "unknown"
    return _boot_id


def pid_space() -> str:
    """The PID namespace in which our numbers mean something; those of another one name nobody here.

    Its inode alone would not do: the next container gets the number of the one that has just gone. Process 1 is not
    older than its namespace and dies with it, so its start time tells the two apart.
    """
    return f"{link_of(os.getpid(), 'ns/pid')} {start_time(1)}"


def _read_proc(path: str) -> bytes | None:
    """A whole file of procfs; None when it is not there or not for us."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        chunks: list[bytes] = []
        while chunk := os.read(fd, 1 << 16):
            chunks.append(chunk)
    except OSError:
        return None
    finally:
        os.close(fd)
    return b"".join(chunks)


def _stat_fields(pid: int) -> list[bytes] | None:
    data = _read_proc(f"/proc/{pid}/stat")
    # The name in brackets may hold blanks and brackets: everything after the last one is plain.
    return None if data is None else data[data.rfind(b")") + 2 :].split()


def start_time(pid: int) -> int | None:
    """Ticks from boot to the start of `pid`; None when there is no such process. A zombie still has it."""
    fields = _stat_fields(pid)
    return int(fields[19]) if fields and len(fields) > 19 else None


def is_alive(pid: int, started: int | None = None) -> bool:
    """Is this very process there and not a zombie? (`kill 0` says yes to zombies and to strangers.)"""
    fields = _stat_fields(pid)
    if not fields or len(fields) < 20 or fields[0] in (b"Z", b"X"):
        return False
    return started is None or int(fields[19]) == started


def is_there(pid: int) -> bool:
    """Some process has that number, if only a zombie. A quarter of what a look into /proc costs, for whoever asks of
    many; and true as well where /proc shows nobody the processes of others (hidepid).
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def parent_of(pid: int) -> int | None:
    fields = _stat_fields(pid)
    return int(fields[1]) if fields and len(fields) > 1 else None


def session_of(pid: int) -> int | None:
    fields = _stat_fields(pid)
    return int(fields[3]) if fields and len(fields) > 3 else None


def open_pidfd(pid: int, started: int) -> int | None:
    """A pidfd of exactly that process, or None. First open, then compare: the other order has a gap."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return None
    if start_time(pid) != started:
        os.close(fd)
        return None
    return fd


def pidfd_inode(fd: int) -> int:
    """A mark no reuse can repeat, on kernels where pidfds have inodes of their own (else a constant)."""
    return os.fstat(fd).st_ino


def signal_group(pidfd: int, pid: int, number: int) -> bool:
    """Signal the process group that `pid` leads. False when it has no member any more.

    By pidfd where the kernel can (6.9): it reaches that very group or nobody, even when the leader
    has been reaped and others live on.
    """
    global _group_by_pidfd
    if _group_by_pidfd and pidfd >= 0:
        try:
            _signal.pidfd_send_signal(pidfd, number, None, PIDFD_SIGNAL_PROCESS_GROUP)
            return True
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        except OSError:
            _group_by_pidfd = False
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def signal_held(pidfd: int, number: int) -> bool:
    """Signal only the process itself; False when it has been waited for."""
    try:
        _signal.pidfd_send_signal(pidfd, number)
        return True
    except OSError:
        return False


def signal_one(pid: int, started: int, number: int) -> bool:
    """Signal exactly that process; False when it is gone."""
    fd = open_pidfd(pid, started)
    if fd is None:
        return False
    try:
        return signal_held(fd, number)
    finally:
        os.close(fd)


class Children:
    """Direct children of a single-threaded process, from a descriptor that is kept: it works when none is left."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        try:
            self._fd = os.open(f"/proc/{self._pid}/task/{self._pid}/children", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._fd = -1  # a kernel without that file

    def read(self) -> list[int]:
        if self._fd < 0:
            return [child for child in all_pids() if parent_of(child) == self._pid]
        os.lseek(self._fd, 0, os.SEEK_SET)
        chunks: list[bytes] = []
        while chunk := os.read(self._fd, 1 << 16):
            chunks.append(chunk)
        return [int(word) for word in b"".join(chunks).split()]


def all_pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:  # no procfs, or no descriptor left
        return []


def environment_of(pid: int) -> dict[bytes, bytes]:
    """The environment a process was started with; empty when we may not see it."""
    data = _read_proc(f"/proc/{pid}/environ") or b""
    pairs = (item.partition(b"=") for item in data.split(b"\0") if item)
    return {name: value for name, _, value in pairs}


def command_of(pid: int) -> str:
    """The command line for messages; empty when there is none to see."""
    data = _read_proc(f"/proc/{pid}/cmdline") or b""
    return data[:4096].replace(b"\0", b" ").decode("utf-8", "replace").strip()


def words_of(pid: int) -> list[bytes]:
    """The words of its command line; none of a zombie or a thread of the kernel."""
    data = _read_proc(f"/proc/{pid}/cmdline") or b""
    return data.removesuffix(b"\0").split(b"\0") if data else []


def link_of(pid: int, name: str) -> str:
    """What `cwd`, `exe` or `ns/mnt` of it names, by the kernel's own word (no disk is asked); "" when not for us."""
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return ""


def user_of(pid: int) -> int | None:
    """The effective user id. (The owner of its folder in /proc may be root instead.)"""
    for line in (_read_proc(f"/proc/{pid}/status") or b"").split(b"\n"):
        if line.startswith(b"Uid:"):
            return int(line.split()[2])
    return None


def _prctl(option: int, value: int) -> None:
    from supervisor.base import libc  # only daemons need it, and it takes a command 2 ms

    if libc.call("prctl", option, value, 0, 0, 0) != 0:
        number = libc.last_error()
        raise OSError(number, os.strerror(number), f"prctl {option}")


def become_subreaper() -> None:
    """Orphans below us become our children, so that nobody of ours gets lost to process 1."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def is_subreaper() -> bool:
    return bool(_prctl_get(PR_GET_CHILD_SUBREAPER))


def parent_signal() -> int:
    """What we get when our parent dies; 0: nothing. Only the process itself can ask this."""
    return _prctl_get(PR_GET_PDEATHSIG)


def _prctl_get(option: int) -> int:
    from supervisor.base import libc

    value = libc.Int(0)
    return value.value if libc.call("prctl", option, libc.written_to(value), 0, 0, 0) == 0 else 0


def die_with_parent(parent: int, number: int = _signal.SIGTERM) -> bool:
    """Ask for a signal when the parent dies; False: it is dead already, so go at once.

    Set by the process itself, after its handlers: a wrapper that sets it leaves a hole in which the
    parent dies unseen, which the comparison closes here.
    """
    _prctl(PR_SET_PDEATHSIG, number)
    return os.getppid() == parent
