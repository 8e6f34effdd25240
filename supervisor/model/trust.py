"""As root: is this home root's own? Whoever else can write what a start reads commands root.

The compiler judges every settings file; this is what has to hold before its earlier outcome is believed, so it is
asked at each start. It costs a handful of stats.
"""

from __future__ import annotations

import os

from supervisor.base.errors import NO_PERMISSION, Problem
from supervisor.base.ownership import danger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

ROLES = ("start", "scheduler", "tunnel")


def check_own(home: Home) -> None:
    """Refuse a home that somebody but root could change. Only root has this to fear."""
    if os.geteuid() != 0:
        return
    for path in _places(home):
        found = danger(path)
        if found is not None:
            message, remedy = found
            raise Problem(f"{path} {message}", why="sbctl runs as root", remedy=remedy, code=NO_PERMISSION)


def _places(home: Home) -> list[str]:
    compiled = [home.compiled_file(role) for role in ROLES]
    folders = [home.path, home.etc, home.plugins, home.logs, home.run, home.revisions]
    return [*folders, os.path.dirname(compiled[0]), *compiled]
