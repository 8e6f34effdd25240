"""Files that survive a kill between any two lines: atomic writes, PID files, locks, socket paths."""

from __future__ import annotations

import errno
import fcntl
import os
import stat

MAX_SMALL_FILE = 1 << 20


def write_atomic(path: str, data: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
    """Replace `path` as a whole: a reader sees the old content or the new, never a half.

    `durable` waits for the disk and is therefore not for a daemon's loop.
    """
    folder, name = os.path.split(path)
    temp = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        try:
            write_all(fd, data)
            os.fchmod(fd, mode)  # whatever the umask said
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(temp, path)
    except OSError:
        remove_quietly(temp)
        raise
    if durable:
        sync_folder(folder)


def write_all(fd: int, data: bytes) -> None:
    """os.write may take less than it was given (a full disk, a signal); this takes all or raises."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_folder(folder: str) -> None:
    """Make a rename inside `folder` durable."""
    fd = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read_small(path: str, limit: int = MAX_SMALL_FILE) -> bytes:
    """The content of a regular file of at most `limit` bytes; never waits on a FIFO or a device."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "a FIFO, not a file", path)  # it would read as empty
        chunks: list[bytes] = []
        left = limit + 1
        while left > 0:
            chunk = os.read(fd, min(left, MAX_SMALL_FILE))  # room for so much is made before
            if not chunk:
                break
            chunks.append(chunk)
            left -= len(chunk)
        if left <= 0:
            raise OSError(errno.EFBIG, f"larger than {limit} bytes", path)
        return b"".join(chunks)
    finally:
        os.close(fd)


def look_at(path: str) -> tuple[int, int]:
    """(size, inode) of a file; zeros when there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_size, found.st_ino


def remove_quietly(path: str) -> None:
    """Remove a file if it is there and we may; that it stays is never worth a crash."""
    try:
        os.unlink(path)
    except OSError:
        return


def take_lock(path: str) -> int | None:
    """An exclusive `flock` held for as long as the returned descriptor is open; None: somebody has it.

    The kernel frees it when the holder dies in whatever way, so it can't go stale.
    """
    return _locked(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def lock_folder(path: str) -> int | None:
    """The same of a folder, which needs no file and so no room on a full disk."""
    return _locked(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))


def _locked(fd: int) -> int | None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    except BaseException:
        os.close(fd)
        raise
    return fd


def write_pid_file(path: str, pid: int) -> None:
    """Pid and a newline, nothing else, so that `pgrep -F` works."""
    write_atomic(path, b"%d\n" % pid, mode=0o644)


def publish_pid_file(path: str, pid: int) -> None:
    """The same, with its folder, and no matter if it fails: it informs people, nothing depends on it."""
    try:
        write_pid_file(path, pid)
    except FileNotFoundError:
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_pid_file(path, pid)
        except OSError:
            return
    except OSError:
        return


def read_pid_file(path: str) -> int | None:
    """The pid in a PID file, or None for anything that is not exactly a positive number.

    It is information for people: nothing is ever signalled on its word alone.
    """
    try:
        text = read_small(path, 64).strip()
    except OSError:
        return None
    if not text.isdigit() or len(text) > 9:
        return None
    return int(text) or None


def socket_address(folder_fd: int, name: str) -> str:
    """An address below 108 bytes for a socket in a folder whose own path may be longer than that."""
    return f"/proc/self/fd/{folder_fd}/{name}"


def in_the_way(path: str) -> str:
    """What has the log's name and is no file, so that nothing is written to it; "": nothing has."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return ""
    kinds = {stat.S_IFREG: "", stat.S_IFLNK: "link", stat.S_IFIFO: "pipe", stat.S_IFDIR: "folder"}
    return kinds.get(stat.S_IFMT(mode), "device")
