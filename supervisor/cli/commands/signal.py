"""`sbctl signal NAME... SIG`."""

from __future__ import annotations

import signal

import click

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.completing import signals
from supervisor.cli.main import Asked
from supervisor.cli.names import expand, refuse_self
from supervisor.cli.out import answer, note
from supervisor.cli.single import ask
from supervisor.control.api import nearest


@click.command()
@click.argument("words", nargs=-1, metavar="NAME... SIG")
@click.option("--group", is_flag=True, help="To all processes of the group, not only to the main one")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: accepted, signal, group")
@click.pass_obj
def command(asked: Asked, words: tuple[str, ...], group: bool, as_json: bool) -> int:
    """Send a signal (HUP, USR1, ... or its number) to the main process of services.

    It changes nothing about what is wanted: a service that ends by it is started again. `sbctl stop` stops one.
    """
    if len(words) < 2:
        raise Problem("a service and a signal are needed", remedy="sbctl signal NAME... HUP", code=USAGE)
    *names, word = words
    name = signal_name(word)
    for service in names:
        refuse_self(service)
    home = asked.home(changing=True)
    done = ask(home, "signal", names, signal=name, group=group)
    whole = " and its group" if group else ""
    text = "\n".join(f"{service}{whole} got SIG{name}" for service in done.accepted)
    answer(text, {"accepted": done.accepted, "signal": name, "group": group}, as_json=as_json)
    missed = [service for service in expand(home, names, done.before) if service not in done.accepted]
    if missed:
        note(f"not running, so there was nothing to signal: {', '.join(missed)}")
    return 0


def signal_name(word: str) -> str:
    """`hup`, `SIGHUP` and `1` are all HUP."""
    name = word.upper().removeprefix("SIG")
    if name.isdecimal():
        try:
            return signal.Signals(int(name)).name.removeprefix("SIG")
        except ValueError:
            name = word
    if f"SIG{name}" in signal.Signals.__members__:
        return name
    meant = nearest(name, signals())
    raise Problem(
        f"no signal {word[:80]!r}",
        why="the signal stands behind the names of the services",
        remedy=f"did you mean {meant}?" if meant else "write a name like HUP, USR1 or TERM, or a number",
        code=USAGE,
    )
