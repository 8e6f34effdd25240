"""What can be asked of a daemon: the verbs, their arguments, and who answers which name.

`docs/architecture.md` has the table for people; this is the same for programs. A daemon hands the server a
plain dict of verb to handler; nothing is ever looked up by a name from the wire.
"""

from __future__ import annotations

from supervisor.base.errors import USAGE, Problem
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

# verb: (the daemons that have it, the arguments it takes)
VERBS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ping": ((START, SCHEDULER), ()),
    "status": ((START, SCHEDULER), ()),
    "rows": ((START, SCHEDULER), ()),
    "start": ((START, SCHEDULER), ("names",)),
    "stop": ((START, SCHEDULER), ("names", "timeout")),
    "restart": ((START, SCHEDULER), ("names",)),
    "settle": ((START, SCHEDULER), ("names", "timeout")),
    "why": ((START, SCHEDULER), ("name",)),
    "reload": ((START, SCHEDULER), ("revision", "env")),
    "events": ((SCHEDULER,), ("since", "follow", "kinds", "service")),
    "shutdown": ((START,), ("timeout", "now")),
    "entries": ((START,), ()),
}


def role_of(name: str) -> str:
    """The daemon that answers for a service: `start` for the core ones, `scheduler` for all others."""
    return START if name in CORE_NAMES or name == SELF_NAME else SCHEDULER


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word a person most likely meant, or "". (`difflib` would cost each daemon 10 ms to import.)"""
    best, least = "", len(word) // 3 + 1
    for candidate in sorted(known):
        distance = _edits(word[:80], candidate[:80])
        if distance <= least:
            best, least = candidate, distance - 1
    return best


def _edits(left: str, right: str) -> int:
    """Letters to add, drop, change or swap with their neighbour to get from one word to the other."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left):
        older, before, row = before, row, [i + 1]
        for j, b in enumerate(right):
            cost = min(before[j] + (a != b), before[j + 1] + 1, row[j] + 1)
            if i and j and a == right[j - 1] and b == left[i - 1]:
                cost = min(cost, older[j - 1] + 1)
            row.append(cost)
    return row[-1]


def unknown_name(name: str, known: Iterable[str]) -> Problem:
    """No service of that name: say which there are, or the one that was meant."""
    names = sorted(known)
    meant = nearest(name, names)
    some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return Problem(
        f"no service {name!r}",
        why=f"known are: {some}" if names else "there are no services yet",
        remedy=f"did you mean {meant!r}?" if meant else "sbctl status shows all services",
        code=USAGE,
    )


def check_arguments(verb: str, args: Message) -> None:
    """Refuse what the verb does not take: a misspelt `names` must never read as "all"."""
    allowed = VERBS[verb][1] if verb in VERBS else tuple(args)
    for name in args:
        if name not in allowed:
            raise Problem(
                f"{verb!r} takes no argument {name!r}",
                why=f"it takes: {', '.join(allowed) or 'none'}",
                code=USAGE,
            )


# Arguments come from any program that may talk to us: each is checked where it is taken.


def take_names(args: Message, *, required: bool = False) -> list[str] | None:
    """`names`: a list of service names, or null for "all that are wanted"."""
    names = args.get("names")
    if names is None and not required:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Problem("'names' must be a list of service names", code=USAGE)
    return names


def take_text(args: Message, key: str, default: str | None = None) -> str:
    """A text; without a default it must be there."""
    value = args.get(key, default)
    if not isinstance(value, str):
        raise Problem(f"{key!r} must be a text", code=USAGE)
    return value


def take_seconds(args: Message, key: str) -> float | None:
    """A number of seconds, zero or more; null or absent: none."""
    value = args.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise Problem(f"{key!r} must be a number of seconds", code=USAGE)
    return float(value)


def take_flag(args: Message, key: str) -> bool:
    """True or false; absent: false."""
    value = args.get(key, False)
    if not isinstance(value, bool):
        raise Problem(f"{key!r} must be true or false", code=USAGE)
    return value
