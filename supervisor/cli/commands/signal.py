"""`sbctl signal NAME... SIG`."""

from __future__ import annotations

import signal

import click

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.main import Asked
from supervisor.cli.names import expand, refuse_self
from supervisor.cli.out import answer, note
from supervisor.cli.single import ask
from supervisor.control.api import signal_number
from supervisor.core.verdict import signal_name as name_of


class AsKill(click.Command):
    """`-HUP` and `-9` mean the signal, wherever they stand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {name for param in self.params for name in (*param.opts, *param.secondary_opts)}
        own.update(self.get_help_option_names(ctx))
        for at, word in enumerate(args):
            if word[:1] == "-" and word not in own and word[1:2] not in ("", "-") and _is_signal(word[1:]):
                args = [*args[:at], *args[at + 1 :], word[1:]]
                break
        return super().parse_args(ctx, args)


@click.command(cls=AsKill)
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
    alias = signal.Signals.__members__.get(f"SIG{word.upper().removeprefix('SIG')}")  # it knows IOT and POLL, too
    try:
        return name_of(signal_number(word if alias is None else alias.value)).removeprefix("SIG")
    except Problem as problem:
        problem.why = "the signal stands behind the names of the services"
        if not problem.remedy.startswith("did you mean"):
            problem.remedy = "write a name like HUP, USR1, TERM or RTMIN+1, or a number"
        raise


def _is_signal(word: str) -> bool:
    try:
        signal_name(word)
    except Problem:
        return False
    return True
