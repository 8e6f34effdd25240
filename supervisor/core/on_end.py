"""The cells about an end: what it was, and whether anything of the service is left.

A handler's docstring is its line in `docs/states.md`.
"""

from __future__ import annotations

from supervisor.core import actions, following, stopping
from supervisor.core.cells import leads_to, refuse
from supervisor.core.state import End, Ending
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.service import AFTER_END, BEFORE, Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.inputs import (
        Emptied,
        Exited,
    )
    from supervisor.core.turn import Turn


@leads_to(Phase.STOPPED, Phase.STOPPING, Phase.BACKOFF, Phase.FAILED)
def exited_early(turn: Turn, inp: Exited) -> None:
    """a fast crash: judge, or first end the rest of its group"""
    if turn.state.job == BEFORE:
        refuse(turn, inp)
    _note(turn, inp, fast=True)


@leads_to(Phase.STOPPED, Phase.WAITING, Phase.STARTING, Phase.STOPPING, Phase.BACKOFF, Phase.FAILED)
def exited(turn: Turn, inp: Exited) -> None:
    """judge, or first end the rest of its group"""
    _note(turn, inp, fast=turn.uptime(inp.at) < turn.policy.fast_crash)


def _note(turn: Turn, inp: Exited, *, fast: bool) -> None:
    end = turn.note_exit(inp.cause, fast=fast, at=inp.at)
    if inp.empty:
        following.settle(turn, end)
    else:
        turn.announce(actions.STOPPING, reason="the rest of its group", now=False)
        stopping.end_process(turn, Ending.NONE, "ended")


@leads_to(Phase.STOPPED, Phase.WAITING, Phase.STARTING, Phase.BACKOFF, Phase.FAILED)
def exited_stopping(turn: Turn, inp: Exited) -> None:
    """judge, or wait for the rest of its group"""
    if turn.state.job in (BEFORE, AFTER_END):
        refuse(turn, inp)
    end = turn.state.exited or note_ended(turn, inp.cause, inp.at)  # told twice after a hand-over: the first counts
    if inp.empty:
        following.gone(turn, end)


CAUSES = {
    Ending.NOT_READY: CauseKind.NOT_READY,
    Ending.UNHEALTHY: CauseKind.UNHEALTHY,
    Ending.WATCHDOG: CauseKind.WATCHDOG,
    Ending.OVER_LIMIT: CauseKind.OVER_LIMIT,
}


def note_ended(turn: Turn, cause: Cause, at: float | None = None) -> End:
    """We have ended it, so our reason is the cause."""
    ending, fast = turn.state.ending, True  # an end that was asked for is not judged
    if ending in CAUSES:
        cause = Cause(CAUSES[ending], turn.state.ending_text, code=cause.code, signal=cause.signal, words=cause.words)
        fast = ending is Ending.NOT_READY or turn.uptime(at) < turn.policy.fast_crash
    return turn.note_exit(cause, fast=fast, at=at)


@leads_to(Phase.STOPPED, Phase.WAITING, Phase.STARTING, Phase.BACKOFF, Phase.FAILED)
def emptied(turn: Turn, _inp: Emptied) -> None:
    """judge, once its main process has ended too"""
    if turn.state.exited and turn.state.job != AFTER_END:
        following.gone(turn, turn.state.exited)
