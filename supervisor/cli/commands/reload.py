"""`sbctl reload [NAME...]`: the settings, or what services read for themselves."""

from __future__ import annotations

import os
from typing import Any

import click

from supervisor.base.errors import NOT_RUNNING, USAGE, Problem
from supervisor.cli.compiling import broken, finding_texts, read_compiled, run_compiler, specs_of
from supervisor.cli.keys import written_keys
from supervisor.cli.lasting import disabled_by_hand
from supervisor.cli.main import Asked
from supervisor.cli.names import refuse_self
from supervisor.cli.out import answer, note
from supervisor.cli.single import ask
from supervisor.control.api import SCHEDULER, START
from supervisor.control.client import connect
from supervisor.core.plan import ChangeAction, own_changes, plan, schedule_changes
from supervisor.model.home import Home

ROLES = (START, SCHEDULER)
RELOAD_S = 30.0
SCHEDULE = "schedule"  # the kind of a change that is not of a service

Change = dict[str, Any]
Known = tuple[dict[str, Any] | None, bool]


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing")
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.pass_obj
def command(asked: Asked, names: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Take over changed settings: only what has changed is restarted.

    An error in any file changes nothing (exit code 6, all errors shown). Values that settings take from the
    environment (env:NAME) are those of this command's environment.

    With names: make these services read their own settings again, by the signal or command that their manifest
    names under server.reload; their processes stay.
    """
    home = asked.home(changing=not dry_run)
    if names:
        if dry_run:
            raise Problem("--dry-run is for the settings, not for single services", code=USAGE)
        return _reload_services(home, names, as_json=as_json)
    changes, revision = _preview(home) if dry_run else take_over(home)
    facts = {"revision": revision, "dry_run": dry_run, "changes": changes}
    answer("\n".join(change_lines(changes, dry_run)), facts, as_json=as_json)
    return 0


def in_written_keys(change: Change) -> Change:
    """Those of a schedule come as people write them."""
    if change.get("kind") == SCHEDULE:
        return change
    return {**change, "fields": written_keys(change["name"], change["fields"])}


def _reload_services(home: Home, names: tuple[str, ...], *, as_json: bool) -> int:
    for name in names:
        refuse_self(name)
    done = ask(home, "reload_service", names)
    text = "\n".join(f"{name} was asked to reload" for name in done.accepted)
    answer(text, {"accepted": done.accepted}, as_json=as_json)
    return 0


def _preview(home: Home) -> tuple[list[Change], str]:
    compiled = run_compiler(home, "--preview")
    _refuse_errors(compiled)
    changes = _planned(home, compiled["documents"])
    return [in_written_keys(change) for change in changes], compiled["revision"]


def take_over(home: Home, *, warnings: bool = True, before: Known | None = None) -> tuple[list[Change], str]:
    """Compile, and have both daemons apply it. The changes, in the keys that people write, and the revision.

    `before`: what was `last_known` before, where it has been compiled already.
    """
    with connect(home, START):
        pass  # not running: nothing to reload, and nothing is compiled
    known, there = before or last_known(home)
    compiled = run_compiler(home)
    if warnings or not compiled["ok"]:
        _refuse_errors(compiled)
    revision = compiled["revision"]
    changes, heard = _apply(home, revision)
    if not (there and heard):  # it begins, or has begun, with the new settings, and has nothing to compare them with
        theirs = {change["name"] for change in changes}
        planned = _plan_of(home, SCHEDULER, known, read_compiled(home, SCHEDULER, revision), None)
        changes += [change for change in planned if change["name"] not in theirs]
    return [in_written_keys(change) for change in changes], revision


def last_known(home: Home) -> Known:
    """The settings that the scheduler goes by, or went by, and whether it is there."""
    try:
        with connect(home, SCHEDULER) as client:
            return read_compiled(home, SCHEDULER, str(client.request("ping")["revision"])), True
    except Problem:
        return read_compiled(home, SCHEDULER), False


def _refuse_errors(compiled: dict[str, Any]) -> None:
    for text in finding_texts(compiled):
        note(text)
    if not compiled["ok"]:
        raise broken(compiled, "nothing changed")


def _planned(home: Home, documents: dict[str, Any]) -> list[Change]:
    """What the daemons would do, by the rule they go by themselves."""
    changes: list[Change] = []
    for role in ROLES:
        revision, up = _present(home, role)
        changes += _plan_of(home, role, read_compiled(home, role, revision), documents.get(role), up)
    return changes


def _plan_of(
    home: Home, role: str, before: dict[str, Any] | None, after: dict[str, Any] | None, up: set[str] | None
) -> list[Change]:
    """`up`: who is wanted up there; None: as the settings have it."""
    old, new = specs_of(before), specs_of(after)
    if up is None:
        up = {spec.name for spec in old if spec.auto_start}
    disabled = disabled_by_hand(home, [spec.name for spec in new])
    planned = [*plan(old, new, up, disabled), *own_changes(role, before, after)]
    if role == SCHEDULER:
        planned += schedule_changes((before or {}).get("schedules"), (after or {}).get("schedules"))
    return [change.as_dict() for change in planned]


def _present(home: Home, role: str) -> tuple[str, set[str] | None]:
    """The settings a daemon runs on, which may be older than the latest, and who is wanted up there.

    When it is away: the latest, and what they start by themselves.
    """
    try:
        with connect(home, role) as client:
            revision = str(client.request("ping")["revision"])
            return revision, {row["name"] for row in client.request("status")["rows"] if row["desired"] == "up"}
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
        return "", None


def _apply(home: Home, revision: str) -> tuple[list[Change], bool]:
    """The changes, and whether the scheduler has told its own."""
    with connect(home, START) as client:
        values = dict(os.environ)
        changes: list[Change] = client.request("reload", limit=RELOAD_S, revision=revision, env=values)["changes"]
    try:
        with connect(home, SCHEDULER) as client:
            return changes + client.request("reload", limit=RELOAD_S, revision=revision)["changes"], True
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
        note("scheduler is not running: it takes the new settings over when it starts")
    return changes, False


def change_lines(changes: list[Change], dry_run: bool) -> list[str]:
    """One change a line: what happens, to whom, because of what."""
    if not changes:
        return ["nothing to change"]
    names = [f"schedule {change['name']}" if change.get("kind") == SCHEDULE else change["name"] for change in changes]
    wide = max(map(len, names))
    lines = [
        f"  {change['action']:<8} {name:<{wide}}  {_because(change)}".rstrip()
        for name, change in zip(names, changes, strict=True)
    ]
    return ["would change:" if dry_run else "changed:", *lines]


def _because(change: Change) -> str:
    fields = ", ".join(change["fields"])
    return f"{fields} (stays stopped)" if change["action"] == ChangeAction.LEAVE else fields
