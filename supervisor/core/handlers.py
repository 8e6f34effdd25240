"""What each cell of the machine's table does. A handler's docstring is its line in `docs/states.md`."""

from __future__ import annotations

from supervisor.core import actions
from supervisor.core.state import Ending
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.event import WARNING
from supervisor.model.service import Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.core.inputs import (
        Emptied,
        Exited,
        PolicyChanged,
        Ready,
        RestartAsked,
        Spawned,
        SpawnFailed,
        StartAsked,
        StopAsked,
        Timer,
    )
    from supervisor.core.record import Record
    from supervisor.core.state import End
    from supervisor.core.turn import Turn

    Handler = Callable[[Turn, Any], None]


class Refused(Exception):
    """This input can't come in this phase: the caller has lost count. The state stays as it was."""


# Where each handler can lead, beside staying; for the diagram, and proven by the random walk.
LEADS_TO: dict[Handler, tuple[Phase, ...]] = {}


def leads_to(*phases: Phase) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        LEADS_TO[handler] = phases
        return handler

    return register


def refuse(turn: Turn, inp: Record) -> None:
    """can't come: an error"""
    raise Refused(f"a service that is {turn.state.phase} can't take {inp!r}")


def ignore(_turn: Turn, _inp: Record) -> None:
    """nothing to do"""


# -- starting


@leads_to(Phase.STARTING)
def start(turn: Turn, _inp: StartAsked | RestartAsked) -> None:
    """start with a fresh budget"""
    turn.clear_budget()
    turn.state.restarts = 0
    turn.spawn("asked")


@leads_to(Phase.STARTING)
def retry(turn: Turn, _inp: Timer) -> None:
    """start again"""
    turn.respawn(turn.state.reason)


@leads_to(Phase.STARTING)
def try_anew(turn: Turn, _inp: PolicyChanged) -> None:
    """start again with a fresh budget"""
    turn.clear_budget()
    turn.respawn("settings changed")


@leads_to(Phase.RUNNING)
def spawned(turn: Turn, inp: Spawned) -> None:
    """running, or wait for its readiness"""
    if turn.state.has_process:
        refuse(turn, inp)
    turn.note_spawned()
    if turn.policy.wait_ready and not turn.state.ready:
        turn.arm(turn.policy.start_timeout)
    else:
        turn.run()


@leads_to(Phase.BACKOFF, Phase.FAILED)
def spawn_failed(turn: Turn, inp: SpawnFailed) -> None:
    """wait for the system, or count as a fast crash"""
    if turn.state.has_process:
        refuse(turn, inp)
    end = turn.note_spawn_failed(inp.cause)
    if inp.cause.kind is CauseKind.SYSTEM:
        turn.wait_for_system()
    else:
        turn.settle(end)


@leads_to(Phase.RUNNING)
def ready(turn: Turn, inp: Ready) -> None:
    """running (once it is spawned)"""
    note_ready(turn, inp)
    if turn.state.has_process:
        turn.run()


def note_ready(turn: Turn, _inp: Ready) -> None:
    """note it"""
    if not turn.state.ready:  # a service may say it although nobody waits for it, and say it again
        turn.state.ready = True
        turn.announce(actions.READY, after=turn.uptime())


@leads_to(Phase.STOPPING)
def too_late(turn: Turn, _inp: Timer) -> None:
    """not ready in time: end it, a death"""
    turn.announce(actions.NOT_READY, WARNING, start_timeout=turn.policy.start_timeout)
    turn.end_process(Ending.NOT_READY, "not ready in time")


def forgive(turn: Turn, _inp: Timer) -> None:
    """healthy long enough: the streak is over"""
    turn.state.streak = 0


# -- stopping


@leads_to(Phase.STOPPING)
def stop(turn: Turn, inp: StopAsked) -> None:
    """signal the group"""
    turn.state.want = Want.DOWN
    turn.state.kills = 1 if inp.now else 0
    turn.announce(actions.STOPPING, reason="asked", now=inp.now)
    turn.end_process(Ending.ASKED, "asked")


@leads_to(Phase.STOPPING)
def restart(turn: Turn, _inp: RestartAsked) -> None:
    """signal the group, to start again"""
    turn.announce(actions.STOPPING, reason="restart asked", now=False)
    turn.end_process(Ending.ASKED, "restart asked")


@leads_to(Phase.STOPPED)
def stay_down(turn: Turn, _inp: StopAsked) -> None:
    """stopped at once"""
    turn.rest("asked")


def want_down(turn: Turn, inp: StopAsked) -> None:
    """stay down once it has gone; kill if that is asked"""
    turn.state.want = Want.DOWN
    turn.state.ending = Ending.ASKED
    turn.state.reason = "asked"
    if inp.now and not turn.state.kills:
        turn.kill(asked=True)


def want_up(turn: Turn, _inp: StartAsked) -> None:
    """start again once it has gone"""
    turn.state.want = Want.UP


def want_anew(turn: Turn, _inp: RestartAsked) -> None:
    """start with a fresh budget once it has gone"""
    turn.state.want = Want.UP
    turn.state.ending = Ending.ASKED
    turn.state.reason = "restart asked"


def press_on(turn: Turn, _inp: Timer) -> None:
    """kill the group, again and again"""
    if turn.state.in_flight:
        turn.press()  # nothing there to kill yet
    else:
        turn.kill()


def spawned_unwanted(turn: Turn, inp: Spawned) -> None:
    """it was in flight when the stop came: signal it"""
    if not turn.state.in_flight:
        refuse(turn, inp)
    turn.note_spawned()
    turn.press()


@leads_to(Phase.STOPPED, Phase.STARTING)
def spawn_failed_unwanted(turn: Turn, inp: SpawnFailed) -> None:
    """it was in flight when the stop came: gone"""
    if not turn.state.in_flight:
        refuse(turn, inp)
    turn.settle(turn.note_spawn_failed(inp.cause))


# -- the end


@leads_to(Phase.STOPPED, Phase.STARTING, Phase.STOPPING, Phase.BACKOFF, Phase.FAILED)
def exited(turn: Turn, inp: Exited) -> None:
    """judge, or first end the rest of its group"""
    state = turn.state
    early = state.phase is Phase.STARTING  # before it was ready
    end = turn.note_exit(inp.cause, fast=early or turn.uptime() < turn.policy.fast_crash)
    if inp.empty:
        turn.settle(end)
    else:
        turn.announce(actions.STOPPING, reason="the rest of its group", now=False)
        turn.end_process(Ending.NONE, "ended")


@leads_to(Phase.STOPPED, Phase.STARTING, Phase.BACKOFF, Phase.FAILED)
def exited_stopping(turn: Turn, inp: Exited) -> None:
    """judge, or wait for the rest of its group"""
    end = turn.state.exited or note_ended(turn, inp.cause)  # told twice after a hand-over: the first counts
    if inp.empty:
        turn.settle(end)


def note_ended(turn: Turn, cause: Cause) -> End:
    if turn.state.ending is Ending.NOT_READY:
        text = f"not ready within {turn.policy.start_timeout:g} s"
        cause = Cause(CauseKind.NOT_READY, text, code=cause.code, signal=cause.signal, words=cause.words)
    return turn.note_exit(cause, fast=True)  # an asked end is not judged, the other is before it was ready


@leads_to(Phase.STOPPED, Phase.STARTING, Phase.BACKOFF, Phase.FAILED)
def emptied(turn: Turn, _inp: Emptied) -> None:
    """judge, once its main process has ended too"""
    if turn.state.exited:
        turn.settle(turn.state.exited)
