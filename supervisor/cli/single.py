"""start, stop, restart and the like of single services: ask the daemon that has them, wait, say what came of it."""

from __future__ import annotations

import time
from functools import partial

from supervisor.base.errors import FAILED, NOT_RUNNING, TIMED_OUT, Problem
from supervisor.cli.killed import killed_among, tell_killed
from supervisor.cli.lasting import disabled_by_hand
from supervisor.cli.names import expand, known_services
from supervisor.cli.out import answer, note
from supervisor.cli.quick import lock_holder
from supervisor.cli.reaching import reach
from supervisor.cli.report import look
from supervisor.cli.rolling import watch_steps
from supervisor.cli.settling import (
    LONG_S,
    by_role,
    is_degraded,
    is_up,
    runs_on,
    settle,
    what_is_up,
    what_is_wrong,
    why_hint,
)  # fmt: skip
from supervisor.control.api import SCHEDULER, START, role_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from supervisor.cli import table
    from supervisor.control.client import Client
    from supervisor.model.home import Home

    Row = dict[str, Any]

DOWN = ("stopped", "failed")
ONCE = ("signal", "reload_service")  # nobody wants these twice: not repeated when no answer came
SCHEDULER_S = 30.0


class Asked:
    """What the daemons said to a request: names written out, in the order in which they were asked for."""

    def __init__(self, rows: Iterable[table.Row]) -> None:
        self.before: dict[str, str] = {}  # the pid of each service before it, "" without one
        self._outside: dict[str, int] = {}
        for row in rows:
            self.before[row.name] = row.pid
            if row.state == "external" and row.pid:
                self._outside[row.name] = int(row.pid)
        self.accepted: list[str] = []
        self.already: list[str] = []  # nothing had to be done for them
        self.also: list[str] = []  # others that it concerns: required by them, or requiring them

    @property
    def names(self) -> list[str]:
        return [*self.accepted, *(name for name in self.already if name not in self.accepted)]

    def add(self, reply: dict[str, Any]) -> None:
        self.accepted += reply["accepted"]
        self.already += reply.get("already", [])
        self.also += reply.get("with", [])

    def join(self, other: Asked) -> None:
        self.before |= other.before
        self._outside |= other._outside
        self.accepted += other.accepted
        self.already += other.already
        self.also += other.also

    @property
    def outside(self) -> dict[str, int]:
        """Of those accepted: the pid of what runs without us, which no stop ends."""
        return {name: self._outside[name] for name in self.accepted if name in self._outside}

    def as_dict(self) -> dict[str, Any]:
        return {"accepted": self.accepted, "already": self.already, "with": self.also}


def start_services(home: Home, words: Sequence[str], wait: float, *, as_json: bool = False) -> int:
    asked = ask(home, "start", words)
    if asked.also:
        note(f"started as well, because it is required: {', '.join(asked.also)}")
    rows = _settled(home, asked.names, wait)
    for name in disabled_by_hand(home, asked.names):
        note(f"{name} is disabled: the next time it is not started by itself (sbctl enable {name})")
    return _tell_up(asked, rows, as_json=as_json)


def restart_services(
    home: Home, words: Sequence[str], wait: float, *, rolling: bool | None = None, as_json: bool = False
) -> int:
    """`rolling`: one after the other, all at once, or (None) as the daemon thinks best."""
    more: dict[str, Any] = {} if rolling is None else {"rolling": rolling}
    asked = ask(home, "restart", words, **more)
    if asked.also:
        note(f"along with it, because it requires it or is required: {', '.join(asked.also)}")
    together = [name for name in asked.names if role_of(name) == SCHEDULER]
    asked.accepted, asked.already = asked.names, []  # nobody has been restarted already
    told: list[str] = []
    left_out: list[str] = []
    if len(together) > 1:
        left_out = watch_steps(home, {name: asked.before.get(name, "") for name in together}, wait, quiet=as_json)
        told = together
    names = [name for name in dict.fromkeys([*asked.names, *asked.also]) if name not in left_out]
    rows = sorted(_settled(home, names, wait), key=lambda row: names.index(row["name"]))
    return _tell_up(asked, rows, as_json=as_json, told=told, left_out=left_out)


def stop_services(home: Home, words: Sequence[str], timeout: float | None, *, as_json: bool = False) -> int:
    stopped = _names_if_stopped(home, words)
    if stopped is not None:
        facts: Row = {"accepted": [], "already": stopped, "with": [], "services": [], "killed": []}
        answer("\n".join(f"{name} was stopped already" for name in stopped), facts, as_json=as_json)
        return 0
    wall = time.time()
    asked, rows = _stop(home, words, timeout)
    names = list(dict.fromkeys([*asked.names, *asked.also]))
    lines = [
        f"{row['name']} "
        + ("was stopped already" if row["name"] in asked.already else "stopped" + runs_on(row["name"], asked.outside))
        for row in rows
        if row["state"] in DOWN and row["name"] in asked.names
    ]
    killed = killed_among(home, wall, names)
    outside = {"outside": asked.outside} if asked.outside else {}
    answer("\n".join(lines), {**asked.as_dict(), **outside, "services": rows, "killed": killed}, as_json=as_json)
    tell_killed(killed)
    left = [row["name"] for row in rows if row["state"] not in DOWN and not _waits_again(row, asked)]
    if left:
        raise Problem(
            f"not stopped in time: {', '.join(left)}", remedy=f"sbctl why {left[0]}; sbctl status", code=TIMED_OUT
        )
    return 0


