"""The folder that a server of another user writes its files to: SB_LOG_DIR, below the one that holds its log.

Whoever owns a folder can put a link in the place of each file in it, so the folder of the log, which we write as root,
stays ours, and the server gets one inside it. No link is followed here either.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.service import Launch, User

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def make_own_folder(launch: Launch) -> None:
    """Before each start, for it costs little and a person may have removed it or named another user."""
    path = launch.env.get("SB_LOG_DIR", "")
    if launch.user is None or not path:
        return
    parent, name = os.path.split(path)
    try:
        os.makedirs(parent, 0o755, exist_ok=True)
        fd = os.open(parent, _FLAGS)
        try:
            _make(fd, name, launch.user)
        finally:
            os.close(fd)
    except OSError:
        return  # it starts all the same: many a server writes nothing there, and one that does says what fails


def _make(parent: int, name: str, user: User) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        pass
    fd = os.open(name, _FLAGS, dir_fd=parent)
    try:
        found = os.fstat(fd)
        if (found.st_uid, found.st_gid) != (user.uid, user.gid):
            os.fchown(fd, user.uid, user.gid)
    finally:
        os.close(fd)
