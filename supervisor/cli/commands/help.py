"""`sbctl help [VERB]`."""

from __future__ import annotations

import click

from supervisor.cli.out import show


@click.command()
@click.argument("verb", required=False)
@click.pass_context
def command(ctx: click.Context, verb: str | None) -> None:
    """Show the verbs, or all about one of them."""
    top = ctx.find_root()
    if verb is None:
        show(top.get_help())
        return
    group = top.command
    assert isinstance(group, click.Group)
    _, found, _ = group.resolve_command(top, [verb])
    if found is not None:
        show(found.get_help(click.Context(found, info_name=verb, parent=top)))