def _stop(home: Home, words: Sequence[str], timeout: float | None) -> tuple[Asked, list[Row]]:
    """Ask, and wait for the end. With the scheduler goes whoever could tell of its services: these first."""
    parts = [list(words)]
    if SCHEDULER in words and len(groups := by_role(words)) > 1:
        _check_names(home, "stop", words)
        parts = [groups[SCHEDULER], groups[START]]
    asked, rows = Asked(()), []
    for part in parts:
        more: dict[str, Any] = {} if timeout is None else {"timeout": timeout}
        now = ask(home, "stop", part, **more)
        if now.also:
            note(f"stopped as well, because it requires what is stopped: {', '.join(now.also)}")
        names = list(dict.fromkeys([*now.names, *now.also]))
        rows += _settled(home, names, LONG_S if timeout is None else timeout + 1.0)
        asked.join(now)
    return asked, rows


def _waits_again(row: Row, asked: Asked) -> bool:
    """Taken down with what it requires, it is still wanted: it comes back when that does."""
    return row["state"] == "waiting" and row["name"] in asked.also


def _names_if_stopped(home: Home, words: Sequence[str]) -> list[str] | None:
    """Nothing runs here, so these services are stopped, if there are such. None: something runs."""
    try:
        look(home)
    except Problem as problem:
        if problem.code != NOT_RUNNING or lock_holder(home) is not None:
            raise
        return expand(home, words, known_services(home))
    return None


def ask(home: Home, verb: str, words: Sequence[str], **more: Any) -> Asked:
    """Send the verb to each daemon concerned. The daemons write patterns out, and name what else it concerns.

    A scheduler that is started or restarted is waited for before it is asked about its own services.
    """
    asked = Asked(_check_names(home, verb, words))
    groups = by_role(words)
    for role in reversed(groups) if verb in ONCE else groups:  # a signal may end the scheduler
        some = groups[role]
        send = partial(_send, verb=verb, names=some, more=more)
        asked.add(reach(home, role, send, again=verb not in ONCE))
        if SCHEDULER in some and verb in ("start", "restart"):
            settle(home, START, [SCHEDULER], SCHEDULER_S)
    return asked


def _send(client: Client, *, verb: str, names: list[str], more: dict[str, Any]) -> dict[str, Any]:
    return client.request(verb, names=names, **more)


def _check_names(home: Home, verb: str, words: Sequence[str]) -> list[table.Row]:
    """One misspelt name and nothing is done, whichever daemon the others belong to. The rows as they are now."""
    try:
        found = look(home)
    except Problem as problem:
        if problem.code == NOT_RUNNING:
            expand(home, words, known_services(home))
        raise
    if found.head.state == "stopping" and verb != "stop":
        raise Problem("sbctl is stopping", why="that ends all services", remedy="sbctl start waits for it", code=FAILED)
    if not found.complete:
        return found.rows
    comes = SCHEDULER in words and verb in ("start", "restart")  # along with them
    names = expand(home, words, known_services(home) if comes and not found.heard else [row.name for row in found.rows])
    kept = [name for name in names if role_of(name) == SCHEDULER]
    if kept and not found.heard and not comes:
        raise Problem(
            f"{kept[0]} is stopped, because the scheduler is",
            why="it looks after the plugin servers: stopping it stops them",
            remedy="sbctl start scheduler",
            code=NOT_RUNNING,
        )
    return found.rows


def _settled(home: Home, names: Sequence[str], wait: float) -> list[Row]:
    rows: list[Row] = []
    for role, some in by_role(names).items():
        rows += settle(home, role, some, wait)
    return rows


def _was_up(row: Row, asked: Asked) -> bool:
    """It was wanted already, and it is the same process. (One that waited for another was wanted, and not up.)"""
    return row["name"] in asked.already and asked.before.get(row["name"]) == str(row["pid"] or "")


def _tell_up(
    asked: Asked, rows: list[Row], *, as_json: bool, told: Sequence[str] = (), left_out: Sequence[str] = ()
) -> int:
    """`told`: of these it has been said already that they are up."""
    wrong = [row for row in rows if not is_up(row)]
    lines = [what_is_up(row, already=_was_up(row, asked)) for row in rows if is_up(row) and row["name"] not in told]
    more = {"left_out": list(left_out)} if left_out else {}
    answer("\n".join(lines), {**asked.as_dict(), **more, "services": rows}, as_json=as_json)
    for row in wrong:
        note(f"{row['name']} is not up: {what_is_wrong(row)}\n  why:  {why_hint(row)}")
    for row in filter(is_degraded, rows):
        note(f"{row['name']} is {what_is_wrong(row)}\n  why:  {why_hint(row)}")
    return FAILED if wrong or (left_out and not rows) else 0
