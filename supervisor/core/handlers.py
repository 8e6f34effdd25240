"""What each cell of the machine's table does. A handler's docstring is its line in `docs/states.md`."""

from __future__ import annotations

from supervisor.core import actions
from supervisor.core.actions import Spawn
from supervisor.core.state import End, Ending
from supervisor.core.turn import WARN_AFTER
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.event import ERROR, INFO, WARNING
from supervisor.model.service import AFTER_END, BEFORE, STOP, Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from supervisor.core.inputs import (
        Blocked,
        Cleared,
        Emptied,
        Exited,
        JobEnded,
        MoreTime,
        MustEnd,
        Outside,
        OutsideGone,
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


# -- waiting, and running outside


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


@leads_to(Phase.STARTING)
def ask_anew(turn: Turn, _inp: RestartAsked | PolicyChanged) -> None:
    """ask again whether it may start"""
    turn.begin(turn.state.reason)


@leads_to(Phase.EXTERNAL)
def outside(turn: Turn, inp: Outside) -> None:
    """leave that one alone, and take over when it ends"""
    turn.disarm()
    turn.state.phase = Phase.EXTERNAL
    turn.state.waits_for = ""
    turn.state.outside = inp.pid
    turn.announce(actions.EXTERNAL, WARNING, outside=inp.pid)


@leads_to(Phase.WAITING, Phase.STARTING)
def take_over(turn: Turn, _inp: OutsideGone | RestartAsked | PolicyChanged) -> None:
    """look again: start ours if none is there"""
    turn.begin("the one outside has ended")


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


@leads_to(Phase.STOPPED, Phase.STOPPING, Phase.BACKOFF, Phase.FAILED)
def spawn_failed(turn: Turn, inp: SpawnFailed) -> None:
    """wait for the system, or count as a fast crash"""
    if not turn.state.in_flight:
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
    if turn.state.job:  # the command before it: killed, and told by its end
        turn.end_job()
        return
    turn.announce(actions.NOT_READY, WARNING, start_timeout=turn.policy.start_timeout)
    turn.state.ending_text = f"not ready within {turn.policy.start_timeout:g} s"
    turn.end_process(Ending.NOT_READY, "not ready in time")


@leads_to(Phase.STOPPED, Phase.STOPPING, Phase.BACKOFF, Phase.FAILED)
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
    cause = Cause(CauseKind.BEFORE_FAILED, f"the command before it failed: {inp.text}")
    turn.settle(turn.note_spawn_failed(cause))


def more_time(turn: Turn, inp: MoreTime) -> None:
    """it asks for more time"""
    state = turn.state
    waiting = state.phase is Phase.STOPPING or not state.ready
    if not state.has_process or state.kills or not waiting or state.timer_at is None:
        return
    if turn.now + inp.seconds > state.timer_at:
        turn.arm(inp.seconds)


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
    turn.end_process(inp.ending, inp.text)


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


@leads_to(Phase.STOPPED, Phase.WAITING, Phase.STARTING, Phase.BACKOFF, Phase.FAILED)
def press_on(turn: Turn, _inp: Timer) -> None:
    """the next rung: other signals, at last kill the group, again and again"""
    state = turn.state
    if state.in_flight or state.job in (BEFORE, AFTER_END):
        turn.press()
    elif state.kills:
        turn.kill()
    else:
        turn.climb()


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
        turn.climb()
    elif state.exited is not None:
        turn.follow(state.exited)
    else:
        state.job = ""
        stopped = Cause(CauseKind.STOPPED, "stopped before it was started")
        turn.settle(End(stopped, at=turn.now, fast=True))


def spawned_unwanted(turn: Turn, inp: Spawned) -> None:
    """it was in flight when the stop came: signal it"""
    if not turn.state.in_flight:
        refuse(turn, inp)
    turn.note_spawned()
    turn.press()


@leads_to(Phase.STOPPED, Phase.WAITING, Phase.STARTING, Phase.BACKOFF, Phase.FAILED)
def spawn_failed_unwanted(turn: Turn, inp: SpawnFailed) -> None:
    """it was in flight when the stop came: gone"""
    if not turn.state.in_flight:
        refuse(turn, inp)
    turn.settle(turn.note_spawn_failed(inp.cause))


# -- the end


@leads_to(Phase.STOPPED, Phase.WAITING, Phase.STARTING, Phase.STOPPING, Phase.BACKOFF, Phase.FAILED)
def exited(turn: Turn, inp: Exited) -> None:
    """judge, or first end the rest of its group"""
    state = turn.state
    if state.job == BEFORE:
        refuse(turn, inp)
    early = state.phase is Phase.STARTING  # before it was ready
    end = turn.note_exit(inp.cause, fast=early or turn.uptime() < turn.policy.fast_crash)
    if inp.empty:
        turn.settle(end)
    else:
        turn.announce(actions.STOPPING, reason="the rest of its group", now=False)
        turn.end_process(Ending.NONE, "ended")


@leads_to(Phase.STOPPED, Phase.WAITING, Phase.STARTING, Phase.BACKOFF, Phase.FAILED)
def exited_stopping(turn: Turn, inp: Exited) -> None:
    """judge, or wait for the rest of its group"""
    if turn.state.job in (BEFORE, AFTER_END):
        refuse(turn, inp)
    end = turn.state.exited or note_ended(turn, inp.cause)  # told twice after a hand-over: the first counts
    if inp.empty:
        turn.gone(end)


CAUSES = {
    Ending.NOT_READY: CauseKind.NOT_READY,
    Ending.UNHEALTHY: CauseKind.UNHEALTHY,
    Ending.WATCHDOG: CauseKind.WATCHDOG,
    Ending.OVER_LIMIT: CauseKind.OVER_LIMIT,
}


def note_ended(turn: Turn, cause: Cause) -> End:
    """We have ended it, so our reason is the cause."""
    ending, fast = turn.state.ending, True  # an end that was asked for is not judged
    if ending in CAUSES:
        cause = Cause(CAUSES[ending], turn.state.ending_text, code=cause.code, signal=cause.signal, words=cause.words)
        fast = ending is Ending.NOT_READY or turn.uptime() < turn.policy.fast_crash
    return turn.note_exit(cause, fast=fast)


@leads_to(Phase.STOPPED, Phase.WAITING, Phase.STARTING, Phase.BACKOFF, Phase.FAILED)
def emptied(turn: Turn, _inp: Emptied) -> None:
    """judge, once its main process has ended too"""
    if turn.state.exited and turn.state.job != AFTER_END:
        turn.gone(turn.state.exited)
