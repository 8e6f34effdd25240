"""The commonest spellings, answered without the full command line: `status`, `status --plain`, `stop` and `start`.

With `--home DIR` before them or without, they need neither click nor JSON, and importing those takes longer than the
answer. Both paths share their code below the spelling; a test compares their bytes.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` itself loads enum
import os

from supervisor.base.errors import INTERRUPTED, Problem
from supervisor.cli import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from supervisor.model.home import Home

SPELLINGS = (["status"], ["status", "--plain"], ["stop"], ["start"])


def quick(args: list[str]) -> int | None:
    """The exit code, or None when this is a case for the full command line."""
    home_option = None
    if args[:1] == ["__complete"]:  # a TAB in somebody's shell
        from supervisor.cli import completing

        return completing.main(args[1:])
    if len(args) > 2 and args[0] == "--home":
        home_option, args = args[1], args[2:]
    if args not in SPELLINGS:
        return None
    from supervisor.cli.home import find_home

    if args[0] == "status":
        try:
            home = find_home(home_option)
        except Problem:
            return None
        return status(home, plain=len(args) > 1)
    home = find_home(home_option, changing=True)
    if args[0] == "stop":
        from supervisor.cli.stopping import stop_tree

        return stop_tree(home)
    from supervisor.cli.starting import start_tree

    return start_tree(home)


def status(home: Home, *, plain: bool) -> int:
    from supervisor.cli import early

    asked = early.ask(home)
    from supervisor.cli import quick as asking
    from supervisor.cli import table
    from supervisor.cli.details import mask_rows

    try:
        found = asking.snapshot(home, asked)
    except Problem as problem:
        text, code = asking.without_answer(home, problem)
        (out.note if code == asking.CANT_TELL else out.show)(text)
        return code
    if not found.heard:
        from supervisor.cli.report import with_entries  # from `start`, as JSON

        found = with_entries(home, found)
    mask_rows(home, found.rows)
    style = table.Style(colour=out.wants_colour(), utf8=out.speaks_utf8(), width=out.width())
    lines = table.plain(found.rows) if plain else asking.status_lines(found, home, style)
    if lines:
        out.show("\n".join(lines))
    return asking.UP


def main(args: list[str]) -> int:
    try:
        out.open_standard_descriptors()
        code = quick(args)
    except Problem as problem:
        out.note(problem.text())
        return problem.code
    except out.ReaderGone:
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    if code is not None:
        return code
    from supervisor.base.where import add_packages

    add_packages()
    from supervisor.cli.main import main as full

    return full(args)


def run(args: list[str]) -> NoReturn:
    """With a Ctrl-C as Python has it, which `hot.py` has put off until here."""
    try:
        if _signal.getsignal(_signal.SIGINT) == _signal.SIG_DFL:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        code = main(args)
    except KeyboardInterrupt:  # within an import of the full command line
        code = INTERRUPTED
    os._exit(code)  # nothing is buffered; an orderly shutdown of the interpreter takes 2 ms
