"""What a daemon says of itself when `sbctl doctor` asks: things that nobody else can find out."""

from __future__ import annotations

import os
import resource

from supervisor.base import proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def of_this_process() -> dict[str, Any]:
    """Cheap: a few system calls, and none that asks a disk."""
    return {
        "pid": os.getpid(),
        "started": proc.start_time(os.getpid()),
        "subreaper": proc.is_subreaper(),
        "parent_signal": proc.parent_signal(),
        "open_files": _open_files(),
        "open_files_limit": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "boot_id": proc.boot_id(),
    }


def _open_files() -> int:
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # without the one that lists them
    except OSError:
        return 0
