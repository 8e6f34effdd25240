"""Which servers have kept their process over something that must not touch them."""

from __future__ import annotations

from supervisor.base.counting import counted
from supervisor.base.errors import Problem
from supervisor.control.api import SCHEDULER
from supervisor.control.client import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.model.home import Home

    Pids = dict[str, int]  # of those that run, by name


def pids_now(home: Home) -> Pids | None:
    """None: nobody could be asked."""
    try:
        with connect(home, SCHEDULER) as client:
            rows = client.request("status")["rows"]
    except Problem:
        return None
    return {row["name"]: row["pid"] for row in rows if row["state"] == "running" and row["pid"]}


def replaced(before: Pids, after: Pids) -> list[str]:
    """Those that have another process now, or none."""
    return [name for name, pid in before.items() if after.get(name) != pid]


def told(before: Pids | None, after: Pids | None) -> str:
    """As a sentence goes on; "": nobody knows."""
    if before is None or after is None:
        return ""
    gone = replaced(before, after)
    if not gone:
        return f", {counted(len(before), 'server')} ran on" if before else ""
    kept = f"{len(before) - len(gone)} of {counted(len(before), 'server')} ran on"
    return f", {kept}, not {', '.join(gone)}: sbctl why {gone[0]}"
