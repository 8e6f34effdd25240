"""`config history` and `config undo`: earlier settings, and the way back to them."""

from __future__ import annotations

from supervisor.base.errors import NOT_RUNNING, Problem
from supervisor.cli import consent
from supervisor.cli.commands.reload import change_lines, last_known, take_over
from supervisor.cli.compiling import read_compiled
from supervisor.cli.out import answer, at_home, note
from supervisor.control.api import START
from supervisor.control.client import connect
from supervisor.model.home import Home
from supervisor.settings import api  # pydantic: 0.2 s

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NO_CHANGE = "the files are those of that revision already: nothing to undo"


def history_lines(revisions: list[api.Revision]) -> list[str]:
    """Newest first, as with every other history."""
    if not revisions:
        return [at_home("no revisions yet: sbctl start makes the first")]
    return [
        f"{revision.number}  {revision.at}  {_mark(revision):<8}  {_told(revision)}" for revision in revisions[::-1]
    ]


def _mark(revision: api.Revision) -> str:
    if revision.current:
        return "in force"
    return "kept" if revision.kept else ""


def _told(revision: api.Revision) -> str:
    """Which services it brought, changed and took away; else which files."""
    parts = [
        f"{sign}{' '.join(names)}"
        for sign, names in (("added ", revision.added), ("changed ", revision.changed), ("removed ", revision.removed))
        if names
    ]
    told = ", ".join(parts) or ", ".join(revision.files) or "nothing changed"
    return told if revision.has_files else f"{told} (no files kept: can't be gone back to)"


def undo(home: Home, number: str | None, *, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Show what it would do, ask, do it, and have a running tree take it over."""
    plan = _plan(home, number)
    facts: dict[str, Any] = {
        "revision": plan.number,
        "files": [change.as_dict() for change in plan.files],
        "dry_run": dry_run,
        "undone": False,
        "changes": [],
    }
    lines = _plan_lines(plan)
    if dry_run or not plan.files:
        answer("\n".join(lines), facts, as_json=as_json)
        return 0
    for line in lines:
        note(line)
    if not yes:
        consent.ask("Do it? (What is there now stays in the history.)", "sbctl config undo --yes, without asking")
    before = last_known(home)
    api.undo(home, plan.number)  # which compiles
    facts["undone"] = True
    facts["in_force"] = (read_compiled(home, "start") or {}).get("revision")
    text = f"the files are those of revision {plan.number} again, as revision {facts['in_force']}"
    if _runs(home):
        facts["changes"], _ = take_over(home, before=before)
        text = "\n".join([text, *change_lines(facts["changes"], dry_run=False)])
    answer(text, facts, as_json=as_json)
    return 0


def _plan(home: Home, number: str | None) -> api.Undo:
    """Of that revision; without one, of the last change: edits that are not in force yet, else the latest revision."""
    if number is not None:
        return api.plan_undo(home, number)
    known = [revision for revision in api.history(home) if revision.has_files]
    current = next((revision.number for revision in known if revision.current), None)
    if current is not None:
        plan = api.plan_undo(home, current)
        if plan.files:
            return plan
    earlier = [revision.number for revision in known if current is not None and int(revision.number) < int(current)]
    if not earlier:
        raise Problem("there is nothing to undo", why="no earlier settings are kept", remedy="sbctl config history")
    return api.plan_undo(home, earlier[-1])


def _plan_lines(plan: api.Undo) -> list[str]:
    if not plan.files:
        return [NO_CHANGE]
    return [f"back to revision {plan.number} of {plan.at}:", *(f"  {one.action:<6}  {one.file}" for one in plan.files)]


def _runs(home: Home) -> bool:
    try:
        connect(home, START).close()
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
        return False
    return True
