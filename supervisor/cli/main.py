"""The command line: finds the verb, imports its file, runs it, and turns every end into an exit code.

No traceback ever reaches a person, unless SB_DEBUG is set.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from supervisor.base.errors import FAILED, INTERRUPTED, USAGE, Problem
from supervisor.cli import out
from supervisor.cli.home import find_home
from supervisor.cli.params import add_home_option, check_home_option
from supervisor.cli.verbs import VERBS, WITHOUT_HOME
from supervisor.control.api import nearest
from supervisor.model.home import Home


class Asked:
    """What was given before the verb; the home is looked for only when a verb wants it."""

    def __init__(self, home: str | None, colour: str) -> None:
        self.home_option = home
        self.colour = colour

    def home(self, *, changing: bool = False, maker: str = "") -> Home:
        return find_home(self.home_option, changing=changing, maker=maker)


class Verbs(click.Group):
    """Verbs by their files."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"supervisor.cli.commands.{cmd_name}")
        command: click.Command = module.command
        if cmd_name not in WITHOUT_HOME:
            add_home_option(command, VERBS)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0]
        if name not in VERBS:
            meant = nearest(name, VERBS)
            raise Problem(
                f"unknown verb {name[:80]!r}",
                remedy=f"did you mean: sbctl {meant}" if meant else "sbctl help lists all",
                code=USAGE,
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--home", metavar="DIR", help="The folder with etc/, plugins/ and logs/ (else SB_HOME, else searched)")
@click.option("--color", "colour", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("--version", "show_version", is_flag=True, help="Show the version")
@click.pass_context
def sbctl(ctx: click.Context, home: str | None, colour: str, show_version: bool) -> None:
    """Keeps servers alive and runs the rest on time.

    Begin with: sbctl init DIR, then sbctl --home DIR start.
    """
    ctx.obj = Asked(None if home is None else check_home_option(home, VERBS), colour)
    if show_version:
        from supervisor import __version__

        out.show(f"sbctl {__version__}")
        ctx.exit(0)
    if ctx.invoked_subcommand is None:
        out.show(ctx.get_help())


def main(argv: list[str] | None = None) -> int:
    """The console script: returns the exit code."""
    out.open_standard_descriptors()
    args = sys.argv[1:] if argv is None else argv
    if args[:1] == ["__complete"]:  # as in hot.py, for those who have sbctl from a package
        from supervisor.cli import completing

        return completing.main(args[1:])
    try:
        return _run(args)
    except Problem as problem:
        out.note(problem.text())
        return problem.code
    except click.ClickException as error:
        out.note(_usage_text(error))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except out.ReaderGone:
        return 0
    except Exception as error:
        if os.environ.get("SB_DEBUG"):
            raise
        out.note(_defect(error).text())
        return FAILED


def _run(argv: list[str]) -> int:
    try:
        result = sbctl.main(args=argv, prog_name="sbctl", standalone_mode=False)
    except SystemExit:  # click's own way to end over a broken pipe, when nobody reads --help
        out.rest(0)
        raise
    return result if isinstance(result, int) else 0


def _usage_text(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "sbctl"
    return Problem(error.format_message(), remedy=f"{path} --help", code=USAGE).text()


def _defect(error: Exception) -> Problem:
    if isinstance(error, OSError):
        return Problem(error.strerror or str(error), why=str(error.filename or ""))
    return Problem(
        "sbctl itself failed",
        why=f"{type(error).__name__}: {error}",
        remedy="SB_DEBUG=1 before the command shows where; please report it",
    )
