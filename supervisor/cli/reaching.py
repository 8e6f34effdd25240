"""Asking the scheduler while `start` is about to replace it: after a crash, a restart, an upgrade.

Its services run on in that time, so nobody has to hear that it is not there: the question waits a moment.
"""

from __future__ import annotations

import time

from supervisor.base.errors import NOT_RUNNING, Problem
from supervisor.control.api import SCHEDULER, START
from supervisor.control.client import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from supervisor.control.client import Client
    from supervisor.model.home import Home

    T = TypeVar("T")

PATIENCE_S = 6.0  # more than the first delay after a crash
EVERY_S = 0.02
COMING = ("starting", "running", "stopping", "waiting", "backoff")  # running: it does not listen yet, or has just died


def reach(home: Home, role: str, do: Callable[[Client], T], *, again: bool = True) -> T:
    """What `do` makes of a connection to that daemon.

    `again`: it may be done once more with the successor, if the daemon ends before it has answered.
    """
    until = 0.0
    while True:
        connected = False
        try:
            with connect(home, role) as client:
                connected = True
                return do(client)
        except Problem as problem:
            if problem.code != NOT_RUNNING or role != SCHEDULER or (connected and not again):
                raise
            if connected or not until:
                until = time.monotonic() + PATIENCE_S
            if time.monotonic() > until or not is_coming(home, until - time.monotonic()):
                raise
        time.sleep(EVERY_S)


def is_coming(home: Home, within: float = PATIENCE_S) -> bool:
    """Does `start` want a scheduler up, and will it try so soon?"""
    try:
        with connect(home, START) as client:
            rows: list[dict[str, Any]] = client.request("status")["rows"]
    except Problem:
        return False
    row = next((row for row in rows if row["name"] == SCHEDULER), None)
    if row is None or row["desired"] != "up" or row["state"] not in COMING:
        return False
    from supervisor.cli.times import parse_iso  # seldom needed, and it loads `re`

    retry_at = parse_iso(row["next_retry_at"])
    return retry_at is None or retry_at - time.time() < within
