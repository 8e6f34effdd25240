"""As root: who else could change what runs? Whoever can write a settings file commands root."""

from __future__ import annotations

import os
import stat

from supervisor.base.ownership import danger
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
        above = any(home.startswith(f"{path.rstrip('/')}/") for home in (self._home, self._shown))
        found = danger(path, above=above)
        if found is None:
            return None
        message, remedy = found
        if not above and self._is_shared(path):
            remedy = f"keep what lies in {path} in the home, not behind a link"
        return Finding(shown(path, self._shown), 0, 0, "", message, remedy)

    def _is_shared(self, path: str) -> bool:
        """A folder like /tmp, reached through a link: others need it as it is."""
        inside = any(path == home or path.startswith(f"{home}/") for home in (self._home, self._shown))
        return not inside and bool(os.stat(path).st_mode & stat.S_ISVTX)


def _with_parents(path: str) -> list[str]:
    chain = [path]
    while (parent := os.path.dirname(chain[-1])) != chain[-1]:
        chain.append(parent)
    return chain


def shown(path: str, home: str) -> str:
    """The path as messages have it: relative to the home where it lies in it."""
    return os.path.relpath(path, home) if path.startswith(f"{home}/") else path
