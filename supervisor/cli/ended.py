"""Why a tree that has stopped did so by itself: the end of a critical service, as `start` wrote it down."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

LOOK_BACK = 1 << 16
CRITICAL, BEGAN = "service.critical", "start.began"


def ended_by(home: Home) -> str:
    """In its words; "": nobody, or a person, has ended it."""
    if CRITICAL.encode() not in _tail(home.start_log):
        return ""
    from supervisor.events import reading  # seldom needed

    for event in reversed(reading.tail(home.start_log, LOOK_BACK)):
        if event.get("kind") == BEGAN:
            break
        if event.get("kind") == CRITICAL:
            return str(event.get("text"))
    return ""


def _tail(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.pread(fd, LOOK_BACK, max(os.fstat(fd).st_size - LOOK_BACK, 0))
    except OSError:
        return b""
    finally:
        os.close(fd)
