"""Which schedules there are, also when nothing runs; which of them a word means; asking the scheduler about them."""

from __future__ import annotations

from supervisor.base.errors import BAD_SETTINGS, NOT_RUNNING, USAGE, Problem
from supervisor.cli.compiling import read_compiled, run_compiler
from supervisor.control.api import SCHEDULER, START, nearest
from supervisor.control.client import ANSWER_S, connect
from supervisor.core.names import matching
from supervisor.model.inputs import stale
from supervisor.model.schedule import Catalogue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from supervisor.model.home import Home

    Facts = dict[str, Any]


MANY_S = 60.0  # a look at all schedules, of which there may be a hundred thousand


def ask(home: Home, verb: str, *, limit: float = ANSWER_S, **args: object) -> Facts:
    """The scheduler's answer."""
    try:
        client = connect(home, SCHEDULER)
    except Problem as problem:
        if problem.code == NOT_RUNNING:
            connect(home, START).close()  # where nothing runs at all, that is what is to be said
        raise
    with client:
        answer: Facts = client.request(verb, limit=limit, **args)
    answer.pop("ok", None)
    return answer


def ask_if_running(home: Home, verb: str, **args: Any) -> Facts | None:
    """None: no scheduler runs, so that whoever asks must look for himself."""
    try:
        return ask(home, verb, **args)
    except Problem as problem:
        if problem.code != NOT_RUNNING:
            raise
        return None


def rows_if_running(home: Home, **some: Any) -> Facts | None:
    """What `schedules` answers, of which each answer has a part."""
    reply = part = ask_if_running(home, "schedules", **some)
    while reply is not None and part is not None and part.pop("more", None) is not None:
        part = ask(home, "schedules", first=len(reply["schedules"]), **some)
        reply["schedules"] += part["schedules"]
    return reply


def catalogue(home: Home) -> Catalogue:
    """As the files have them now, which is what the next start goes by. For when no scheduler runs."""
    return Catalogue(section(home))


def section(home: Home) -> Facts:
    """The same, not yet read."""
    head = read_compiled(home, "start")
    document = read_compiled(home, SCHEDULER)
    if head is None or document is None or stale(head, home):
        seen = run_compiler(home, "--preview")
        document = seen.get("documents", {}).get(SCHEDULER) or document
        if document is None:
            raise Problem("the settings have errors", remedy="sbctl config validate", code=BAD_SETTINGS)
    found: Facts = document.get("schedules") or {}
    return found


def in_force(home: Home) -> Catalogue:
    """As they were compiled last, without a look at the files."""
    return Catalogue((read_compiled(home, SCHEDULER) or {}).get("schedules"))


def meant(words: Sequence[str], owners: Mapping[str, str]) -> list[str]:
    """Ids of schedules, each once. `owners`: the plugin of each; a plugin's name means all that it has."""
    found: list[str] = []
    for word in words:
        ids = [word] if word in owners else matching(word, dict(owners))
        if not ids:
            raise no_such_schedule(word, owners)
        found += ids
    return list(dict.fromkeys(found))


def owners_of(schedules: Catalogue) -> dict[str, str]:
    return {id: schedule.plugin for id, schedule in schedules.schedules.items()}


def several(word: str, ids: Sequence[str]) -> Problem:
    """Where one is to be named."""
    some = ", ".join(ids[:8]) + (", ..." if len(ids) > 8 else "")
    return Problem(f"{word[:80]} has several schedules", remedy=f"one of {some}", code=USAGE)


def no_such_schedule(word: str, known: Iterable[str]) -> Problem:
    names = sorted(known)
    close = nearest(word, names)
    some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return Problem(
        f"no schedule {word[:80]!r}",
        why=f"known are: {some}" if names else "there are no schedules yet",
        remedy=f"did you mean {close!r}?" if close else "sbctl schedule list shows all",
        code=USAGE,
    )


def known_in_history(home: Home, words: Sequence[str]) -> None:
    """A word that no run has may at least be a schedule or a plugin; else it is misspelt."""
    schedules = in_force(home)
    known = {*schedules.schedules, *schedules.commands, *owners_of(schedules).values()}
    for word in words:
        if word not in known and not matching(word, owners_of(schedules)):
            raise no_such_schedule(word, known)
