"""As root: who else could change what runs? Whoever can write a settings file commands root.

Above the home a writable folder is fine when it is sticky, as /tmp is, and its owner does not matter: what
someone puts in the place of the home would be his own, and that is refused.
"""

from __future__ import annotations

import os
import stat

from supervisor.model.home import Home
from supervisor.settings.findings import Finding


class Permissions:
    """Looks at each file and folder once."""

    def __init__(self, home: Home, uid: int | None = None) -> None:
        self._uid = os.geteuid() if uid is None else uid
        self._home = os.path.realpath(home.path)
        self._shown = home.path
        self._known: dict[str, Finding | None] = {}

    def findings(self, path: str) -> list[Finding]:
        """What is wrong with `path` and the folders that lead to it; nothing unless we are root."""
        if self._uid != 0:
            return []
        found: list[Finding] = []
        for link_or_real in {path, os.path.realpath(path)}:
            found += [finding for each in _with_parents(link_or_real) if (finding := self._judge(each))]
        return found

    def _judge(self, path: str) -> Finding | None:
        if path not in self._known:
            self._known[path] = self._look(path)
        return self._known[path]

    def _look(self, path: str) -> Finding | None:
        try:
            seen = os.stat(path)
        except OSError:
            return None  # not there, or not to be read: the reader says so
        above = self._home.startswith(f"{path.rstrip('/')}/") or self._shown.startswith(f"{path.rstrip('/')}/")
        if seen.st_uid != 0 and not above:
            return self._refuse(
                path, f"belongs to user {seen.st_uid}, who could change what root runs", f"chown root {path}"
            )
        if above and seen.st_mode & stat.S_ISVTX:
            return None
        if seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            who = "everybody" if seen.st_mode & stat.S_IWOTH else "its group"
            return self._refuse(path, f"can be written by {who}, who could change what root runs", f"chmod go-w {path}")
        return None

    def _refuse(self, path: str, message: str, remedy: str) -> Finding:
        return Finding(shown(path, self._shown), 0, 0, "", message, remedy)


def _with_parents(path: str) -> list[str]:
    chain = [path]
    while (parent := os.path.dirname(chain[-1])) != chain[-1]:
        chain.append(parent)
    return chain


def shown(path: str, home: str) -> str:
    """The path as messages have it: relative to the home where it lies in it."""
    return os.path.relpath(path, home) if path.startswith(f"{home}/") else path
