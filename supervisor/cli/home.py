"""Which home is meant: `--home`, SB_HOME, the nearest one upward, the checkout the launcher belongs to.

A folder found by walking upward decides which programs get started, so it counts only when it is the
caller's own: a home that somebody else put into /tmp must not be picked up by whoever passes by.
"""

from __future__ import annotations

import os
import stat

from supervisor.base.errors import BAD_SETTINGS, Problem
from supervisor.base.where import ROOT
from supervisor.model.home import Home


def find_home(option: str | None) -> Home:
    """The home, or a Problem that says how to make one."""
    named = option if option is not None else os.environ.get("SB_HOME")
    if named:
        return _named(named, "--home" if option is not None else "SB_HOME")
    found = _upward(_working_folder()) or _launchers()
    if found is None:
        raise Problem(
            "no home found",
            why="neither --home nor SB_HOME is set, and no folder from here upward has etc/sbctl.yaml (owned by you)",
            remedy="sbctl init DIR makes one; then: sbctl --home DIR start",
            code=BAD_SETTINGS,
        )
    return Home(found)


def _named(path: str, origin: str) -> Home:
    # One home, one name: what marks its processes is compared as text.
    home = Home(os.path.realpath(path))
    if not os.path.isdir(home.etc):
        raise Problem(
            f"{path} is no home",
            why=f"it has no folder etc/ (named by {origin})",
            remedy=f"sbctl init {path}",
            code=BAD_SETTINGS,
        )
    return home


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it has been removed
        return "/"


def _upward(folder: str) -> str | None:
    while True:
        if is_own(os.path.join(folder, "etc", "sbctl.yaml")) and is_own(folder):
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def is_own(path: str) -> bool:
    """Is it there, the caller's, and closed to others? (A group of one's own may write: umask 002 is common.)"""
    try:
        found = os.stat(path)
    except OSError:
        return False
    return found.st_uid == os.geteuid() and not found.st_mode & stat.S_IWOTH


def _launchers() -> str | None:
    return ROOT if os.path.isfile(os.path.join(ROOT, "etc", "sbctl.yaml")) else None
