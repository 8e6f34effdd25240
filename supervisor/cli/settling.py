"""Waiting until services are what they were asked to be, and saying what is not."""

from __future__ import annotations

import time

from supervisor.base.errors import NOT_RUNNING, Problem
from supervisor.cli.details import mask_facts
from supervisor.cli.reaching import reach
from supervisor.control.api import SCHEDULER, START, role_of
from supervisor.control.client import connect
from supervisor.model.rows import UP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from supervisor.control.client import Client
    from supervisor.model.home import Home

    Row = dict[str, Any]
    Rows = list[Row]

LONG_S = 3600.0  # without a limit of the asker a stop ends when the last grace does
EXTRA_S = 3.0  # for the answer, beyond the time the daemon itself was given
RETRY_S = 0.01
DOWN = ("stopped", "failed", "backoff")


def settle_all(home: Home, wait: float) -> Rows:
    """Wait for everything wanted, core services first: the scheduler is one of them. The rows as they are then."""
    until = time.monotonic() + wait
    rows = settle(home, START, None, wait)
    scheduler = next((row for row in rows if row["name"] == SCHEDULER), None)
    if scheduler is None or scheduler["state"] != "running":
        return rows
    while True:
        left = max(until - time.monotonic(), 0.1)
        try:
            with connect(home, SCHEDULER) as client:
                return rows + _settled(home, client, None, left)
        except Problem as problem:
            # It runs but does not listen yet, or is being started again.
            if problem.code != NOT_RUNNING or time.monotonic() > until:
                raise
        time.sleep(RETRY_S)


def settle(home: Home, role: str, names: Sequence[str] | None, wait: float) -> Rows:
    """One daemon's services, once they have settled or the time is over."""
    return reach(home, role, lambda client: _settled(home, client, names, wait))


def _settled(home: Home, client: Client, names: Sequence[str] | None, wait: float) -> Rows:
    answer = client.request("settle", limit=wait + EXTRA_S, names=names and list(names), timeout=wait)
    rows: Rows = answer["rows"]
    mask_facts(home, rows)
    return rows if names is None else [row for row in rows if row["name"] in names]


def by_role(names: Sequence[str]) -> dict[str, list[str]]:
    """The names each daemon has to be asked about; `start` first."""
    groups: dict[str, list[str]] = {}
    for name in sorted(dict.fromkeys(names), key=lambda name: role_of(name) != START):
        groups.setdefault(role_of(name), []).append(name)
    return groups


def is_up(row: Row) -> bool:
    """As it should be after a start: it runs, here or outside, well or degraded, or has done its work."""
    return row["state"] in UP or has_finished(row)


def is_degraded(row: Row) -> bool:
    """It runs, and can't do its work."""
    return row["state"] == "running" and row["ready"] is False


def has_finished(row: Row) -> bool:
    """A service that ends by itself, and has ended well."""
    return row["state"] == "stopped" and str(row["detail"]).startswith("finished")


def what_is_up(row: Row, *, already: bool) -> str:
    name = row["name"]
    if row["state"] == "external":
        detail = str(row["detail"])  # which says where, and with which pid
        return f"{name} {detail if detail.startswith('runs outside') else 'runs outside sbctl'}"
    if has_finished(row):
        return f"{name} finished"
    how = ", but degraded" if is_degraded(row) else ""
    return f"{name} is up{' already' if already else ''}{how} (pid {row['pid']})"


def outside_of(rows: Iterable[Row]) -> dict[str, int]:
    """Those that run without us, and the pid of each."""
    return {row["name"]: int(row["pid"]) for row in rows if row["state"] == "external" and row["pid"]}


def runs_on(name: str, outside: dict[str, int]) -> str:
    """What a stop can't end."""
    return f", but pid {outside[name]} runs on: it is not sbctl's" if name in outside else ""


def what_is_wrong(row: Row) -> str:
    """The state, and what there is to say about it."""
    state = "degraded" if is_degraded(row) else str(row["state"])
    more = row["detail"] or (row["cause"] if state in DOWN else "")  # the end of the one before is no news of this one
    if row["state"] == "waiting" and more.startswith("waits"):
        return str(more)  # which says the state as well
    return f"{state}: {more}" if more else state


def why_hint(row: Row) -> str:
    """The command that tells more: about the service itself, or about the one that it waits for."""
    return f"sbctl why {_waits_for(row) or row['name']}"


def _waits_for(row: Row) -> str:
    """The service in `waits for db (failed: exit code 1)`; "" when it waits for something else."""
    _, found, rest = str(row["detail"]).partition("waits for ")
    name, bracket, _ = rest.partition(" (")
    return name if row["state"] == "waiting" and found and bracket and " " not in name else ""
