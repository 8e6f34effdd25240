"""The files of a run's output, as they lie now."""

from __future__ import annotations

import os

from supervisor.base.rotation import HEAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

OLDER = ".1"


def run_logs(home: Home, plugin: str, run: str) -> list[str]:
    """What there is of it, in order: the head, of which the middle was left out, and the tail in at most two files."""
    path = home.run_log(plugin, run)
    return [name for name in (path + HEAD, path + OLDER, path) if os.path.isfile(name)]
