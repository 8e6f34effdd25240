"""`sbctl start` for the whole tree: fresh settings, a detached `start`, and a word on what came up.

Without click and friends: with a hundred servers the person waits 0.3 s, of which imports must not take half. What is
needed to wait for the rest (`settling`, and with it the words of the daemons) is loaded when `start` is on its way,
while that loads its own.
"""

from __future__ import annotations

import os
import time

from supervisor.base.errors import FAILED, NO_PERMISSION, NOT_RUNNING, Problem
from supervisor.base.where import role_command
from supervisor.cli import quick
from supervisor.cli.compiling import make_fresh
from supervisor.cli.details import mask_rows
from supervisor.cli.kept_code import keep_code
from supervisor.cli.known_homes import remember
from supervisor.cli.out import answer, note, show
from supervisor.cli.spawning import Spawned, spawn_start
from supervisor.model.trust import check_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from supervisor.model.home import Home

    Facts = dict[str, Any]

WAIT_S = 10.0
READY_S = 30.0  # from spawn to the control socket; it takes 0.1 s
GONE_AFTER_S = 0.3  # for a winner to become visible before it is taken for one that has just ended


def start_tree(home: Home, wait: float = WAIT_S, *, as_json: bool = False, before: Facts | None = None) -> int:
    """Start everything that is wanted; 0 when all of it is up, 1 when not (and says what and why).

    `before`: what a restart has to tell as well.
    """
    running = _already(home, wait)
    began = time.monotonic()
    if running is None:
        prepare(home)
        spawned = bring_up(home)
        if spawned.lost_to is None:
            rows = _settled(home, max(wait - (time.monotonic() - began), 0.1))
            code = _summary(rows, spawned.pid, time.monotonic() - began, as_json=as_json, before=before)
            keep_code(home, spawned.pid)
            return code
        running = _follow_winner(home, spawned.lost_to, wait)
    facts = {**(before or {}), "started": False, "pid": running, "seconds": 0.0}
    answer(f"already running (pid {running})", facts, as_json=as_json)
    return 0


def start_here(home: Home, words: Sequence[str] = ()) -> int:
    """`--foreground`: become `start`, with the caller's pid and terminal. `words`: what it prints, and how."""
    running = _already(home, WAIT_S)
    if running is None:
        prepare(home)
        keep_code(home, os.getpid())
        become([*role_command("start", home.path), "--foreground", *words])
    show(f"already running (pid {running})")
    return 0


def become(command: list[str]) -> NoReturn:
    """Go on as that program, with this pid, terminal and parent."""
    os.execv(command[0], command)


def prepare(home: Home) -> None:
    """Folders and settings, before anything runs. Nothing in a home is believed before its owner is known."""
    check_own(home)
    make_folders(home)
    make_fresh(home)
    remember(home)


def make_folders(home: Home) -> None:
    for folder, mode in ((home.logs, 0o755), (home.run, 0o700)):
        try:
            os.makedirs(folder, mode, exist_ok=True)
        except OSError as error:
            raise Problem(
                f"can't make {folder}",
                why=error.strerror or str(error),
                remedy=f"the home must be writable for you: ls -ld {home}",
                code=NO_PERMISSION,
            ) from None


def bring_up(home: Home) -> Spawned:
    """Spawn `start`, again if the one that had the lock was just ending."""
    until = time.monotonic() + READY_S
    while True:
        spawned = spawn_start(home, until)
        if spawned.lost_to is None or _wait_for_winner(home, until):
            return spawned


def _wait_for_winner(home: Home, until: float) -> bool:
    """Another `start` has the lock: wait until it answers. False when it is gone and the lock free again."""
    patience = time.monotonic() + GONE_AFTER_S
    while time.monotonic() < until:
        try:
            if quick.ask_rows(home, "start")[0].state != "stopping":
                return True
        except Problem as problem:
            if problem.code != NOT_RUNNING:
                raise
        if time.monotonic() > patience and quick.lock_holder(home) is None:
            return False
        time.sleep(0.02)
    raise Problem(
        "another sbctl start is not getting ready",
        why=f"pid {quick.lock_holder(home)} holds {home.lock_file} and does not listen",
        remedy=f"look into {home.out_file('start')}",
        code=FAILED,
    )


