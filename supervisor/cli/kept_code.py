"""The code that a tree was started from, kept while its checkout goes on: `git pull` replaces files, and an upgrade
that does not hold needs the old ones. Each gets a second name (a hard link): a few milliseconds, and no room.
"""

from __future__ import annotations

import os

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
        _remove(folder)
        os.makedirs(folder, mode=0o700)
        _keep_all(os.path.join(ROOT, PACKAGE), os.path.join(folder, PACKAGE))
        with open(os.path.join(folder, OF), "wb") as file:
            file.write(_sign(pid, own_program()[1]))
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
    os.mkdir(target)
    with os.scandir(source) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                _keep(entry, f"{target}/{entry.name}")
            elif entry.name != "__pycache__":
                _keep_all(entry.path, f"{target}/{entry.name}")


def _keep(entry: os.DirEntry[str], target: str) -> None:
    try:
        os.link(entry.path, target, follow_symlinks=False)
    except OSError:  # on another file system, or somebody else's
        with open(entry.path, "rb") as source, open(target, "wb") as file:
            file.write(source.read())
        found = entry.stat()
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def _newest(folder: str) -> float:
    """When any of its files was last written to. (To get or lose a name is another time.)"""
    newest = 0.0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name != "__pycache__":
                is_folder = entry.is_dir(follow_symlinks=False)
                newest = max(newest, _newest(entry.path) if is_folder else entry.stat(follow_symlinks=False).st_mtime)
    return newest


def _remove(folder: str) -> None:
    if not os.path.isdir(folder) or os.path.islink(folder):
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _remove(entry.path)
            else:
                os.unlink(entry.path)
    os.rmdir(folder)
