"""What can be asked of a daemon: the verbs, their arguments, and who answers which name.

`docs/architecture.md` has the table for people; this is the same for programs. A daemon hands the server a
plain dict of verb to handler; nothing is ever looked up by a name from the wire.
"""

from __future__ import annotations

from supervisor.base.errors import USAGE, Problem
from supervisor.core.verdict import RTMAX, RTMIN, SIGNALS
from supervisor.model.service import CORE_NAMES, SELF_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from supervisor.control.connection import Reply

    Message = dict[str, Any]
    Handler = Callable[[Message, Reply], None]

START = "start"
SCHEDULER = "scheduler"

BOTH = (START, SCHEDULER)
AFTER_PAUSE = ("next", "once", "catch_up")  # what becomes of the slots that a pause has held
MAX_COUNT = 1000  # of slots that are looked ahead
MAX_NAME = 200  # of who asks
SLIPS = 1  # in the name of a signal: they are short, and many are alike
SPELT = 80  # letters of a name that are compared with another one
MOST_COMPARED = 250_000  # pairs of letters, with a name that nobody knows: some 50 ms, for which a daemon stands
LAST_S = 253_402_300_800  # the year 10000

# verb: (the daemons that have it, arguments that must be there, arguments that may be)
VERBS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "ping": (BOTH, (), ()),
    "health": (BOTH, (), ()),
    "status": (BOTH, (), ()),
    "rows": (BOTH, (), ()),
    "start": (BOTH, ("names",), ()),
    "stop": (BOTH, ("names",), ("timeout",)),
    "restart": (BOTH, ("names",), ("rolling",)),
    "signal": (BOTH, ("names", "signal"), ("group",)),
    "reload_service": (BOTH, ("names",), ()),
    "enable": (BOTH, ("names",), ("by",)),
    "disable": (BOTH, ("names",), ("by",)),
    "settle": (BOTH, (), ("names", "timeout")),
    "why": (BOTH, ("name",), ()),
    "reload": (BOTH, ("revision",), ("env",)),
    "events": ((SCHEDULER,), (), ("since", "follow", "kinds", "service")),
    "schedules": ((SCHEDULER,), (), ("names", "tenant", "first")),
    "next": ((SCHEDULER,), ("count",), ("names",)),
    "run": ((SCHEDULER,), ("name",), ("retry", "commands", "args", "env", "force", "by")),  # retry: of which run
    "cancel": ((SCHEDULER,), ("run",), ("now", "by")),
    "wait_run": ((SCHEDULER,), ("run",), ("timeout",)),
    "pause": ((SCHEDULER,), ("names",), ("reason", "until", "by", "on_resume")),
    "resume": ((SCHEDULER,), ("names",), ("by", "what")),
    "schedule_enable": ((SCHEDULER,), ("names",), ("by",)),
    "schedule_disable": ((SCHEDULER,), ("names",), ("by",)),
    "why_schedule": ((SCHEDULER,), ("name",), ()),
    "shutdown": ((START,), (), ("timeout", "now")),
    "entries": ((START,), (), ()),
    "upgrade": ((START,), ("python", "main"), ("back",)),
}

# Whose answer says that something is so, or will be: it is not given before that is on its way to who does it.
PROMISES = frozenset((
    "start", "stop", "restart", "signal", "reload_service", "enable", "disable", "settle", "reload", "run", "cancel",
    "wait_run", "pause", "resume", "schedule_enable", "schedule_disable", "shutdown", "upgrade",
))  # fmt: skip

OF_SCHEDULES = (
    "schedules", "next", "run", "cancel", "wait_run", "pause", "resume", "schedule_enable", "schedule_disable",
    "why_schedule",
)  # fmt: skip


def role_of(name: str) -> str:
    """The daemon that answers for a service: `start` for the core ones, `scheduler` for all others."""
    return START if name in CORE_NAMES or name == SELF_NAME else SCHEDULER


def nearest(word: str, known: Iterable[str], most: int | None = None) -> str:
    """The known word a person most likely meant, or "". (`difflib` would cost each daemon 10 ms to import.)

    `most`: so many slips at most; else the more, the longer the word is.
    """
    best, least, word = "", len(word) // 3 + 1 if most is None else most, word[:SPELT]
    for candidate in _worth_comparing(word, known, least):
        if abs(len(candidate[:SPELT]) - len(word)) > least:
            continue
        distance = _edits(word, candidate[:SPELT], least)
        if distance <= least:
            best, least = candidate, distance - 1
    return best


