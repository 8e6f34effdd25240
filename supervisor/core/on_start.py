"""The cells about a start: asked for, tried again, answered by the spawner, ready or too late.

A handler's docstring is its line in `docs/states.md`.
"""

from __future__ import annotations

from supervisor.core import actions, following, stopping
from supervisor.core.actions import Spawn
from supervisor.core.cells import leads_to, refuse
from supervisor.core.state import Ending
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.event import WARNING
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.inputs import (
        JobEnded,
        MoreTime,
        PolicyChanged,
        Ready,
        RestartAsked,
        Spawned,
        SpawnFailed,
        StartAsked,
        Timer,
    )
    from supervisor.core.turn import Turn


@leads_to(Phase.WAITING, Phase.STARTING)
def start(turn: Turn, _inp: StartAsked | RestartAsked) -> None:
    """start with a fresh budget"""
    turn.clear_budget()
    turn.state.restarts = 0
    turn.begin("asked")


@leads_to(Phase.WAITING, Phase.STARTING)
def retry(turn: Turn, _inp: Timer) -> None:
    """start again"""
    turn.respawn(turn.state.reason)


@leads_to(Phase.WAITING, Phase.STARTING)
def retry_failed(turn: Turn, _inp: Timer) -> None:
    """one more try; if that fails too, it has given up again"""
    turn.state.streak = max(turn.policy.give_up - 1, 0)
    turn.respawn("tried again after giving up")


@leads_to(Phase.WAITING, Phase.STARTING)
def try_anew(turn: Turn, _inp: PolicyChanged) -> None:
    """start again with a fresh budget"""
    turn.clear_budget()
    turn.respawn("settings changed")


@leads_to(Phase.RUNNING)
def spawned(turn: Turn, inp: Spawned) -> None:
    """running, or wait for its readiness"""
    if not turn.state.in_flight:
        refuse(turn, inp)
    turn.note_spawned()
    if turn.policy.wait_ready and not turn.state.ready:
        turn.arm(turn.policy.start_timeout)
    else:
        turn.run()


@leads_to(Phase.STOPPING, Phase.BACKOFF, Phase.FAILED)
def spawn_failed(turn: Turn, inp: SpawnFailed) -> None:
    """wait for the system, or count as a fast crash"""
    if not turn.state.in_flight:
        refuse(turn, inp)
    end = turn.note_spawn_failed(inp.cause)
    if inp.cause.kind is CauseKind.SYSTEM:
        following.wait_for_system(turn)
    else:
        following.settle(turn, end)


@leads_to(Phase.RUNNING)
def ready(turn: Turn, inp: Ready) -> None:
    """running (once it is spawned)"""
    note_ready(turn, inp)
    if turn.state.has_process:
        turn.run()


def note_ready(turn: Turn, _inp: Ready) -> None:
    """note it"""
    if turn.state.job:
        return  # the command before it can't speak for it
    if not turn.state.ready:  # a service may say it although nobody waits for it, and say it again
        turn.state.ready = True
        turn.announce(actions.READY, after=turn.uptime())


@leads_to(Phase.STOPPING)
def too_late(turn: Turn, inp: Timer) -> None:
    """not ready in time: end it, a death"""
    if turn.state.job:  # the command before it: killed, and told by its end
        turn.end_job()
        return
    turn.announce(actions.NOT_READY, WARNING, start_timeout=turn.policy.start_timeout, lacks=inp.lacks)
    text = f"not ready within {turn.policy.start_timeout:g} s"
    turn.state.ending_text = f"{text}: {inp.lacks}" if inp.lacks else text
    stopping.end_process(turn, Ending.NOT_READY, "not ready in time")


@leads_to(Phase.STOPPING, Phase.BACKOFF, Phase.FAILED)
def job_ended_starting(turn: Turn, inp: JobEnded) -> None:
    """the command before it is done: go on, or count as a fast crash"""
    if turn.state.job != inp.job:
        return
    turn.state.job = ""
    turn.state.kills = 0
    if inp.ok:
        turn.disarm()
        turn.actions.append(Spawn())
        return
    missing = inp.cause is not None and inp.cause.kind is CauseKind.NOT_INSTALLED
    kind = CauseKind.NOT_INSTALLED if missing else CauseKind.BEFORE_FAILED
    remedy = inp.cause.remedy if inp.cause is not None else ""
    cause = Cause(kind, f"the command before it failed: {inp.text}", remedy=remedy)
    following.settle(turn, turn.note_spawn_failed(cause))


def more_time(turn: Turn, inp: MoreTime) -> None:
    """it asks for more time"""
    state = turn.state
    waiting = state.phase is Phase.STOPPING or not state.ready
    if not state.has_process or state.kills or not waiting or state.timer_at is None:
        return
    if turn.now + inp.seconds > state.timer_at:
        turn.arm(inp.seconds)


@leads_to(Phase.RUNNING)
def wait_by_new_rules(turn: Turn, _inp: PolicyChanged) -> None:
    """running, if its readiness is not waited for any more"""
    if turn.state.has_process and not turn.policy.wait_ready:
        turn.run()


def take_as_ready(turn: Turn, _inp: PolicyChanged) -> None:
    """what runs already is not asked whether it has become ready"""
    turn.state.ready = turn.state.ready or turn.policy.wait_ready


def forgive(turn: Turn, _inp: Timer) -> None:
    """healthy long enough: the streak is over"""
    turn.state.streak = 0
