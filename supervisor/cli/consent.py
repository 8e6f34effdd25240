"""Asking before something is done; where there is nobody to ask, nothing is done without `--yes`."""

from __future__ import annotations

import sys

from supervisor.base.errors import FAILED, USAGE, Problem

NOTHING = "nothing was changed"


def ask(question: str, without: str) -> None:
    """`without`: the command that does not ask."""
    if not sys.stdin.isatty():
        raise Problem(f"{NOTHING}: there is nobody to ask", remedy=without, code=USAGE)
    import click

    if not click.confirm(question, err=True):
        raise Problem(NOTHING, code=FAILED)
