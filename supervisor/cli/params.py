"""Arguments that several verbs take, and kinds of them."""

from __future__ import annotations

import os
from typing import Any

import click

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.times import parse_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


class Duration(click.ParamType[float]):
    """`10s`, `1m30s`, a number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float | int):
            return float(value)
        try:
            return parse_duration(value)
        except Problem as problem:
            self.fail(f"{problem.what} ({problem.remedy})" if problem.remedy else problem.what, param, ctx)


def check_home_option(value: str, verbs: Collection[str]) -> str:
    """`--home status`: its value was forgotten, and the verb taken for it."""
    if not value or (value in verbs and not os.path.isdir(value)):
        why = f"{value!r} is a verb, and no folder here is called that" if value else "its value is empty"
        raise Problem("--home needs a folder", why=why, remedy="sbctl --home DIR VERB; . is this folder", code=USAGE)
    return value


def add_home_option(command: click.Command, verbs: Collection[str]) -> None:
    """`--home DIR` behind the verb as well, for people who think of it last."""

    def take(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.find_root().obj.home_option = check_home_option(value, verbs)

    if any("--home" in param.opts for param in command.params):
        return
    command.params.append(
        click.Option(["--home"], metavar="DIR", expose_value=False, callback=take, help="As before the verb")
    )
    if isinstance(command, click.Group):
        for part in command.commands.values():
            add_home_option(part, verbs)