def _worth_comparing(word: str, known: Iterable[str], least: int) -> list[str]:
    """Those of a fitting length, by the alphabet; of very many only the neighbours of the word in the alphabet, since
    the first letter is seldom the wrong one.
    """
    fitting = sorted(name for name in known if abs(len(name[:SPELT]) - len(word)) <= least)
    most = MOST_COMPARED // (len(word) + 1) ** 2
    if len(fitting) <= most:
        return fitting
    before = sum(name < word for name in fitting)
    first = min(max(before - most // 2, 0), len(fitting) - most)
    return fitting[first : first + most]


def _edits(left: str, right: str, most: int) -> int:
    """Letters to add, drop, change or swap with their neighbour to get from one word to the other; above `most` it does
    not matter how many.
    """
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left):
        older, before, row = before, row, [i + 1]
        for j, b in enumerate(right):
            cost = min(before[j] + (a != b), before[j + 1] + 1, row[j] + 1)
            if i and j and a == right[j - 1] and b == left[i - 1]:
                cost = min(cost, older[j - 1] + 1)
            row.append(cost)
        if min(row) > most and min(before) > most:  # both: a swap goes on from the row before
            return most + 1
    return row[-1]


def with_plugins(names: Iterable[str]) -> set[str]:
    """A plugin with several instances is a name, too: of all of them."""
    return {word for name in names for word in (name, name.partition(":")[0])}


def unknown_name(name: str, known: Iterable[str]) -> Problem:
    """No service of that name: say which there are, or the one that was meant."""
    names = sorted(known)
    meant = nearest(name, with_plugins(names))
    some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return Problem(
        f"no service {name!r}",
        why=f"known are: {some}" if names else "there are no services yet",
        remedy=f"did you mean {meant!r}?" if meant else "sbctl status shows all services",
        code=USAGE,
    )


def no_match(pattern: str) -> Problem:
    return Problem(f"no service fits {pattern!r}", remedy="sbctl status shows all services", code=USAGE)


def signal_number(wanted: str | int) -> int:
    """`HUP`, `SIGHUP`, `hup`, `1` and 1 are the same; `RTMIN+1` is 35."""
    word = str(wanted).upper()
    numbers = {name.removeprefix("SIG"): number for number, name in SIGNALS.items()}
    number = numbers.get(word.removeprefix("SIG")) or _realtime(word.removeprefix("SIG"))
    if number is None and word.isascii() and word.isdigit() and len(word) < 3 and 0 < int(word) < 65:
        number = int(word)
    if number is None:
        meant = nearest(word.removeprefix("SIG"), numbers, SLIPS)
        remedy = f"did you mean {meant}?" if meant else "names are HUP, USR1, TERM, RTMIN+1, ...; kill -l shows all"
        raise Problem(f"no signal {str(wanted)[:80]!r}", remedy=remedy, code=USAGE)
    return number


def _realtime(word: str) -> int | None:
    """`RTMIN+3`, `RTMAX-1`: those that have no name of their own."""
    for base, sign, first, step in (("RTMIN", "+", RTMIN, 1), ("RTMAX", "-", RTMAX, -1)):
        head, found, more = word.partition(sign)
        if head == base and (not found or (more.isascii() and more.isdigit() and len(more) < 3)):
            number = first + step * int(more or 0)
            return number if RTMIN <= number <= RTMAX else None
    return None


def check_arguments(verb: str, args: Message) -> None:
    """Refuse what the verb does not take or can't be meant: a misspelt `names` must never read as "all".

    They come from any program that may talk to us; behind this line they are of the kind they should be.
    """
    if verb not in VERBS:
        return
    _, required, optional = VERBS[verb]
    for name in args:
        if name not in required and name not in optional:
            known = ", ".join((*required, *optional)) or "none"
            raise Problem(f"{verb!r} takes no argument {name[:80]!r}", why=f"it takes: {known}", code=USAGE)
    for name in required:
        if args.get(name) is None:
            raise Problem(f"{verb!r} needs the argument {name!r}", code=USAGE)
    for name, value in args.items():
        fits, kind = KINDS[name]
        if value is not None and not fits(value):
            raise Problem(f"{name!r} must be {kind}", code=USAGE)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_NAME  # it is noted, and told


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _is_seconds(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9


def _is_epoch(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < LAST_S


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_COUNT


def _is_place(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def _is_after_pause(value: object) -> bool:
    return value in AFTER_PAUSE


def _is_signal(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _is_revision(value: object) -> bool:
    """A number, as a text: it becomes part of a path."""
    return isinstance(value, str) and value.isascii() and value.isdigit()


def _is_environment(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(word, str) for word in value.values())


# What each argument is, wherever it is taken; null is always "not given".
KINDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "names": (_is_texts, "a list of service names"),
    "name": (_is_text, "a service name"),
    "timeout": (_is_seconds, "a number of seconds"),
    "revision": (_is_revision, "the number of a revision"),
    "env": (_is_environment, "an object of texts"),
    "since": (_is_text, "the number of an event, or a time"),
    "follow": (_is_flag, "true or false"),
    "now": (_is_flag, "true or false"),
    "rolling": (_is_flag, "true or false"),
    "group": (_is_flag, "true or false"),
    "signal": (_is_signal, "the name or the number of a signal"),
    "by": (_is_name, f"who asks for it, in at most {MAX_NAME} letters"),
    "kinds": (_is_texts, "a list of kinds of events"),
    "service": (_is_text, "a service name"),
    "tenant": (_is_text, "the label of a tenant"),
    "first": (_is_place, "the number of a row, from 0 on"),
    "count": (_is_count, f"a number from 1 to {MAX_COUNT}"),
    "run": (_is_text, "the id of a run"),
    "retry": (_is_text, "the id of a run"),
    "commands": (_is_texts, "a list of commands"),
    "args": (_is_texts, "a list of texts"),
    "force": (_is_flag, "true or false"),
    "reason": (_is_text, "a text"),
    "until": (_is_epoch, "a time in seconds since 1970"),
    "on_resume": (_is_after_pause, "one of " + ", ".join(AFTER_PAUSE)),
    "python": (_is_text, "the path of a Python"),
    "main": (_is_text, "the path of a __main__.py"),
    "back": (_is_text, "the path of a __main__.py"),
    "what": (_is_after_pause, "one of " + ", ".join(AFTER_PAUSE)),
}
