"""start, stop and restart of single services: ask the daemon that has them, wait, say what came of it."""

from __future__ import annotations

import time

from supervisor.base.errors import FAILED, NOT_RUNNING, TIMED_OUT, Problem
from supervisor.cli.killed import tell_killed
from supervisor.cli.names import known_services, no_such_service
from supervisor.cli.out import note, show
from supervisor.cli.quick import lock_holder
from supervisor.cli.report import look
from supervisor.cli.settling import by_role, is_up, settle, what_is_wrong
from supervisor.control.api import SCHEDULER, role_of
from supervisor.control.client import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from supervisor.model.home import Home

    Row = dict[str, Any]

LONG_S = 3600.0  # without --timeout a stop ends when the last grace does


def start_services(home: Home, names: Sequence[str], wait: float) -> int:
    already = _ask(home, "start", names)
    return _tell_up(_settled(home, names, wait), already)


def restart_services(home: Home, names: Sequence[str], wait: float) -> int:
    _ask(home, "restart", names)
    return _tell_up(_settled(home, names, wait), [])


def stop_services(home: Home, names: Sequence[str], timeout: float | None) -> int:
    if _is_stopped(home, names):
        for name in names:
            show(f"{name} was stopped already")
        return 0
    wall = time.time()
    already = _ask(home, "stop", names, timeout=timeout)
    left = []
    for row in _settled(home, names, LONG_S if timeout is None else timeout + 1.0):
        if row["state"] in ("stopped", "failed"):
            show(f"{row['name']} " + ("was stopped already" if row["name"] in already else "stopped"))
        else:
            left.append(row["name"])
    tell_killed(home, wall, names)
    if left:
        raise Problem(
            f"not stopped in time: {', '.join(left)}", remedy=f"sbctl why {left[0]}; sbctl status", code=TIMED_OUT
        )
    return 0


def _is_stopped(home: Home, names: Sequence[str]) -> bool:
    """Nothing runs here, so these services are stopped, if there are such."""
    try:
        look(home)
    except Problem as problem:
        if problem.code != NOT_RUNNING or lock_holder(home) is not None:
            raise
        _check_known(home, names)
        return True
    return False


def _check_known(home: Home, names: Sequence[str]) -> None:
    known = known_services(home)
    for name in names:
        if name not in known:
            raise no_such_service(home, name, known)


def _ask(home: Home, verb: str, names: Sequence[str], timeout: float | None = None) -> list[str]:
    """Send the verb to each daemon concerned; returns the names that needed nothing."""
    _check_names(home, verb, names)
    more: dict[str, Any] = {} if timeout is None else {"timeout": timeout}
    already: list[str] = []
    for role, some in by_role(names).items():
        with connect(home, role) as client:
            already += client.request(verb, names=some, **more)["already"]
    return already


def _check_names(home: Home, verb: str, names: Sequence[str]) -> None:
    """One misspelt name and nothing is done, whichever daemon the others belong to."""
    try:
        found = look(home)
    except Problem as problem:
        if problem.code == NOT_RUNNING:
            _check_known(home, names)
        raise
    if found.head.state == "stopping" and verb != "stop":
        raise Problem("sbctl is stopping", why="that ends all services", remedy="sbctl start waits for it", code=FAILED)
    known = {row.name for row in found.rows}
    for name in names:
        if name not in known and found.complete:
            raise no_such_service(home, name, known)
    kept = [name for name in names if role_of(name) == SCHEDULER]
    if kept and not found.heard and found.complete:
        raise Problem(
            f"{kept[0]} is stopped, because the scheduler is",
            why="it looks after the plugin servers: stopping it stops them",
            remedy="sbctl start scheduler",
            code=NOT_RUNNING,
        )


def _settled(home: Home, names: Sequence[str], wait: float) -> list[Row]:
    rows: list[Row] = []
    for role, some in by_role(names).items():
        rows += settle(home, role, some, wait)
    return rows


def _tell_up(rows: list[Row], already: list[str]) -> int:
    code = 0
    for row in rows:
        if is_up(row):
            what = "is up already" if row["name"] in already else "is up"
            show(f"{row['name']} {what} (pid {row['pid']})")
        else:
            code = FAILED
            note(f"{row['name']} is not up: {what_is_wrong(row)}\n  why:  sbctl why {row['name']}")
    return code
