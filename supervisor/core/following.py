"""What follows from an end: rest, try again at once or later, wait for what it requires, or give up."""

from __future__ import annotations

from supervisor.core import actions
from supervisor.core.state import Ending
from supervisor.core.verdict import Fail, GiveUp, Rest, RestartAt, RestartNow, Tally, count, judge
from supervisor.model.cause import CauseKind
from supervisor.model.event import ERROR, WARNING
from supervisor.model.service import AFTER_END, STOP, Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.state import End
    from supervisor.core.turn import Turn

SYSTEM_DELAY_MAX = 30.0


def gone(turn: Turn, end: End) -> None:
    """Nothing of it is left. A command that stops it may still have to tidy up."""
    if turn.state.job == STOP:
        turn.state.emptied = True
    else:
        settle(turn, end)


def settle(turn: Turn, end: End) -> None:
    """The command after its end comes first, then what follows from it."""
    turn.leave_stop_command()
    if turn.policy.after_end and turn.state.job != AFTER_END:
        turn.state.phase = Phase.STOPPING
        turn.state.exited = end
        turn.state.kills = 0
        turn.run_job(AFTER_END, turn.policy.after_end)
    else:
        follow(turn, end)


def follow(turn: Turn, end: End) -> None:
    """What now?"""
    state, ending = turn.state, turn.state.ending
    turn.disarm()
    state.job = ""
    state.ending = Ending.NONE
    state.ending_text = ""
    state.emptied = False
    state.kills = 0
    state.rung = 0
    state.started = None
    state.exited = None
    if state.want is Want.DOWN:
        turn.rest("asked")
    elif ending is Ending.ASKED:
        turn.clear_budget()
        turn.respawn("restart asked")
    elif ending is Ending.AGED:
        turn.respawn("old enough", look=False)
    elif ending is Ending.DEPENDENCY:
        turn.begin("what it requires has gone")
    else:
        _decide(turn, end)


def _decide(turn: Turn, end: End) -> None:
    """It ended and nobody had asked for it."""
    state = turn.state
    had_notice = state.slowed
    tally = count(Tally(state.streak, state.deaths, slowed=state.slowed), end, turn.policy)
    state.streak, state.deaths, state.slowed = tally.streak, tally.deaths, tally.slowed
    verdict = judge(end.cause, tally, turn.policy)
    match verdict:
        case Rest():
            turn.rest(verdict.reason)
            state.finished = end.cause.kind is CauseKind.CLEAN
        case Fail():
            state.phase = Phase.FAILED
            state.reason = verdict.reason
        case GiveUp():
            state.phase = Phase.FAILED
            state.reason = "gave up"
            turn.announce(actions.GAVE_UP, ERROR, streak=state.streak, cause=end.cause.text)
            if turn.policy.retry_failed:
                turn.arm(turn.policy.retry_failed)
        case RestartNow():
            turn.respawn("ended", look=False)
        case RestartAt():
            if state.slowed and not had_notice:
                _slow_down(turn)
            longer = 1 + turn.policy.jitter * spread(end.at)
            _back_off(turn, end.at + verdict.delay * longer, "crashed" if end.fast else "ended too often")


def _slow_down(turn: Turn) -> None:
    policy = turn.policy
    turn.announce(
        actions.SLOWED, WARNING, deaths=len(turn.state.deaths), window=policy.window, delay=policy.window_delay
    )


def _back_off(turn: Turn, retry_at: float, reason: str) -> None:
    delay = max(0.0, retry_at - turn.now)
    turn.state.phase = Phase.BACKOFF
    turn.state.reason = reason
    turn.arm(delay)
    turn.announce(
        actions.BACKING_OFF,
        WARNING,
        reason=reason,
        delay=delay,
        streak=turn.state.streak,
        give_up=turn.policy.give_up,
    )


def wait_for_system(turn: Turn) -> None:
    """The system had nothing to spare: no fault of the service, so no budget is spent."""
    turn.state.system_failures += 1
    doublings = min(turn.state.system_failures - 1, 8)  # enough for the maximum, and never a huge number
    turn.state.phase = Phase.BACKOFF
    turn.state.reason = "the system can't start it"
    turn.arm(min(float(2**doublings), SYSTEM_DELAY_MAX))


def spread(at: float) -> float:
    """A number from 0 to 1 that is as good as random, and the same for the same moment."""
    return (int(at * 1e6) * 2654435761 % (1 << 32)) / (1 << 32)