def _already(home: Home, wait: float) -> int | None:
    """Running already? Then its pid, and what is not well is named; the tree stays as it is.

    One that is stopping will be gone in a moment: its end is waited for, and then it is not running.
    """
    try:
        found = quick.snapshot(home)
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
        return None
    if found.head.role == "scheduler":
        raise Problem(
            f"the scheduler runs alone (serve, pid {found.head.pid})",
            why="two that manage the same servers would be one too many",
            remedy="sbctl stop, then sbctl start",
            code=FAILED,
        )
    if found.head.state == "stopping":
        _outlive(int(found.head.pid), wait)
        return None
    mask_rows(home, found.rows)
    for row in found.rows:
        if row.is_wrong:
            note(f"  {row.name}: {row.shown}  {row.detail}".rstrip() + f"    why: sbctl why {row.name}")
    return int(found.head.pid)


def _outlive(pid: int, wait: float) -> None:
    from supervisor.cli.stopping import has_ended_within  # rarely needed

    note(f"sbctl is stopping (pid {pid}): waiting for its end")
    if not has_ended_within(pid, wait):
        raise Problem(
            f"sbctl is still stopping (pid {pid})",
            why=f"its services did not end within {wait:g} s; nothing was started",
            remedy="sbctl stop --timeout 5s kills what is left; then: sbctl start",
            code=FAILED,
        )


def _settled(home: Home, wait: float) -> list[Facts]:
    from supervisor.cli.settling import settle_all

    try:
        rows = settle_all(home, wait)
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
        _check_still_there(home)
        raise Problem(
            "the scheduler is not up",
            why=problem.what,
            remedy=f"sbctl why scheduler; {home.out_file('scheduler')}",
            code=FAILED,
        ) from None
    _check_still_there(home)
    return rows


def _check_still_there(home: Home) -> None:
    """A tree that is stopped while it starts has settled as well, but "up" would be the wrong word for it."""
    try:
        state = quick.ask_rows(home, "start")[0].state
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
        state = "stopping"
    if state == "stopping":
        raise _asked_to_end()


def _asked_to_end() -> Problem:
    why = "by a signal, sbctl stop, or the end of a critical service: sbctl events"
    return Problem("start was asked to end while starting", why=why, code=FAILED)


def _follow_winner(home: Home, pid: int, wait: float) -> int:
    """Somebody else started it at the same moment: the same tree is up, which is what was wanted."""
    from supervisor.cli.settling import settle_all

    try:
        settle_all(home, wait)
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
        raise _asked_to_end() from None  # somebody has stopped it again
    _check_still_there(home)
    return pid


def _summary(rows: list[Facts], pid: int, took: float, *, as_json: bool, before: Facts | None) -> int:
    from supervisor.cli.settling import is_degraded, is_up, what_is_wrong, why_hint

    wanted = [row for row in rows if row["desired"] == "up"]
    if not wanted:  # there always is a scheduler; somebody has taken back all wishes
        raise _asked_to_end()
    missing = [row for row in wanted if not is_up(row)]
    degraded = [row for row in wanted if is_degraded(row)]
    up = len(wanted) - len(missing)
    count = f"{len(wanted)} service{'' if len(wanted) == 1 else 's'}"
    count = f"{up} of {count}" if missing else count if up == 1 else f"all {count}"
    but = f", {len(degraded)} of them degraded," if degraded else ""
    facts = {**(before or {}), "started": True, "pid": pid, "seconds": round(took, 3), "services": rows}
    answer(f"started: {count} up{but} in {took:.1f} s (pid {pid})", facts, as_json=as_json)
    for row in [*missing, *degraded]:
        note(f"  {row['name']}: {what_is_wrong(row)}    why: {why_hint(row)}")
    return FAILED if missing else 0
