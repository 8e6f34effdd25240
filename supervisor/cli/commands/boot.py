"""`sbctl boot enable|disable|status`: should sbctl run after the machine has been started?"""

from __future__ import annotations

import os
import shlex
import sys

import click

from supervisor.base.errors import MISSING_PROGRAM, Problem
from supervisor.base.where import ROOT
from supervisor.cli import boot_systemd
from supervisor.cli.boot_cron import Cron
from supervisor.cli.boot_cron import is_there as cron_is_there
from supervisor.cli.boot_systemd import Systemd
from supervisor.cli.compiling import read_compiled, specs_of
from supervisor.cli.main import Asked
from supervisor.cli.out import answer, note, show
from supervisor.cli.params import SubVerbs
from supervisor.model.home import Home
from supervisor.model.trust import check_own

STOP_S = 90.0  # when the settings were never compiled: what systemd itself would take
EXTRA_S = 5.0  # beyond the slowest stop of all services

Starter = Systemd | Cron


@click.group(cls=SubVerbs, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Start sbctl with this home when the machine starts: by systemd, else by cron.

    With systemd as init it is a unit (root: of the system; else of the user), without it an @reboot line in the
    user's crontab. Each home has its own.
    """
    if ctx.invoked_subcommand is None:
        show(ctx.get_help())


@command.command()
@click.option("--print", "only_print", is_flag=True, help="Show what would be written and where, and write nothing")
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.pass_obj
def enable(asked: Asked, only_print: bool, as_json: bool) -> int:
    """Start sbctl with this home at boot. What runs now goes on as it is."""
    home = asked.home(changing=True)
    check_own(home)
    starter = _starter(home)
    if only_print:
        _print(starter, as_json=as_json)
        return 0
    changed = starter.enable()
    text = f"{home} is started at boot{'' if changed else ' already'}, by {starter.method} ({starter.place})"
    answer(text, {**_facts(starter), "changed": changed}, as_json=as_json)
    _remark(starter)
    return 0


@command.command()
@click.option("--print", "only_print", is_flag=True, help="Show what would be removed, and remove nothing")
@click.option("--json", "as_json", is_flag=True, help="One JSON object")
@click.pass_obj
def disable(asked: Asked, only_print: bool, as_json: bool) -> int:
    """Do not start sbctl with this home at boot any more. What runs now goes on as it is."""
    home = asked.home(changing=True)
    starter = find_starter(home)
    if starter is None:
        return _tell_none(home, as_json=as_json)
    if only_print:
        _print(starter, as_json=as_json)
        return 0
    changed = starter.disable()
    text = f"{home} is not started at boot" + ("" if changed else ", and was not before")
    answer(text, {**_facts(starter), "changed": changed}, as_json=as_json)
    return 0


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object: method, enabled, place, remarks")
@click.pass_obj
def status(asked: Asked, as_json: bool) -> int:
    """Show whether sbctl is started with this home at boot, and by what."""
    home = asked.home()
    starter = find_starter(home)
    if starter is None:
        return _tell_none(home, as_json=as_json)
    facts = _facts(starter)
    how = f"is started at boot, by {starter.method} ({starter.place})" if facts["enabled"] else "is not started at boot"
    answer(f"{home} {how}", facts, as_json=as_json)
    if facts["enabled"]:
        _remark(starter)
    return 0


def _facts(starter: Starter) -> dict[str, object]:
    enabled = starter.is_enabled()
    return {
        "method": starter.method,
        "enabled": enabled,
        "place": starter.place,
        "name": starter.name,
        "remarks": starter.remarks() if enabled else [],
    }


def _remark(starter: Starter) -> None:
    for line in starter.remarks():
        note(line)


def _print(starter: Starter, *, as_json: bool) -> None:
    facts = {"method": starter.method, "place": starter.place, "name": starter.name, "text": starter.text}
    if not as_json:
        note(f"{starter.method}: {starter.place}")
    answer(starter.text.rstrip("\n"), facts, as_json=as_json)


def _tell_none(home: Home, *, as_json: bool) -> int:
    """Nothing starts programs here, so it starts nothing of ours either."""
    facts: dict[str, object] = {
        "method": None,
        "enabled": False,
        "place": None,
        "name": None,
        "remarks": [],
        "changed": False,
    }
    answer(f"{home} is not started at boot: there is neither systemd nor a crontab program", facts, as_json=as_json)
    return 0


def _starter(home: Home) -> Starter:
    starter = find_starter(home)
    if starter is None:
        command = shlex.join([*start_command(home), "--foreground"])
        raise Problem(
            "nothing here starts programs at boot",
            why="systemd is not the init, and there is no crontab program",
            remedy=f"have your init, or the container's entry point, run: {command}",
            code=MISSING_PROGRAM,
        )
    return starter


def find_starter(home: Home) -> Starter | None:
    words = start_command(home)
    if os.path.isdir(boot_systemd.RUNS):
        return Systemd(home, [*words, "--foreground"], stop_seconds(home))
    return Cron(home, words) if cron_is_there() else None


def start_command(home: Home) -> list[str]:
    """By this very interpreter: at boot nothing is to be set up, and no PATH is known."""
    hot = os.path.join(ROOT, "supervisor", "cli", "hot.py")
    return [sys.executable, "-I", "-S", hot, "--home", home.path, "start"]


def stop_seconds(home: Home) -> float:
    """As long as an orderly stop of everything may take: the core services end one after the other."""
    try:
        specs = specs_of(read_compiled(home, "start"))
    except (KeyError, TypeError, ValueError):  # written by another version
        specs = []
    return sum(spec.policy.stop_time for spec in specs) + EXTRA_S if specs else STOP_S
