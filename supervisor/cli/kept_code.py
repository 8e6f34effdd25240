"""The code that a tree was started from, kept while its checkout goes on: `git pull` replaces files, and an upgrade
that does not hold needs the old ones.

They are copies: of a second name for the same file a `chown -R` of somebody's home would change the program, too.
"""

from __future__ import annotations

import os

from supervisor.base.files import write_atomic
from supervisor.base.where import ROOT, checkout, own_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

OF = "of"  # a file that says of which process, and what that was called by
PACKAGE = "supervisor"


def keep_code(home: Home, pid: int) -> None:
    """For the `start` of that pid. If it can't be done (a full disk, say), then only the way back is lost."""
    if checkout() != ROOT:
        return  # installed: nobody changes it
    folder = home.kept_code
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        _keep_all(os.path.join(ROOT, PACKAGE), os.path.join(folder, PACKAGE))
        write_atomic(os.path.join(folder, OF), _sign(pid, own_program()[1]))
    except OSError:
        return


def kept_code(home: Home, pid: int, main: str, loaded: float) -> str:
    """The folder of the package that the `start` of that pid was loaded from, at that time and by the name `main`;
    "": it is not there as it was.
    """
    package = os.path.join(home.kept_code, PACKAGE)
    try:
        with open(os.path.join(home.kept_code, OF), "rb") as file:
            is_ours = file.read() == _sign(pid, main)
        return package if is_ours and _newest(package) < loaded else ""
    except OSError:
        return ""


def _sign(pid: int, main: str) -> bytes:
    return f"{pid} {main}\n".encode("utf-8", "surrogateescape")


def _keep_all(source: str, target: str) -> None:
    """As it is now; what is there already is not written again."""
    os.makedirs(target, exist_ok=True)
    left = set(os.listdir(target))
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name == "__pycache__":
                continue
            left.discard(entry.name)
            if entry.is_dir(follow_symlinks=False):
                _keep_all(entry.path, f"{target}/{entry.name}")
            else:
                _keep(entry, f"{target}/{entry.name}")
    for name in left:
        _remove(f"{target}/{name}")


def _keep(entry: os.DirEntry[str], target: str) -> None:
    wanted = entry.stat()
    try:
        found = os.lstat(target)
        if (found.st_size, found.st_mtime_ns) == (wanted.st_size, wanted.st_mtime_ns):
            return
    except FileNotFoundError:
        pass
    with open(entry.path, "rb") as source, open(target, "wb") as file:  # cut off: its time says so
        file.write(source.read())
    os.utime(target, ns=(wanted.st_atime_ns, wanted.st_mtime_ns))


def _newest(folder: str) -> float:
    """When any of its files was last written to. (To get or lose a name is another time.)"""
    newest = 0.0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name != "__pycache__":
                is_folder = entry.is_dir(follow_symlinks=False)
                newest = max(newest, _newest(entry.path) if is_folder else entry.stat(follow_symlinks=False).st_mtime)
    return newest


def _remove(path: str) -> None:
    if not os.path.isdir(path) or os.path.islink(path):
        os.unlink(path)
        return
    for name in os.listdir(path):
        _remove(f"{path}/{name}")
    os.rmdir(path)
