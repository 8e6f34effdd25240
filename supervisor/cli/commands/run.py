"""`sbctl run PLUGIN|SCHEDULE [COMMAND...] [-- ARGS]`."""

from __future__ import annotations

import click

from supervisor.base.errors import USAGE, Problem
from supervisor.cli import out
from supervisor.cli.main import Asked
from supervisor.cli.params import Duration
from supervisor.cli.run_asking import Wish, start_run

ARGS = "supervisor.args"


class WithArgs(click.Command):
    """What stands behind `--` is for the job, whatever it looks like."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[ARGS] = []
        if "--" in args:
            at = args.index("--")
            args, ctx.meta[ARGS] = args[:at], args[at + 1 :]
        return super().parse_args(ctx, args)


@click.command(cls=WithArgs)
@click.argument("name", metavar="PLUGIN|SCHEDULE")
@click.argument("commands", nargs=-1, metavar="[COMMAND]...")
@click.option("--force", is_flag=True, help="Pass the gates: paused, active hours, cooldown, overlap and the like")
@click.option("--wait", is_flag=True, help="Wait for its end: exit code 0 when it went well, else 1")
@click.option("-f", "--follow", is_flag=True, help="Show its output as it comes, then as --wait")
@click.option("--env", "pairs", multiple=True, metavar="K=V", help="A variable for its environment, for this run")
@click.option("--timeout", type=Duration(), metavar="10m", help="Wait no longer (exit code 124); the run goes on")
@click.option("--exit-code", is_flag=True, help="Wait, and end with the exit code of the job itself")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: run, schedule, held; waited for, also result")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    name: str,
    commands: tuple[str, ...],
    force: bool,
    wait: bool,
    follow: bool,
    pairs: tuple[str, ...],
    timeout: float | None,
    exit_code: bool,
    as_json: bool,
) -> int:
    """Run a schedule, or commands of a plugin, now.

    The gates are asked as for every run; one that is shut says so (exit code 1). What stands behind -- is handed to
    each command as arguments.
    """
    asked: Asked = ctx.obj
    wish = Wish(
        wait=wait,
        follow=follow,
        exit_code=exit_code,
        timeout=timeout,
        as_json=as_json,
        colour=out.wants_colour(asked.colour),
    )
    env = variables(pairs)
    home = asked.home(changing=True)
    return start_run(home, wish, name=name, commands=list(commands), args=ctx.meta[ARGS], env=env, force=force)


def variables(pairs: tuple[str, ...]) -> dict[str, str]:
    """`K=V` of --env."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.replace("_", "a").isalnum() or name[0].isdigit() or not name.isascii():
            raise Problem(f"{pair[:40]!r} is no variable", remedy="write it like --env NAME=VALUE", code=USAGE)
        found[name] = value
    return found
