"""The account a plugin runs as. Looked up here, in a process that may wait: a name server can hang."""

from __future__ import annotations

import os
import pwd

from supervisor.model.service import User
from supervisor.settings.shape import wrong


def _entry(name: str | int) -> pwd.struct_passwd:
    if isinstance(name, str) and name.isascii() and name.isdigit():
        name = int(name)
    return pwd.getpwuid(name) if isinstance(name, int) else pwd.getpwnam(name)


def check_account(name: str | int) -> None:
    try:
        _entry(name)
    except (KeyError, ValueError, OverflowError):
        raise wrong(f"there is no account {str(name)[:40]!r} here", "create it, or name another one") from None


def find_account(name: str | int) -> User:
    """For a name that has been checked."""
    entry = _entry(name)
    return User(
        name=entry.pw_name,
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        groups=tuple(sorted(os.getgrouplist(entry.pw_name, entry.pw_gid))),
        home=entry.pw_dir,
    )
