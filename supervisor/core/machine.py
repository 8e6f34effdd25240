"""The one place that decides what happens to a service: a table of phase x input, every cell written.

`step` is pure: it reads no clock, does nothing, and leaves the state it is given alone. What is to be
done comes back as actions; their outcome comes in again as inputs.
"""

from __future__ import annotations

from supervisor.core import handlers
from supervisor.core.actions import Action, Announce, AskGate, ClearTimer, EndJob, RunJob, SetTimer, Signal, Spawn
from supervisor.core.handlers import Refused, ignore, refuse
from supervisor.core.inputs import (
    Blocked,
    Cleared,
    Emptied,
    Exited,
    Input,
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
from supervisor.core.state import End, Ending, State
from supervisor.core.turn import Turn
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.core.handlers import Handler
    from supervisor.model.service import Policy

__all__ = [
    "Action",
    "Announce",
    "AskGate",
    "Blocked",
    "ClearTimer",
    "Cleared",
    "Emptied",
    "End",
    "EndJob",
    "Ending",
    "Exited",
    "Input",
    "JobEnded",
    "MoreTime",
    "MustEnd",
    "Outside",
    "OutsideGone",
    "PolicyChanged",
    "Ready",
    "Refused",
    "RestartAsked",
    "RunJob",
    "SetTimer",
    "Signal",
    "Spawn",
    "SpawnFailed",
    "Spawned",
    "StartAsked",
    "State",
    "StopAsked",
    "Timer",
    "step",
]


def step(state: State, inp: Input, policy: Policy, now: float) -> tuple[State, list[Action]]:
    """The state after this input, and what is to be done about it."""
    turn = Turn(state.copy(), policy, now)
    if isinstance(inp, Timer):
        if inp.token != state.token or not state.token:
            return state, []  # stale: it was due before it could be cleared
        turn.state.token = 0
        turn.state.timer_at = None
    TABLE[state.phase][type(inp)](turn, inp)
    return turn.state, turn.actions


TABLE: dict[Phase, dict[type[Record], Handler]] = {
    Phase.STOPPED: {
        StartAsked: handlers.start,
        StopAsked: ignore,
        RestartAsked: handlers.start,
        Cleared: ignore,
        Blocked: ignore,
        Outside: ignore,
        OutsideGone: ignore,
        Spawned: refuse,
        SpawnFailed: refuse,
        Ready: ignore,
        JobEnded: ignore,
        MustEnd: ignore,
        MoreTime: ignore,
        Exited: refuse,
        Emptied: ignore,
        Timer: ignore,
        PolicyChanged: ignore,
    },
    Phase.WAITING: {
        StartAsked: ignore,
        StopAsked: handlers.stay_down,
        RestartAsked: handlers.ask_anew,
        Cleared: handlers.cleared,
        Blocked: handlers.blocked,
        Outside: handlers.outside,
        OutsideGone: ignore,
        Spawned: refuse,
        SpawnFailed: refuse,
        Ready: ignore,
        JobEnded: ignore,
        MustEnd: ignore,
        MoreTime: ignore,
        Exited: refuse,
        Emptied: ignore,
        Timer: handlers.waited_long,
        PolicyChanged: handlers.ask_anew,
    },
    Phase.STARTING: {
        StartAsked: ignore,
        StopAsked: handlers.stop,
        RestartAsked: handlers.restart,
        Cleared: ignore,
        Blocked: ignore,
        Outside: ignore,
        OutsideGone: ignore,
        Spawned: handlers.spawned,
        SpawnFailed: handlers.spawn_failed,
        Ready: handlers.ready,
        JobEnded: handlers.job_ended_starting,
        MustEnd: handlers.must_end,
        MoreTime: handlers.more_time,
        Exited: handlers.exited,
        Emptied: ignore,
        Timer: handlers.too_late,
        PolicyChanged: ignore,
    },
    Phase.RUNNING: {
        StartAsked: ignore,
        StopAsked: handlers.stop,
        RestartAsked: handlers.restart,
        Cleared: ignore,
        Blocked: ignore,
        Outside: ignore,
        OutsideGone: ignore,
        Spawned: refuse,
        SpawnFailed: refuse,
        Ready: handlers.note_ready,
        JobEnded: ignore,
        MustEnd: handlers.must_end,
        MoreTime: ignore,
        Exited: handlers.exited,
        Emptied: ignore,
        Timer: handlers.forgive,
        PolicyChanged: ignore,
    },
    Phase.STOPPING: {
        StartAsked: handlers.want_up,
        StopAsked: handlers.want_down,
        RestartAsked: handlers.want_anew,
        Cleared: ignore,
        Blocked: ignore,
        Outside: ignore,
        OutsideGone: ignore,
        Spawned: handlers.spawned_unwanted,
        SpawnFailed: handlers.spawn_failed_unwanted,
        Ready: ignore,
        JobEnded: handlers.job_ended_stopping,
        MustEnd: ignore,
        MoreTime: handlers.more_time,
        Exited: handlers.exited_stopping,
        Emptied: handlers.emptied,
        Timer: handlers.press_on,
        PolicyChanged: ignore,
    },
    Phase.BACKOFF: {
        StartAsked: handlers.start,
        StopAsked: handlers.stay_down,
        RestartAsked: handlers.start,
        Cleared: ignore,
        Blocked: ignore,
        Outside: ignore,
        OutsideGone: ignore,
        Spawned: refuse,
        SpawnFailed: refuse,
        Ready: ignore,
        JobEnded: ignore,
        MustEnd: ignore,
        MoreTime: ignore,
        Exited: refuse,
        Emptied: ignore,
        Timer: handlers.retry,
        PolicyChanged: handlers.try_anew,
    },
    Phase.FAILED: {
        StartAsked: handlers.start,
        StopAsked: handlers.stay_down,
        RestartAsked: handlers.start,
        Cleared: ignore,
        Blocked: ignore,
        Outside: ignore,
        OutsideGone: ignore,
        Spawned: refuse,
        SpawnFailed: refuse,
        Ready: ignore,
        JobEnded: ignore,
        MustEnd: ignore,
        MoreTime: ignore,
        Exited: refuse,
        Emptied: ignore,
        Timer: handlers.retry_failed,
        PolicyChanged: handlers.try_anew,
    },
    Phase.EXTERNAL: {
        StartAsked: ignore,
        StopAsked: handlers.stay_down,
        RestartAsked: handlers.take_over,
        Cleared: ignore,
        Blocked: ignore,
        Outside: ignore,
        OutsideGone: handlers.take_over,
        Spawned: refuse,
        SpawnFailed: refuse,
        Ready: ignore,
        JobEnded: ignore,
        MustEnd: ignore,
        MoreTime: ignore,
        Exited: refuse,
        Emptied: ignore,
        Timer: ignore,
        PolicyChanged: handlers.take_over,
    },
}
