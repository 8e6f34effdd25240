"""`sbctl schedule list|show|add|edit|rm|pause|resume|enable|disable|test`."""

from __future__ import annotations

import time
from typing import Any

import click

from supervisor.base.errors import USAGE, Problem
from supervisor.cli import out
from supervisor.cli.commands.pause import command as pause_command
from supervisor.cli.commands.resume import command as resume_command
from supervisor.cli.json_text import encode
from supervisor.cli.main import Asked
from supervisor.cli.params import SubVerbs
from supervisor.cli.schedule_options import keys_of, merged, schedule_options
from supervisor.cli.secrets import mask_of
from supervisor.cli.style import style_of


@click.group(cls=SubVerbs, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show, make, change and test schedules."""
    if ctx.invoked_subcommand is None:
        out.show(ctx.get_help())


@command.command(name="list")
@click.argument("names", nargs=-1, metavar="[SCHEDULE]...")
@click.option("--tenant", metavar="T", help="Only those of this tenant")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: schedules, system")
@click.pass_obj
def list_(asked: Asked, names: tuple[str, ...], tenant: str | None, as_json: bool) -> int:
    """Show all schedules: how they are, when each runs next, how its last run went."""
    from supervisor.cli.schedule_looks import rows_of
    from supervisor.cli.schedule_table import schedule_table, totals
    from supervisor.cli.zones import zone_named

    home = asked.home()
    found = mask_of(home).hide_in(rows_of(home, list(names), tenant))
    if as_json:
        out.answer("", found, as_json=True)
        return 0
    if not found["schedules"]:
        out.note("no schedules" + (f" of {tenant}" if tenant else " yet: sbctl schedule add PLUGIN --every 6h"))
        return 0
    out.show("\n".join(schedule_table(found["schedules"], zone_named(""), time.time(), style_of(asked))))
    if found["system"]:
        out.note(totals(found["system"]))
    return 0


@command.command(name="show")
@click.argument("id")
@click.option("--tz", default="", metavar="ZONE", help="Show times of this zone (else that of the schedule)")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: row, policy, triggers, next")
@click.pass_obj
def show_one(asked: Asked, id: str, tz: str, as_json: bool) -> int:
    """Show everything about one schedule: rule, policy, where it is written, its next five slots."""
    from supervisor.cli.schedule_looks import whole_of
    from supervisor.cli.schedule_view import schedule_lines
    from supervisor.cli.zones import zone_named

    home = asked.home()
    facts = mask_of(home).hide_in(whole_of(home, id))
    if as_json:
        out.show(encode(facts))
        return 0
    its = zone_named(tz or facts["row"]["zone"])
    out.show("\n".join(schedule_lines(facts, its, time.time(), style_of(asked))))
    return 0


@command.command()
@click.argument("id")
@schedule_options
@click.option("--dry-run", is_flag=True, help="Show what it would do, and write nothing")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: file, keys, before, after, gained, lost")
@click.pass_obj
def add(asked: Asked, /, *, id: str, dry_run: bool, as_json: bool, **given: Any) -> int:
    """Make a schedule: the file etc/schedules.d/ID.json. ID is a plugin, or PLUGIN.NAME for one more of it."""
    from supervisor.cli import schedule_editing

    keys = keys_of(**given)
    if not keys:
        raise Problem("nothing says when it is to run", remedy=f"sbctl schedule add {id} --every 6h", code=USAGE)
    return schedule_editing.add(asked.home(changing=not dry_run), id, keys, dry_run=dry_run, as_json=as_json)


@command.command()
@click.argument("id")
@schedule_options
@click.option("--unset", multiple=True, metavar="KEY", help="Take this key out of its file")
@click.option("--editor", is_flag=True, help="Change its file in $EDITOR instead")
@click.option("--dry-run", is_flag=True, help="Show what it would do, and write nothing")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: file, keys, before, after, gained, lost")
@click.pass_obj
def edit(
    asked: Asked, /, *, id: str, unset: tuple[str, ...], editor: bool, dry_run: bool, as_json: bool, **given: Any
) -> int:
    """Change a schedule. One of scheduler.json or a manifest gets a file of its own, which beats those key by key.

    A running sbctl takes it over, as by reload. Shows the next slots before and after.
    """
    from supervisor.cli import schedule_editing
    from supervisor.cli.schedule_broken import keys_of_file

    new = keys_of(**given)
    if editor and (new or unset):
        raise Problem("--editor goes without other options", code=USAGE)
    if not (editor or new or unset):
        raise Problem(
            "nothing is to be changed", remedy=f"sbctl schedule edit {id} --every 6h, or --editor", code=USAGE
        )
    home = asked.home(changing=not dry_run)
    keys = schedule_editing.keys_in_editor(home, id) if editor else merged(keys_of_file(home, id, unset), new, unset)
    return schedule_editing.edit(home, id, keys, dry_run=dry_run, as_json=as_json)


@command.command()
@click.argument("id")
@click.option("--dry-run", is_flag=True, help="Show what it would do, and remove nothing")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: file, before, after, gained, lost")
@click.pass_obj
def rm(asked: Asked, id: str, dry_run: bool, as_json: bool) -> int:
    """Remove the file of a schedule. One that scheduler.json or a manifest has is then as it is there."""
    from supervisor.cli import schedule_editing

    return schedule_editing.remove(asked.home(changing=not dry_run), id, dry_run=dry_run, as_json=as_json)


def _enable(asked: Asked, names: tuple[str, ...], *, enabled: bool, as_json: bool) -> int:
    from supervisor.cli.schedule_wishes import set_enabled

    reply = set_enabled(asked.home(changing=True), names, enabled=enabled)
    word = "enabled" if enabled else "disabled"
    lines = [f"{name} is {word}" for name in reply["accepted"]]
    lines += [f"{name} was {word} already" for name in reply["already"]]
    out.answer("\n".join(lines), reply, as_json=as_json)
    return 0


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="SCHEDULE...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: accepted, already")
@click.pass_obj
def enable(asked: Asked, names: tuple[str, ...], as_json: bool) -> int:
    """Let schedules run by themselves, over restarts and changes of settings."""
    return _enable(asked, names, enabled=True, as_json=as_json)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="SCHEDULE...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: accepted, already")
@click.pass_obj
def disable(asked: Asked, names: tuple[str, ...], as_json: bool) -> int:
    """Let schedules run by hand only, over restarts and changes of settings."""
    return _enable(asked, names, enabled=False, as_json=as_json)


@command.command()
@click.argument("names", nargs=-1, metavar="[SCHEDULE]...")
@click.option("--days", type=click.IntRange(1, 3660), default=365, show_default=True, help="So many days")
@click.option("--from", "begin", metavar="DATE", help="From then on (else from now on)")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: from, to, schedules")
@click.pass_obj
def test(asked: Asked, names: tuple[str, ...], days: int, begin: str | None, as_json: bool) -> int:
    """Try schedules on a virtual clock: how often each would run in a year, and what would be in its way.

    Counts, the longest gap, the days on which the clock is changed, and which schedules start together. By the same
    planner as the real runs, from the settings in the files; nothing is started.
    """
    from supervisor.cli.simulating import test_schedules

    return test_schedules(asked.home(), names, days=days, begin=begin, as_json=as_json)


def _required(of: click.Command) -> click.Command:
    """The same verb for single schedules: here nobody means all of them."""
    return click.Command(
        of.name,
        callback=of.callback,
        params=[
            click.Argument(["names"], nargs=-1, required=True, metavar="SCHEDULE...")
            if isinstance(param, click.Argument)
            else param
            for param in of.params
        ],
        help=(of.help or "").partition("\n")[0].partition(" Without names")[0],
    )


command.add_command(_required(pause_command), "pause")
command.add_command(_required(resume_command), "resume")
