"""Which services there are, also when nothing runs; which of them a word means; where each one's output lies."""

from __future__ import annotations

import os

from supervisor.base.errors import BAD_SETTINGS, USAGE, Problem
from supervisor.cli.compiling import read_compiled
from supervisor.control.api import no_match, unknown_name
from supervisor.core.names import is_pattern, matching
from supervisor.model.home import Home
from supervisor.model.service import CORE_NAMES, SELF_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def known_services(home: Home) -> set[str]:
    """Names from the compiled settings, else from the folders of plugins."""
    compiled = read_compiled(home, "scheduler")
    if compiled is not None:
        return {service["name"] for service in compiled["services"]} | set(CORE_NAMES)
    try:
        return {name for name in os.listdir(home.plugins) if not name.startswith(".")} | set(CORE_NAMES)
    except OSError:
        return set(CORE_NAMES)


def meant(word: str, known: Iterable[str]) -> list[str]:
    """The services that a word means: itself, all instances of a plugin, or those that fit a pattern like `web*`.

    By the daemons' own rule. A pattern never means a service of sbctl itself: those are spelt out.
    """
    if word in CORE_NAMES or word == SELF_NAME:
        return [word] if word in known else []
    own = (*CORE_NAMES, SELF_NAME)
    return matching(word, {name: name.partition(":")[0] for name in sorted(known, key=_by_number) if name not in own})


def _by_number(name: str) -> tuple[str, int]:
    plugin, _, number = name.partition(":")
    return plugin, int(number) if number.isdecimal() else 0


def expand(home: Home, words: Sequence[str], known: Iterable[str]) -> list[str]:
    """All names that are meant, each once; one word that means nothing is an error."""
    known = list(known)
    names: list[str] = []
    for word in words:
        found = meant(word, known)
        if not found:
            raise no_match(word) if is_pattern(word) and known else no_such_service(home, word, known)
        names += found
    return list(dict.fromkeys(names))


def check_name(home: Home, name: str) -> None:
    """One of ours, or at least one that has left a log; a path never."""
    known = known_services(home) | {SELF_NAME}
    if name in known:
        return
    plain = name not in ("", ".", "..", "run", "scheduler") and "/" not in name and "\0" not in name
    if not plain or not os.path.isfile(output_file(home, name)):
        raise no_such_service(home, name, known)


def no_such_service(home: Home, name: str, known: Iterable[str]) -> Problem:
    """Left out because of its settings, which only the settings know of; else not there at all."""
    settings = read_compiled(home, "start") or {}
    own = f"plugins/{name}/"
    why = next((text for text in settings.get("errors", ()) if text.startswith(own)), "")
    if not why:
        return unknown_name(name, known)
    return Problem(
        f"{name} was left out: its settings have errors",
        why=why,
        remedy="sbctl config validate; when it is mended: sbctl reload",
        code=BAD_SETTINGS,
    )


def output_file(home: Home, name: str) -> str:
    """The raw output of a service, or of a daemon."""
    if name in CORE_NAMES or name == SELF_NAME:
        return home.out_file(name)
    plugin, _, number = name.partition(":")
    return home.server_log(plugin, int(number)) if number.isdecimal() else home.server_log(name)


def refuse_self(name: str) -> None:
    """`start` is what keeps the services, and no service itself."""
    if name == SELF_NAME:
        raise Problem("start is the supervisor itself", remedy="sbctl status; sbctl logs start", code=USAGE)
