"""Which home is meant: `--home`, SB_HOME, the nearest one upward, the checkout the launcher belongs to.

A folder found by walking upward decides which programs get started, so it is used only when it is the caller's own: a
home that somebody else put into /tmp must not be picked up by whoever passes by. It is an error then, and no reason to
look further: whoever stands in one home must not start or stop another.
"""

from __future__ import annotations

import os
import stat

from supervisor.base.errors import BAD_SETTINGS, USAGE, Problem
from supervisor.base.where import checkout
from supervisor.cli.out import name_home, note
from supervisor.model.home import Home

ROOT = checkout()  # the launcher's; "": there is none
SETTINGS = ("sbctl.yaml", "scheduler.json", "scheduler.yaml")  # below etc/: any of them makes a home


def find_home(option: str | None, *, changing: bool = False, maker: str = "") -> Home:
    """The home, or a Problem that says how to make one. `changing`: say which, should it not be plain from here.

    `maker`: the words of a verb that makes a home itself, of a free folder that is named.
    """
    name_home(None)
    if option is not None:
        home = _named(option, "--home", maker)
        name_home(None if _is_found_anyway(home) else option)
        return home
    named = os.environ.get("SB_HOME")
    if named:
        return _named(named, "SB_HOME", maker)
    found = _upward(_working_folder())
    if found is None and ROOT and sign_of_home(ROOT):
        found = ROOT
        if changing:
            note(f"home: {found}")
    if found is None:
        raise Problem(
            "no home found",
            why="neither --home nor SB_HOME is set, and no folder from here upward has etc/sbctl.yaml",
            remedy=_in_free(maker) or "sbctl init DIR makes one; then: sbctl --home DIR start",
            code=BAD_SETTINGS,
        )
    return Home(found)


def _is_found_anyway(home: Home) -> bool:
    """Would a command without --home mean this one?"""
    named = os.environ.get("SB_HOME")
    try:
        found = named or _upward(_working_folder()) or (ROOT if ROOT and sign_of_home(ROOT) else "")
    except Problem:
        return False
    return bool(found) and os.path.realpath(found) == home.path


def _in_free(maker: str) -> str:
    return maker and f"sbctl --home DIR {maker}, where DIR is an empty folder or none yet"


def _named(path: str, origin: str, maker: str) -> Home:
    if not path:
        raise Problem(f"{origin} names no folder", remedy="sbctl --home DIR VERB; . is this folder", code=USAGE)
    # One home, one name: what marks its processes is compared as text.
    home = Home(os.path.realpath(path))
    if os.path.isdir(home.etc) or sign_of_home(home.path) or (maker and is_free(home.path)):
        return home
    other = _other_things(home.path) if maker else []
    raise Problem(
        f"{path} is no home",
        why=f"it has no folder etc/ (named by {origin})" + (f", and there is {other[0]} in it" if other else ""),
        remedy=_in_free(maker) or f"sbctl init {path}",
        code=BAD_SETTINGS,
    )


def is_free(folder: str) -> bool:
    """Is there nothing, or nothing but what a try to make a home has left?"""
    return not os.path.lexists(folder) or (os.path.isdir(folder) and not _other_things(folder))


def _other_things(folder: str) -> list[str]:
    try:
        return sorted(set(os.listdir(folder)) - {"logs", "lost+found"})
    except OSError:
        return ["."]  # which nobody but its owner may look at


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it has been removed
        return "/"


def _upward(folder: str) -> str | None:
    while True:
        sign = sign_of_home(folder)
        if sign:
            for path in (folder, sign):
                _check_own(path, folder)
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def sign_of_home(folder: str) -> str:
    """The file that makes this folder a home, or "": settings, or the manifest of a plugin."""
    for name in SETTINGS:
        path = os.path.join(folder, "etc", name)
        if os.path.lexists(path):
            return path
    plugins = os.path.join(folder, "plugins")
    try:
        names = sorted(os.listdir(plugins))
    except OSError:
        return ""
    manifests = (os.path.join(plugins, name, "manifest.json") for name in names)
    return next((path for path in manifests if os.path.isfile(path)), "")


def _check_own(path: str, folder: str) -> None:
    """Refuse what is not the caller's or open to others. (A group of one's own may write: umask 002 is common.)"""
    try:
        found = os.stat(path)
    except OSError as error:
        why, mend = f"{path}: {error.strerror}", ""
    else:
        if found.st_uid != os.geteuid():
            why, mend = f"{path} belongs to user {found.st_uid}, not to you", ""
        elif found.st_mode & stat.S_IWOTH:
            why, mend = f"everybody can write {path}", f"chmod o-w '{path}', or "
        else:
            return
    raise Problem(
        f"{folder} is a home, but is not used without being named",
        why=why,
        remedy=f"{mend}if you trust what is in it: sbctl --home '{folder}' VERB",
        code=BAD_SETTINGS,
    )
