"""What a TAB may offer: verbs, options, services and their instances, signals. Pure text in, text out.

It is asked at each TAB, so it imports neither click nor, while sbctl runs, JSON; it only looks, starts nothing, and
has nothing to say when anything is wrong.
"""

from __future__ import annotations

import os

from supervisor.base.errors import Problem
from supervisor.cli import verbs
from supervisor.cli.home import find_home
from supervisor.cli.out import show
from supervisor.model.home import Home
from supervisor.model.service import CORE_NAMES, SELF_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Offers = list[tuple[str, str]]  # a word, and what it is

_ONCE = (
    verbs.DIR, verbs.FILE, verbs.SERVICE, verbs.EXPLAINED, verbs.REVISION, verbs.VERB, verbs.SCHEDULE, verbs.RUNNABLE,
    verbs.RUN,
)  # fmt: skip
FOLDERS = ":dirs"  # instead of words: the shell itself knows folders best
PATIENCE_S = 0.3  # for each daemon; nobody waits longer for a TAB


def main(args: list[str]) -> int:
    """`__complete bash LINE BREAKS`, or `__complete zsh|fish WORD...`, the last of which is being typed."""
    try:
        shell, *words = args
        breaks = ""
        if shell == "bash":
            line, breaks = words
            words = split(line)[1:]
        offers = offered(words)
        if offers:
            show("\n".join(_shown(shell, words[-1], breaks, word, what) for word, what in offers))
    except Exception:  # whatever it is: a message in the middle of somebody's typing helps nobody
        return 1
    return 0


def _shown(shell: str, current: str, breaks: str, word: str, what: str) -> str:
    if word == FOLDERS:
        return word
    if shell == "bash":  # it replaces only what follows the last of its word breaks
        cut = max((current.rfind(char) for char in breaks if char in ":="), default=-1)
        return word[cut + 1 :]
    if shell == "zsh":
        word = word.replace(":", "\\:")
        return f"{word}:{what}" if what else word
    return f"{word}\t{what}"


def offered(words: list[str]) -> Offers:
    """What the last word may become, given those before it."""
    typed = _Typed(words[:-1])
    current = words[-1]
    name, equals, _value = current.partition("=")
    if equals and name.startswith("--"):
        found = [(f"{name}={word}", what) for word, what in _of_kind(typed.options.get(name, verbs.ANY), typed)]
        return [(word, what) for word, what in found if word.startswith(current)]
    if typed.pending is not None:
        found = _of_kind(typed.pending, typed)
    elif current.startswith("-"):
        given = set(typed.given)
        found = [(option, "") for option in typed.options if option not in given]
    else:
        found = _arguments(typed)
    if found == [(FOLDERS, "")]:
        return found
    return [(word, what) for word, what in found if word.startswith(current)]


class _Typed:
    """What stands before the word that is being typed: verb, arguments, options, and the home they name."""

    def __init__(self, words: list[str]) -> None:
        self.verb = ""
        self.args: list[str] = []
        self.given: list[str] = []
        self.home: str | None = None
        self.options: dict[str, verbs.Kind] = verbs.GLOBAL_OPTIONS
        self.pending: verbs.Kind | None = None  # the value of an option comes next
        last = ""
        for word in words:
            if self.pending is not None:
                self._take_value(last, word)
            elif word.startswith("-"):
                last, _, value = word.partition("=")
                self.given.append(last)
                kind = self.options.get(last, verbs.FLAG)
                if value:
                    self._take_value(last, value)
                elif kind != verbs.FLAG and "=" not in word:
                    self.pending = kind
            else:
                self._take_word(word)

    def _take_value(self, option: str, value: str) -> None:
        self.pending = None
        if option == "--home":
            self.home = os.path.expanduser(value)

    def _take_word(self, word: str) -> None:
        if not self.verb:
            self.verb = word
        elif self.verb in verbs.SUB_VERBS:
            self.verb = f"{self.verb} {word}"
        else:
            self.args.append(word)
            return
        shared: dict[str, verbs.Kind] = {"--help": verbs.FLAG}
        if self.verb.partition(" ")[0] not in verbs.WITHOUT_HOME:
            shared = {"--home": verbs.DIR, **shared}
        self.options = {**verbs.FOLLOWS.get(self.verb, ("", {}))[1], **shared}


