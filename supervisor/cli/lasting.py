"""`enable` and `disable`: whether services are started by themselves, kept over restarts of everything."""

from __future__ import annotations

import os
import time

from supervisor.base.clock import iso
from supervisor.base.errors import FAILED, NOT_RUNNING, USAGE, Problem
from supervisor.cli import state_file
from supervisor.cli.names import expand, known_services
from supervisor.cli.out import answer, note
from supervisor.cli.settling import LONG_S, is_up, outside_of, runs_on, settle, what_is_up, what_is_wrong, why_hint
from supervisor.cli.starting import WAIT_S
from supervisor.control.api import SCHEDULER
from supervisor.control.client import connect
from supervisor.model.intent import choice_for
from supervisor.model.service import CORE_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from supervisor.model.home import Home
    from supervisor.model.intent import Intent

    Row = dict[str, Any]
    Done = dict[str, list[str]]  # accepted, already, with


def change(home: Home, words: Sequence[str], *, enabled: bool, as_json: bool) -> int:
    """Asked of the scheduler, which also starts or stops them; while that is away, written where it will look."""
    for word in words:
        if word in CORE_NAMES:
            verb = "enabled" if enabled else "disabled"
            remedy = _instead(word, enabled=enabled)
            raise Problem(f"{word} can't be {verb} like a plugin's server", remedy=remedy, code=USAGE)
    outside = _outside(home)
    done = _ask(home, words, enabled=enabled)
    if done is None:
        done = _write(home, words, expand(home, words, known_services(home)), enabled=enabled)
        # Should it have started meanwhile, and have read the file before.
        done["with"] = (_ask(home, words, enabled=enabled) or {}).get("with", [])
        rows: list[Row] = []
    else:
        rows = settle(home, SCHEDULER, [*done["accepted"], *done["already"]], WAIT_S if enabled else LONG_S)
    _tell(done, rows, {} if enabled else outside, enabled=enabled, as_json=as_json)
    return FAILED if enabled and not all(map(is_up, rows)) else 0


def _instead(name: str, *, enabled: bool) -> str:
    """What to do about a service of sbctl itself."""
    if name == SCHEDULER:
        until = "starts it" if enabled else "stops it until the next start"
        return f"it looks after all others; sbctl {'start' if enabled else 'stop'} scheduler {until}"
    more = ", command: ..." if enabled and name == "tunnel" else ""
    return f"write into etc/sbctl.yaml: {name}: {{enabled: {str(enabled).lower()}{more}}}; then: sbctl reload"


def _outside(home: Home) -> dict[str, int]:
    """Who runs without us: a stop does not end it."""
    try:
        with connect(home, SCHEDULER) as client:
            return outside_of(client.request("status")["rows"])
    except Problem:
        return {}


def _tell(done: Done, rows: list[Row], outside: dict[str, int], *, enabled: bool, as_json: bool) -> None:
    word = "enabled" if enabled else "disabled"
    now = {row["name"]: _now(row, enabled=enabled) + runs_on(row["name"], outside) for row in rows}
    lines = [f"{name} is {word}{now.get(name, '')}" for name in done["accepted"]]
    lines += [f"{name} was {word} already{now.get(name, '')}" for name in done["already"]]
    still = {row["name"]: outside[row["name"]] for row in rows if row["name"] in outside}
    more = {"outside": still} if still else {}
    answer("\n".join(lines), {**done, **more, "services": rows}, as_json=as_json)
    if done["with"]:
        why = "it is required" if enabled else "it requires what is stopped"
        note(f"{'started' if enabled else 'stopped'} as well, because {why}: {', '.join(done['with'])}")
    for row in rows:
        if enabled and not is_up(row):
            note(f"{row['name']} is not up: {what_is_wrong(row)}\n  why:  {why_hint(row)}")


def _now(row: Row, *, enabled: bool) -> str:
    if enabled and not is_up(row):
        return ""
    return f"; {what_is_up(row, already=False)}" if enabled else f" and {row['state']}"


def _ask(home: Home, words: Sequence[str], *, enabled: bool) -> Done | None:
    verb = "enable" if enabled else "disable"
    try:
        with connect(home, SCHEDULER) as client:
            reply: dict[str, Any] = client.request(verb, names=list(words), by=_login())
    except Problem as problem:
        if problem.code == USAGE:
            expand(home, words, known_services(home))  # which may know more about a name
        if problem.code != NOT_RUNNING:
            raise
        return None
    return {name: reply.get(name, []) for name in ("accepted", "already", "with")}


def _write(home: Home, words: Sequence[str], names: list[str], *, enabled: bool) -> Done:
    done: Done = {"accepted": [], "already": [], "with": []}

    def make(intent: Intent) -> bool:
        before = intent.enabled()
        changed = intent.choose(list(words), names, enabled=enabled, at=iso(time.time()), by=_login())
        for name in names:
            done["accepted" if name in changed else "already"].append(name)
        return intent.enabled() != before

    state_file.change(home, make)
    return done


def disabled_by_hand(home: Home, names: Sequence[str]) -> list[str]:
    """Those that a person has disabled; what settings say (`autoStart: false`) is no news to anybody."""
    try:
        choices = state_file.read(home).enabled()
    except (OSError, Problem):
        return []
    return [name for name in names if choice_for(choices, name) is False]


def _login() -> str:
    """Who asks, for the record."""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a number without an entry, as in containers
        return str(os.geteuid())
