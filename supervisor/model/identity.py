"""Which home is this? A random id in `logs/run/home_id`, which marks every process of the home.

Beside it stands the folder it was made for, as device and inode: a home that is moved keeps its id, a copy of it has
none and gets its own. With the same id the copy would end the original's processes as its own leftovers.
"""

from __future__ import annotations

import os

from supervisor.base.files import read_small

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

ID_LENGTH = 16


def read_home_id(home: Home) -> str:
    """The id, or "" when there is none that was made for this very folder."""
    try:
        made, place = _read(home)
        return made if is_id(made) and place == _place(home) else ""
    except (OSError, ValueError):
        return ""


def is_of_another(home: Home) -> bool:
    """Does the file name the id of another folder, of which this one is a copy? One that is lost or spoilt does not."""
    try:
        made, place = _read(home)
        return is_id(made) and bool(place) and place != _place(home)
    except (OSError, ValueError):
        return False


def is_id(text: object) -> bool:
    return isinstance(text, str) and len(text) == ID_LENGTH and not text.strip("0123456789abcdef")


def _read(home: Home) -> tuple[str, str]:
    made, _, place = read_small(home.id_file, 128).decode("ascii").strip().partition(" ")
    return made, place


def id_line(home: Home, made: str) -> bytes:
    return f"{made} {_place(home)}\n".encode()


def _place(home: Home) -> str:
    found = os.stat(home.path)
    return f"{found.st_dev}:{found.st_ino}"
