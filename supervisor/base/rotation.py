"""The files of one log: the newest under its plain name, older ones behind it, each with an index of its times.

    server.log        server.log.idx        being written
    server.log.1      server.log.1.idx
    server.log.2.gz   server.log.2.idx      packed, from 2 on

Of a log whose beginning matters most (that of a run) the first file stays as `.head`, and the middle goes.

Files move on by one with each rotation. Highest first and an index before its file, so that a kill between two of
these renames loses nothing but, at worst, the times of one file.
"""

from __future__ import annotations

import os
import stat

from supervisor.base.files import remove_quietly

PACKED = ".gz"
INDEX = ".idx"
HEAD = ".head"
FORMS = ("", PACKED)
MAX_FILES = 1100  # of one log; more are not looked for
MAX_GAP = 2  # numbers without a file, after which there are no more unless the folder says so


class Rotated:
    """One older file of a log, as it was found."""

    __slots__ = ("inode", "mtime", "name", "number", "size")

    def __init__(self, name: str, number: int, found: os.stat_result) -> None:
        self.name = name
        self.number = number
        self.size = found.st_size
        self.inode = found.st_ino
        self.mtime = found.st_mtime

    @property
    def packed(self) -> bool:
        return self.name.endswith(PACKED)


def index_of(name: str) -> str:
    """Where the times of that file are, packed or not."""
    return name.removesuffix(PACKED) + INDEX


def rotated(path: str) -> list[Rotated]:
    """The older files of a log, newest first; both forms where a kill has left both.

    Its folder is read, in which a plugin may have a hundred thousand files of its own: not for a daemon's loop.
    """
    return _look_for(path, 1, last_number(path))


def in_a_row(path: str, first: int = 1) -> list[Rotated]:
    """The same from that number on, until too many are missing: each costs a look at two names."""
    return _look_for(path, first, 0)


def last_number(path: str) -> int:
    """The highest one that there is now; 0: none, or nobody can tell."""
    folder, name = os.path.split(path)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return 0
    ends = [each[len(name) + 1 :].removesuffix(PACKED) for each in names if each.startswith(name + ".")]
    numbers = [int(end) for end in ends if end.isdecimal() and end.isascii()]
    return max((number for number in numbers if number < MAX_FILES), default=0)


def _look_for(path: str, first: int, last: int) -> list[Rotated]:
    """At least up to the last one: a rotation may move it on meanwhile."""
    found: list[Rotated] = []
    missing = 0
    for number in range(first, MAX_FILES):
        here = [each for form in FORMS if (each := _look(f"{path}.{number}{form}", number)) is not None]
        found += here
        missing = 0 if here else missing + 1
        if missing > MAX_GAP and number >= last:
            break
    return found


def _look(name: str, number: int) -> Rotated | None:
    try:
        found = os.stat(name, follow_symlinks=False)
    except OSError:
        return None
    return Rotated(name, number, found) if stat.S_ISREG(found.st_mode) else None


def shift(path: str, keep: int) -> None:
    """server.log -> .1 -> .2 ...; what would get a number above `keep` goes."""
    if keep <= 0:
        os.unlink(path)
        remove_quietly(path + INDEX)
        return
    last = 1
    while last < keep and _is_taken(path, last):
        last += 1
    remove(path, last)
    for number in range(last, 1, -1):
        _move_on(f"{path}.{number - 1}", f"{path}.{number}", FORMS)
    _move_on(path, f"{path}.1", ("",))


def keep_head(path: str) -> bool:
    """The first file of a log becomes its head; False: it has one."""
    if os.path.lexists(path + HEAD):
        return False
    _rename(path, path + HEAD)
    return True


def remove(path: str, number: int) -> None:
    """That older file of the log, in whichever form, and its times."""
    if _is_taken(path, number):  # else an index there waits for its file: see shift
        remove_quietly(f"{path}.{number}{INDEX}")
    for form in FORMS:
        remove_quietly(f"{path}.{number}{form}")


def trim(paths: tuple[str, ...], budget: int, reserve: int) -> list[str]:
    """Remove the oldest files of these logs until all fit, with `reserve` for those being written. Says which.

    At each rotation, in the loop: what lies behind a gap is left to the tidying child.
    """
    files = sorted((each.mtime, -each.number, path, each) for path in paths for each in in_a_row(path))
    size = sum(each.size for _, _, _, each in files)
    gone: list[str] = []
    for _, _, path, each in files:
        if size + reserve <= budget:
            break
        size -= each.size
        remove(path, each.number)
        gone.append(each.name)
    return gone


def _is_taken(path: str, number: int) -> bool:
    return any(os.path.lexists(f"{path}.{number}{form}") for form in FORMS)


def _move_on(old: str, new: str, forms: tuple[str, ...]) -> None:
    _rename(old + INDEX, new + INDEX)
    for form in forms:
        _rename(old + form, new + form)


def _rename(old: str, new: str) -> None:
    try:
        os.rename(old, new)
    except FileNotFoundError:
        return  # there is none, or a person took it away meanwhile
