"""Writing to the person's terminal or pipe: data to stdout, remarks to stderr.

Straight to the descriptors, because Python's own streams bring surprises at the worst moment: a reader that
has gone (`sbctl status | head -0`) becomes a traceback at exit, a closed stdout becomes None.
"""

from __future__ import annotations

import errno
import os
import select

from supervisor.base.errors import FAILED, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class ReaderGone(Exception):
    """Nobody reads our output any more. That is no failure: stop quietly."""


def show(text: str) -> None:
    """A result, on stdout, with a line end."""
    show_bytes(text.encode("utf-8", "backslashreplace") + b"\n")


def answer(text: str, facts: dict[str, Any], *, as_json: bool) -> None:
    """A result in the form that was asked for: a sentence, or one JSON object with the same content."""
    if not as_json:
        if text:
            show(text)
        return
    from supervisor.cli.json_text import encode  # 7 ms, which the quick commands do without

    show(encode(facts))


def show_bytes(data: bytes) -> None:
    error = _write(1, data)
    if error is None:
        return
    if error.errno == errno.EPIPE:
        raise ReaderGone
    raise Problem("the output could not be written", why=error.strerror or str(error), code=FAILED)


_named: list[str] = []


def name_home(option: str | None) -> None:
    """How the home was named, if the commands that we suggest must name it, too."""
    _named[:] = [] if option is None else [option]


def at_home(text: str) -> str:
    """Each `sbctl VERB` in it with the home that it is about, where it would mean another one without."""
    if not _named or "sbctl " not in text:
        return text
    from supervisor.cli.verbs import VERBS, WITHOUT_HOME

    first, *others = text.split("sbctl ")
    told = first
    for rest in others:
        verb = rest[: next((at for at, char in enumerate(rest) if not char.isalpha()), len(rest))]
        is_ours = verb in VERBS and verb not in WITHOUT_HOME
        told += f"sbctl --home {_quoted(_named[0])} {rest}" if is_ours else f"sbctl {rest}"
    return told


def _quoted(word: str) -> str:
    """For a shell. (`shlex` would bring `re` along, which takes longer than a whole `status`.)"""
    if word and all(char.isalnum() or char in "/._-+@%" for char in word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def note(text: str) -> None:
    """A remark, on stderr. Whether anybody sees it changes nothing."""
    _write(2, at_home(text).encode("utf-8", "backslashreplace") + b"\n")


def _write(fd: int, data: bytes) -> OSError | None:
    """All of it, or what was in the way."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:  # a terminal that another program has set to non-blocking
            waiting = select.poll()
            waiting.register(fd, select.POLLOUT)
            waiting.poll()
        except OSError as error:
            return error
    return None


def open_standard_descriptors() -> None:
    """Put /dev/null where 0, 1 or 2 is closed: else the next socket gets that number and our output goes into it."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open("/dev/null", os.O_RDWR)  # takes the lowest free number, which is this one
            os.set_inheritable(fd, True)  # what we may become needs it as well


def rest(seconds: float, until: int = -1) -> None:
    """Sleep, unless the reader of our output goes meanwhile: `sbctl logs -f | head -1` ends at once.

    `until`: or this descriptor can be read.
    """
    poller = select.poll()
    poller.register(1, 0)
    if until >= 0:
        poller.register(until, select.POLLIN)
    if any(fd == 1 for fd, _ in poller.poll(seconds * 1000)):
        raise ReaderGone


def is_terminal(fd: int = 1) -> bool:
    return os.isatty(fd)


def wants_colour(choice: str = "auto") -> bool:
    """`--color always|never`, else only on a terminal that is not dumb and when NO_COLOR is not set."""
    if choice != "auto":
        return choice == "always"
    return is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def speaks_utf8() -> bool:
    """Does the locale take more than ASCII? Python itself puts LC_CTYPE=C.UTF-8 where the locale is C."""
    get = os.environ.get
    if not get("LC_ALL") and get("LC_CTYPE") == "C.UTF-8" and get("LANG") in ("C", "POSIX"):
        return False
    name = get("LC_ALL") or get("LC_CTYPE") or get("LANG") or ""
    return name.lower().replace("-", "").endswith(("utf8", "utf8@euro"))


def width() -> int:
    """Columns of the terminal; 0 when output goes elsewhere and nothing is to be cut."""
    if not is_terminal():
        return 0
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 0


def height() -> int:
    """Lines of the terminal; 0 when output goes elsewhere, or it does not know."""
    try:
        return os.get_terminal_size(1).lines if is_terminal() else 0
    except OSError:
        return 0
