"""Signals to processes of a service that have left its group, or lost their parent, and are proven to be its own."""

from __future__ import annotations

import os


def signal_escaped(leader: int, pids: list[int], number: int) -> None:
    """Processes of it that are our children now, so that their pids can't be reused before we reap them.

    Once each: many a server takes a second SIGTERM for "at once". Whoever has lost its parent, but is still in the
    service's own group, has heard it with the group.
    """
    groups: set[int] = {leader}
    for pid in pids:
        try:
            group = os.getpgid(pid)
            if group == pid:
                os.killpg(pid, number)
                groups.add(group)
        except OSError:
            continue
    for pid in pids:
        try:
            if os.getpgid(pid) not in groups:
                os.kill(pid, number)
        except OSError:
            continue
