"""The account a plugin runs as. Looked up here, in a process that may wait: a name server can hang."""

from __future__ import annotations

import grp
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


def _group(name: str | int) -> grp.struct_group:
    if isinstance(name, str) and name.isascii() and name.isdigit():
        name = int(name)
    return grp.getgrgid(name) if isinstance(name, int) else grp.getgrnam(name)


def check_group(name: str | int) -> None:
    try:
        _group(name)
    except (KeyError, ValueError, OverflowError):
        raise wrong(f"there is no group {str(name)[:40]!r} here", "create it, or name another one") from None


def find_account(name: str | int, groups: list[str | int] | None = None) -> User:
    """For names that have been checked; `groups` come to those the account has."""
    entry = _entry(name)
    own = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return User(
        name=entry.pw_name,
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        groups=tuple(sorted({*own, *(_group(each).gr_gid for each in groups or ())})),
        home=entry.pw_dir,
    )
