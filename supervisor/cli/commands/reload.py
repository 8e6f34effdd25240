"""`sbctl reload [--dry-run]`."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from supervisor.base.errors import NOT_RUNNING, Problem
from supervisor.cli.compiling import broken, finding_texts, read_compiled, run_compiler, specs_of
from supervisor.cli.keys import written_keys
from supervisor.cli.main import Asked
from supervisor.cli.out import note, show
from supervisor.control.api import SCHEDULER, START
from supervisor.control.client import connect
from supervisor.core.plan import ChangeAction, plan
from supervisor.model.home import Home

ROLES = (START, SCHEDULER)
RELOAD_S = 30.0

Change = dict[str, Any]


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing")
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.pass_obj
def command(asked: Asked, dry_run: bool, as_json: bool) -> int:
    """Take over changed settings: only what has changed is restarted.

    An error in any file changes nothing (exit code 6, all errors shown). Values that settings take from the
    environment (env:NAME) are those of this command's environment.
    """
    home = asked.home(changing=not dry_run)
    if dry_run:
        answer = run_compiler(home, "--preview")
        _refuse_errors(answer)
        changes = _planned(home, answer["documents"])
        revision = answer["revision"]
    else:
        with connect(home, START):
            pass  # not running: nothing to reload, and nothing is compiled
        answer = run_compiler(home)
        _refuse_errors(answer)
        revision = answer["revision"]
        changes = _apply(home, revision)
    changes = [{**change, "fields": written_keys(change["name"], change["fields"])} for change in changes]
    if as_json:
        show(json.dumps({"revision": revision, "dry_run": dry_run, "changes": changes}, ensure_ascii=False))
    else:
        show("\n".join(change_lines(changes, dry_run)))
    return 0


def _refuse_errors(answer: dict[str, Any]) -> None:
    for text in finding_texts(answer):
        note(text)
    if not answer["ok"]:
        raise broken(answer, "nothing changed")


def _planned(home: Home, documents: dict[str, Any]) -> list[Change]:
    """What the daemons would do, by the rule they go by themselves."""
    changes: list[Change] = []
    for role in ROLES:
        revision, up = _present(home, role)
        old = specs_of(read_compiled(home, role, revision))
        if up is None:
            up = {spec.name for spec in old if spec.auto_start}
        changes += [change.as_dict() for change in plan(old, specs_of(documents.get(role)), up)]
    return changes


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


def _apply(home: Home, revision: str) -> list[Change]:
    with connect(home, START) as client:
        values = dict(os.environ)
        changes: list[Change] = client.request("reload", limit=RELOAD_S, revision=revision, env=values)["changes"]
    try:
        with connect(home, SCHEDULER) as client:
            changes += client.request("reload", limit=RELOAD_S, revision=revision)["changes"]
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
        note("scheduler is not running: it takes the new settings over when it starts")
    return changes


def change_lines(changes: list[Change], dry_run: bool) -> list[str]:
    """One change a line: what happens, to whom, because of what."""
    if not changes:
        return ["nothing to change"]
    wide = max(len(change["name"]) for change in changes)
    lines = [f"  {change['action']:<8} {change['name']:<{wide}}  {_because(change)}".rstrip() for change in changes]
    return ["would change:" if dry_run else "changed:", *lines]


def _because(change: Change) -> str:
    fields = ", ".join(change["fields"])
    return f"{fields} (stays stopped)" if change["action"] == ChangeAction.LEAVE else fields