def _arguments(typed: _Typed) -> Offers:
    if not typed.verb:
        return list(verbs.VERBS.items())
    if typed.verb in verbs.SUB_VERBS:
        return list(verbs.SUB_VERBS[typed.verb].items())
    kind = verbs.FOLLOWS.get(typed.verb, (verbs.ANY, {}))[0]
    if typed.verb == "run" and typed.args:
        kind = verbs.ANY if "--" in typed.given else verbs.COMMAND
    once = isinstance(kind, tuple) or kind in _ONCE
    if once and typed.args:
        return []
    return [offer for offer in _of_kind(kind, typed) if offer[0] not in typed.args]


def _of_kind(kind: verbs.Kind, typed: _Typed) -> Offers:
    if isinstance(kind, tuple):
        return [(word, "") for word in kind]
    if kind in (verbs.DIR, verbs.FILE):
        return [(FOLDERS, "")]
    if kind == verbs.VERB:
        return list(verbs.VERBS.items())
    if kind in (verbs.ANY, verbs.FLAG):
        return []
    try:
        home = find_home(typed.home)
    except Problem:
        return []
    if kind == verbs.REVISION:
        return _revisions(home)
    if kind in (verbs.SCHEDULE, verbs.SCHEDULES, verbs.RUNNABLE, verbs.HISTORIC, verbs.RUN, verbs.TENANT):
        from supervisor.cli.schedule_completing import words_of

        return words_of(home, kind)
    if kind == verbs.COMMAND:
        from supervisor.cli.schedule_completing import commands_of

        return commands_of(home, typed.args[0])
    known = _services(home)
    if kind == verbs.SERVICE:
        return known
    if kind == verbs.EXPLAINED:
        from supervisor.cli.schedule_completing import words_of

        names = {name for name, _ in known}
        return known + [offer for offer in words_of(home, verbs.SCHEDULE) if offer[0] not in names]
    if kind == verbs.PLUGIN_SERVICES:
        known = [offer for offer in known if offer[0] not in CORE_NAMES]
    offers = _plugins_of(known) + known
    if kind == verbs.LOGGED:
        offers.append((SELF_NAME, "the supervisor itself"))
    if kind == verbs.SIGNALLED and typed.args:
        offers += [(name, "signal") for name in signals()]
    return offers


def _plugins_of(known: Offers) -> Offers:
    """A plugin's name stands for all its instances."""
    counts: dict[str, int] = {}
    for name, _ in known:
        plugin, colon, _number = name.partition(":")
        if colon:
            counts[plugin] = counts.get(plugin, 0) + 1
    return [(plugin, f"all {count}") for plugin, count in counts.items()]


def _services(home: Home) -> Offers:
    """From the daemons with their states; while those are away, from the compiled settings or the plugins' folders."""
    found: dict[str, str] = {}
    for role in ("start", "scheduler"):
        found.update(_rows(home, role))
    if any(name not in CORE_NAMES for name in found):
        return sorted(found.items())
    from supervisor.cli.names import known_services

    return sorted({**dict.fromkeys(known_services(home), ""), **found}.items())


def _rows(home: Home, role: str) -> Iterable[tuple[str, str]]:
    from supervisor.cli import table
    from supervisor.cli.quick import exchange
    from supervisor.control.dial import dial

    try:
        sock = dial(home, role, PATIENCE_S)
    except Problem:
        return []
    try:
        rows = table.parse_rows(exchange(sock, home, role, b'{"verb":"rows"}', PATIENCE_S))[1]
    except (Problem, ValueError):
        return []
    finally:
        sock.close()
    return [(row.name, row.state) for row in rows]


def _revisions(home: Home) -> Offers:
    try:
        names = [name for name in os.listdir(home.revisions) if name.isdigit()]
    except OSError:
        return []
    return [(name, "") for name in sorted(names, key=int)]


def signals() -> list[str]:
    """The names that people send, without the SIG before them."""
    import signal

    return sorted(name[3:] for name in signal.Signals.__members__ if name not in ("SIGRTMIN", "SIGRTMAX"))


def split(line: str) -> list[str]:
    """The words of a command line that is still being typed: an open quote ends with the line."""
    words: list[str] = []
    word, quote, inside = "", "", False
    letters = iter(line)
    for char in letters:
        if char == "\\" and quote != "'":
            word += next(letters, "")
            inside = True
        elif quote:
            quote, word = ("", word) if char == quote else (quote, word + char)
        elif char in "'\"":
            quote, inside = char, True
        elif char.isspace():
            if inside:
                words.append(word)
            word, inside = "", False
        else:
            word += char
            inside = True
    return [*words, word]
