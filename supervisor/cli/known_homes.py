"""The homes that this user has started something in: a folder with one small file for each.

One file a home needs no lock and can't be torn: two starts at one moment write two files. It serves `sbctl homes`
alone; that it can't be written is never a reason not to start.
"""

from __future__ import annotations

import os

from supervisor.base.files import read_small, remove_quietly, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

MAX_PATH = 4096
SHOWN_LETTERS = 60


def folder() -> str:
    """$XDG_STATE_HOME/sbctl/homes, or "" for a user who has no place of the kind."""
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):
        user = os.path.expanduser("~")
        base = os.path.join(user, ".local", "state") if os.path.isabs(user) else ""
    return os.path.join(base, "sbctl", "homes") if base else ""


def remember(home: Home) -> None:
    """At each start; mostly it is known already."""
    place = folder()
    if not place:
        return
    path = _file(place, home.path)
    try:
        if _read(path) == home.path:
            return
        os.makedirs(place, 0o700, exist_ok=True)
        write_atomic(path, os.fsencode(home.path) + b"\n")
    except OSError:
        return


def known() -> list[str]:
    """Their paths, sorted. A file that is none of ours is passed over."""
    place = folder()
    try:
        names = os.listdir(place) if place else []
    except OSError:
        return []
    paths = {path for name in names if not name.startswith(".") and (path := _read(os.path.join(place, name)))}
    return sorted(paths)


def forget(path: str) -> None:
    remove_quietly(_file(folder(), path))


def _read(file: str) -> str:
    try:
        path = os.fsdecode(read_small(file, MAX_PATH + 1)).removesuffix("\n")
    except OSError:
        return ""
    return path if os.path.isabs(path) and os.path.basename(file) == os.path.basename(_file("", path)) else ""


def _file(place: str, path: str) -> str:
    """A name that tells people which it is, and a sum that tells all paths apart."""
    from zlib import crc32

    shown = "".join(char if char.isascii() and char.isalnum() else "-" for char in path.strip("/"))
    return os.path.join(place, f"{shown[-SHOWN_LETTERS:]}.{crc32(os.fsencode(path)):08x}")
