"""Half-written files of killed commands: those that `write_atomic` makes of files that sbctl itself writes.

Anything else of such a name is somebody else's, and is left alone.
"""

from __future__ import annotations

import os
import re

from supervisor.base import proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

NAME = re.compile(r"\.(.+)\.(\d{1,9})\.tmp")
YOUNG_S = 60.0  # whoever makes it may be at it still
LONG_S = 3600.0  # ... or not, even if a process has that pid

# What sbctl writes in each folder; `*` in a folder stands for one part.
WRITTEN = {
    "": r"pause\.flag",
    "etc": r"sbctl\.yaml|scheduler\.(json|yaml)",
    "etc/schedules.d": r"[^/]+\.json",
    "etc/secrets": r"dashboard\.key",
    "plugins/*": r"manifest\.json",
    "logs": r"state\.json|(start|scheduler|config|tunnel)\.pid|history\.db\.waiting",
    "logs/*": r"server(-[1-9]\d{0,3})?\.pid",
    "logs/run": r"home_id|port|records(\.tunnel)?",
    "logs/run/code": r"of",
    "logs/run/settings/*": r"(start|sources)\.json",
}
SCRATCH = "doctor"  # of this command itself, in any folder that it tries


def find(home: Home, now: float) -> list[str]:
    found: dict[str, None] = {}
    for pattern, names in WRITTEN.items():
        for folder in _folders(home, pattern):
            for name in listed(folder):
                path = os.path.join(folder, name)
                pid = pid_of(name, names)
                if pid and _is_old(path, pid, now):
                    found[path] = None
    return list(found)


def pid_of(name: str, names: str) -> int:
    """Who was writing one of those; 0: it is none of them."""
    match = NAME.fullmatch(name)
    return int(match[2]) if match and (re.fullmatch(names, match[1]) or match[1] == SCRATCH) else 0


def _folders(home: Home, pattern: str) -> list[str]:
    parent, _, last = pattern.rpartition("/")
    if last != "*":
        return [home.join(pattern)]
    return [home.join(parent, name) for name in listed(home.join(parent))]


def listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _is_old(path: str, pid: int, now: float) -> bool:
    try:
        age = now - os.lstat(path).st_mtime
    except OSError:
        return False
    regular = os.path.isfile(path) and not os.path.islink(path)
    return regular and (age > LONG_S or (age > YOUNG_S and not proc.is_alive(pid)))
