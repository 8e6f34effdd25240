"""Who had to be killed while a stop was waited for: the journal knows, whoever wrote it may have ended."""

from __future__ import annotations

import os

from supervisor.cli.out import note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    from supervisor.model.home import Home

LOOK_BACK = 1 << 20
KIND = "service.killed"
SLACK_S = 0.01  # the journal has milliseconds


def tell_killed(killed: list[str]) -> None:
    """Name them, on stderr: they may have lost something."""
    if killed:
        note(f"{len(killed)} had to be killed: {', '.join(killed)}")


def killed_among(home: Home, since: float, names: Container[str]) -> list[str]:
    return [name for name in killed_since(home, since) if name in names]


def killed_since(home: Home, since: float) -> list[str]:
    """Services for which the friendly signal was not enough, from that wall time on."""
    if not _is_mentioned(home.journal_file):
        return []
    from supervisor.cli.times import parse_iso  # seldom needed, and it takes longer than a stop
    from supervisor.events import reading

    events = [event for event in reading.tail(home.journal_file, LOOK_BACK) if event.get("kind") == KIND]
    found = [event for event in events if (parse_iso(event.get("at")) or 0.0) >= since - SLACK_S]
    return sorted({str(event.get("service")) for event in found})


def _is_mentioned(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return KIND.encode() in os.pread(fd, LOOK_BACK, max(os.fstat(fd).st_size - LOOK_BACK, 0))
    except OSError:
        return False
    finally:
        os.close(fd)
