"""Arguments that several verbs take, and kinds of them."""

from __future__ import annotations

import os
from typing import Any

import click

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.times import parse_duration
from supervisor.control.api import nearest

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


class OptionalValue(click.Command):
    """A command with options that may have a duration behind them, or nothing: `--watch`, `--watch 5s`.

    Click would take whatever follows for the value: in `status --watch web` the name of a service.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        optional = {name: value for param in self.params for name, value in _may_be_bare(param)}
        words: list[str] = []
        for at, word in enumerate(args):
            bare = word in optional and not is_duration(args[at + 1] if at + 1 < len(args) else "")
            words.append(f"{word}={optional[word]}" if bare else word)
        return super().parse_args(ctx, words)


def _may_be_bare(param: click.Parameter) -> list[tuple[str, str]]:
    """The names of an option that may stand without its value, and what it is worth then."""
    if not isinstance(param, click.Option) or param.is_flag or not isinstance(param.flag_value, float):
        return []
    return [(name, str(param.flag_value)) for name in param.opts]


def is_duration(word: str) -> bool:
    try:
        parse_duration(word)
    except Problem:
        return False
    return True


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


class SubVerbs(click.Group):
    """A verb with verbs of its own: a misspelt one is told which was meant."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in self.commands:
            meant = nearest(args[0], self.commands)
            raise Problem(
                f"unknown verb {ctx.info_name} {args[0][:80]!r}",
                remedy=f"did you mean: {ctx.command_path} {meant}" if meant else f"{ctx.command_path} --help",
                code=USAGE,
            )
        return super().resolve_command(ctx, args)
