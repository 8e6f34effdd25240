"""The cells about what comes before a start: other services, or the same program outside.

A handler's docstring is its line in `docs/states.md`.
"""

from __future__ import annotations

from supervisor.core import actions
from supervisor.core.cells import leads_to
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.event import ERROR, WARNING
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.inputs import (
        Blocked,
        Cleared,
        Outside,
        OutsideGone,
        PolicyChanged,
        RestartAsked,
        Timer,
    )
    from supervisor.core.turn import Turn


WARN_AFTER = 60.0  # of waiting without a limit


@leads_to(Phase.STARTING)
def cleared(turn: Turn, _inp: Cleared) -> None:
    """nothing is in the way any more"""
    turn.launch()


def blocked(turn: Turn, inp: Blocked) -> None:
    """wait on; the first time with an event and a timer"""
    state = turn.state
    if not state.waits_for:
        turn.announce(actions.WAITING, reason=inp.reason)
        turn.arm(turn.policy.wait_timeout or WARN_AFTER)
    state.waits_for = inp.reason


@leads_to(Phase.FAILED)
def waited_long(turn: Turn, _inp: Timer) -> None:
    """warn; where the wait has a limit, fail"""
    state, limit = turn.state, turn.policy.wait_timeout
    if not limit:
        turn.announce(actions.WAITS_LONG, WARNING, reason=state.waits_for, after=WARN_AFTER)
        return
    state.cause = Cause(CauseKind.DEPENDENCY_DOWN, f"waited {limit:g} s: {state.waits_for}")
    state.phase = Phase.FAILED
    state.reason = "waited too long"
    turn.announce(actions.WAITS_LONG, ERROR, reason=state.waits_for, after=limit)
    state.waits_for = ""


def ask_again(turn: Turn, _inp: RestartAsked) -> None:
    """ask again whether it may start"""
    turn.begin(turn.state.reason)


@leads_to(Phase.STARTING)
def ask_anew(turn: Turn, _inp: PolicyChanged) -> None:
    """start it, if the new settings don't let it wait"""
    turn.begin(turn.state.reason)


@leads_to(Phase.EXTERNAL)
def outside(turn: Turn, inp: Outside) -> None:
    """leave that one alone, and take over when it ends"""
    turn.disarm()
    turn.state.phase = Phase.EXTERNAL
    turn.state.waits_for = ""
    turn.state.outside = inp.pid
    turn.announce(actions.EXTERNAL, WARNING, outside=inp.pid)


@leads_to(Phase.WAITING)
def take_over(turn: Turn, _inp: OutsideGone | RestartAsked) -> None:
    """look again: start ours if none is there"""
    turn.begin("the one outside has ended")


@leads_to(Phase.WAITING, Phase.STARTING)
def look_anew(turn: Turn, _inp: PolicyChanged) -> None:
    """look again, if the new settings want that"""
    turn.begin("settings changed")
