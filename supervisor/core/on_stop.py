"""The cells about a stop: asked for by a person, or by whoever watches the service.

A handler's docstring is its line in `docs/states.md`.
"""

from __future__ import annotations

from supervisor.core import actions, following, stopping
from supervisor.core.cells import leads_to, refuse
from supervisor.core.state import End, Ending
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.event import INFO, WARNING
from supervisor.model.service import AFTER_END, BEFORE, STOP, Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.inputs import (
        JobEnded,
        MustEnd,
        RestartAsked,
        Spawned,
        SpawnFailed,
        StartAsked,
        StopAsked,
        Timer,
    )
    from supervisor.core.turn import Turn


@leads_to(Phase.STOPPING)
def stop(turn: Turn, inp: StopAsked) -> None:
    """signal the group"""
    turn.state.want = Want.DOWN
    turn.state.kills = 1 if inp.now else 0
    turn.announce(actions.STOPPING, reason="asked", now=inp.now)
    stopping.end_process(turn, Ending.ASKED, "asked")


@leads_to(Phase.STOPPING)
def restart(turn: Turn, _inp: RestartAsked) -> None:
    """signal the group, to start again"""
    turn.announce(actions.STOPPING, reason="restart asked", now=False)
    stopping.end_process(turn, Ending.ASKED, "restart asked")


ANNOUNCED = {
    Ending.UNHEALTHY: actions.UNHEALTHY,
    Ending.WATCHDOG: actions.WATCHDOG,
    Ending.OVER_LIMIT: actions.OVER_LIMIT,
    Ending.AGED: actions.AGED,
    Ending.DEPENDENCY: actions.HELD,
}


@leads_to(Phase.STOPPING)
def must_end(turn: Turn, inp: MustEnd) -> None:
    """end it: unwell, over a limit, too old, or what it requires is going"""
    state = turn.state
    if not state.has_process and inp.ending is not Ending.DEPENDENCY:
        return  # about a process that is not there
    level = WARNING if inp.ending.is_death else INFO
    turn.announce(ANNOUNCED[inp.ending], level, reason=inp.text, **inp.data)
    state.ending_text = inp.text
    stopping.end_process(turn, inp.ending, inp.text)


@leads_to(Phase.STOPPED)
def stay_down(turn: Turn, _inp: StopAsked) -> None:
    """stopped at once"""
    turn.rest("asked")


@leads_to(Phase.STOPPED)
def want_down(turn: Turn, inp: StopAsked) -> None:
    """stay down once it has gone; kill if that is asked"""
    turn.state.want = Want.DOWN
    turn.state.ending = Ending.ASKED
    turn.state.reason = "asked"
    if inp.now and not turn.state.kills:
        stopping.kill(turn, asked=True)


def want_up(turn: Turn, _inp: StartAsked) -> None:
    """start again once it has gone"""
    turn.state.want = Want.UP


def want_anew(turn: Turn, _inp: RestartAsked) -> None:
    """start with a fresh budget once it has gone"""
    turn.state.want = Want.UP
    turn.state.ending = Ending.ASKED
    turn.state.reason = "restart asked"


@leads_to(Phase.STOPPED, Phase.WAITING, Phase.STARTING, Phase.BACKOFF, Phase.FAILED)
def press_on(turn: Turn, _inp: Timer) -> None:
    """the next rung: other signals, at last kill the group, again and again"""
    state = turn.state
    if state.in_flight or state.job in (BEFORE, AFTER_END):
        stopping.press(turn)
    elif state.kills:
        stopping.kill(turn)
    else:
        stopping.climb(turn)


@leads_to(Phase.STOPPED, Phase.WAITING, Phase.STARTING, Phase.BACKOFF, Phase.FAILED)
def job_ended_stopping(turn: Turn, inp: JobEnded) -> None:
    """the command is done: its signals now, or what follows from the end"""
    state = turn.state
    if state.job != inp.job:
        return  # one that was left to itself
    if not inp.ok and inp.job != BEFORE:
        turn.announce(actions.COMMAND_FAILED, WARNING, job=inp.job, reason=inp.text)
    if inp.job == STOP:
        state.job = ""
        stopping.climb(turn)
    elif state.exited is not None:
        following.follow(turn, state.exited)
    else:
        state.job = ""
        stopped = Cause(CauseKind.STOPPED, "stopped before it was started")
        following.settle(turn, End(stopped, at=turn.now, fast=True))


def spawned_unwanted(turn: Turn, inp: Spawned) -> None:
    """it was in flight when the stop came: signal it"""
    if not turn.state.in_flight:
        refuse(turn, inp)
    turn.note_spawned()
    stopping.press(turn)


@leads_to(Phase.STOPPED, Phase.WAITING, Phase.STARTING)
def spawn_failed_unwanted(turn: Turn, inp: SpawnFailed) -> None:
    """it was in flight when the stop came: gone"""
    if not turn.state.in_flight:
        refuse(turn, inp)
    following.settle(turn, turn.note_spawn_failed(inp.cause))
