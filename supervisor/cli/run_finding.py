"""Which run a word means: an id, a part of one, `last`, or a schedule for its newest.

A plugin means the newest of its schedules, where none of them has its name.
"""

from __future__ import annotations

from supervisor.base.errors import USAGE, Problem
from supervisor.cli import past
from supervisor.cli.schedules import in_force

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.model.home import Home

    Row = dict[str, Any]

LAST = "last"
SHOWN = 5


def find_run(home: Home, word: str, *, live: bool = False) -> Row | None:
    """Its row; None: the history has none like it. Several: a Problem that names them."""
    found = past.run(home, word)
    if found is not None:
        return found
    newest = past.runs(home, limit=1, live=live) if word == LAST else past.runs_of(home, word, 1, live=live)
    if newest:
        return newest[0]
    if word != LAST and _is_schedule(home, word):
        return None  # not one of p.a, where p is a schedule too
    newest = past.runs(home, (word,), live=live, limit=1)
    if newest:
        return newest[0]
    like = past.runs_like(home, word, SHOWN + 1) if word else []
    if len(like) > 1:
        some = ", ".join(str(row["id"]) for row in like[:SHOWN]) + (", ..." if len(like) > SHOWN else "")
        raise Problem(f"{word[:80]!r} is a part of several ids", why=some, remedy="write more of it", code=USAGE)
    return like[0] if like else None


def _is_schedule(home: Home, word: str) -> bool:
    """Or was one."""
    return word in in_force(home).schedules or bool(past.runs_of(home, word, 1))


def run_id(home: Home, word: str, *, live: bool = False) -> str:
    """The id to send; what the history does not know (it may be behind) goes to the scheduler as it is."""
    found = find_run(home, word, live=live)
    if found is None and word == LAST:
        raise Problem("there are no runs yet" if not live else "no run goes on", code=USAGE, remedy="sbctl runs")
    return word if found is None else str(found["id"])


def no_such_run(word: str) -> Problem:
    if word == LAST:
        return Problem("there are no runs yet", remedy="sbctl next; sbctl run SCHEDULE", code=USAGE)
    return Problem(f"no run {word[:80]!r}", remedy="sbctl runs shows the last ones", code=USAGE)
