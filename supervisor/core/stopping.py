"""How a process is ended: rung by rung up the ladder of its policy, at last by SIGKILL."""

from __future__ import annotations

from supervisor.core import actions
from supervisor.core.actions import Signal
from supervisor.core.following import settle
from supervisor.core.ladder import COMMAND, rung_at
from supervisor.core.turn import KILL_AGAIN, SIGKILL
from supervisor.model.event import WARNING
from supervisor.model.service import AFTER_END, BEFORE, STOP, Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.state import Ending
    from supervisor.core.turn import Turn


def press(turn: Turn) -> None:
    """Do what this rung of the stop asks for, and wait for the end."""
    state = turn.state
    if state.job in (BEFORE, AFTER_END):
        turn.end_job()
    elif state.emptied and state.exited is not None:
        settle(turn, state.exited)
    elif state.in_flight:
        turn.arm(KILL_AGAIN if state.kills else turn.policy.grace)  # nothing there to signal yet
    elif state.kills:
        turn.leave_stop_command()
        turn.actions.append(Signal(SIGKILL))
        turn.arm(KILL_AGAIN)
    else:
        _take_rung(turn)


def _take_rung(turn: Turn) -> None:
    rung = rung_at(turn.policy, turn.state.rung)
    while rung and rung[0] == COMMAND and not turn.state.has_process:  # only the rest of its group is left
        turn.state.rung += 1
        rung = rung_at(turn.policy, turn.state.rung)
    if rung is None:
        kill(turn)
    elif rung[0] == COMMAND:
        turn.run_job(STOP, rung[1])
    else:
        turn.actions.append(Signal(rung[0]))
        turn.arm(rung[1])


def climb(turn: Turn) -> None:
    """This rung's time is over, or its command is done."""
    turn.leave_stop_command()
    if turn.state.emptied and turn.state.exited is not None:
        settle(turn, turn.state.exited)
    elif rung_at(turn.policy, turn.state.rung + 1) is None:
        kill(turn)
    else:
        turn.state.rung += 1
        press(turn)


def end_process(turn: Turn, ending: Ending, reason: str) -> None:
    """Begin at the first rung."""
    turn.state.phase = Phase.STOPPING
    turn.state.ending = ending
    turn.state.reason = reason
    turn.state.rung = 0
    press(turn)


def kill(turn: Turn, *, asked: bool = False) -> None:
    """The grace is over, or (`asked`) nobody wants to wait for it."""
    turn.state.kills += 1
    if turn.state.kills == 1:
        turn.announce(actions.KILLED, WARNING, grace=None if asked else turn.policy.stop_time)
    press(turn)
