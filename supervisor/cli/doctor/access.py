"""Who may read what is secret: etc/secrets, the sockets and compiled settings in logs/run, files of environments."""

from __future__ import annotations

import os
import stat

from supervisor.cli.doctor.check import PROBLEM, WARNING, Check, all_well

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.cli.doctor.exam import Exam

FOLDER, FILE, NOT_FOR_ALL = 0o700, 0o600, 0o770
MAX_FILES = 1000


class Seen:
    """A file or folder, how it is and how it should be."""

    __slots__ = ("is_link", "mode", "owner", "path", "want")

    def __init__(self, path: str, want: int) -> None:
        found = os.lstat(path)
        self.path = path
        self.want = want  # no bit beyond these
        self.mode = stat.S_IMODE(found.st_mode)
        self.owner = found.st_uid
        self.is_link = stat.S_ISLNK(found.st_mode)


def look(exam: Exam) -> list[Check]:
    home = exam.home
    secret = [*_seen([home.secrets, home.run], FOLDER), *_seen(_files(home.secrets), FILE)]
    environments = {str(launch["env_file"]) for launch in exam.launches().values() if launch.get("env_file")}
    seen = [*secret, *_seen(sorted(environments), NOT_FOR_ALL)]
    return all_well(judge(seen, os.geteuid()), "modes", "secrets, sockets and compiled settings are this user's alone")


def _files(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))[:MAX_FILES]]
    except OSError:
        return []


def _seen(paths: Iterable[str], want: int) -> list[Seen]:
    found: list[Seen] = []
    for path in paths:
        try:
            found.append(Seen(path, want))
        except OSError:
            continue
    return found


def judge(seen: list[Seen], user: int) -> list[Check]:
    found: list[Check] = []
    for each in seen:
        beyond = 0 if each.is_link else each.mode & 0o077 & ~each.want
        if not beyond:
            continue
        who = "everybody" if beyond & 0o007 else "its group"
        does = "change" if beyond & 0o022 else "read"
        right = each.mode & each.want
        found.append(
            Check(
                os.path.basename(each.path),
                f"{who} can {does} it ({each.mode:04o})",
                level=PROBLEM if each.want == FILE or beyond & 0o022 else WARNING,
                where=each.path,
                why="who has what is in it can command sbctl, or act in its name",
                next=f"chmod {right:o} '{each.path}'",
                mend=(lambda each=each, right=right: _set_mode(each, right)) if each.owner == user else None,  # type: ignore[misc]
            )
        )
    return found


def _set_mode(each: Seen, mode: int) -> str:
    """Of the very file that was looked at, not of what a link leads to."""
    fd = os.open(each.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fchmod(fd, mode)
    finally:
        os.close(fd)
    return f"mode of {each.path} set to {mode:04o} (it was {each.mode:04o})"
