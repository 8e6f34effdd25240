"""The one place that decides what happens to a service: a table of phase x input, every cell written.

`step` is pure: it reads no clock, does nothing, and leaves the state it is given alone. What is to be
done comes back as actions; their outcome comes in again as inputs.
"""

from __future__ import annotations

from supervisor.core import on_end, on_start, on_stop, on_wait
from supervisor.core.actions import Action, Announce, AskGate, ClearTimer, EndJob, RunJob, SetTimer, Signal, Spawn
from supervisor.core.cells import Refused, ignore, refuse
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
    from supervisor.core.cells import Handler
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
        StartAsked: on_start.start,
        StopAsked: ignore,
        RestartAsked: on_start.start,
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
        StopAsked: on_stop.stay_down,
        RestartAsked: on_wait.ask_again,
        Cleared: on_wait.cleared,
        Blocked: on_wait.blocked,
        Outside: on_wait.outside,
        OutsideGone: ignore,
        Spawned: refuse,
        SpawnFailed: refuse,
        Ready: ignore,
        JobEnded: ignore,
        MustEnd: ignore,
        MoreTime: ignore,
        Exited: refuse,
        Emptied: ignore,
        Timer: on_wait.waited_long,
        PolicyChanged: on_wait.ask_anew,
    },
    Phase.STARTING: {
        StartAsked: ignore,
        StopAsked: on_stop.stop,
        RestartAsked: on_stop.restart,
        Cleared: ignore,
        Blocked: ignore,
        Outside: ignore,
        OutsideGone: ignore,
        Spawned: on_start.spawned,
        SpawnFailed: on_start.spawn_failed,
        Ready: on_start.ready,
        JobEnded: on_start.job_ended_starting,
        MustEnd: on_stop.must_end,
        MoreTime: on_start.more_time,
        Exited: on_end.exited_early,
        Emptied: ignore,
        Timer: on_start.too_late,
        PolicyChanged: on_start.wait_by_new_rules,
    },
    Phase.RUNNING: {
        StartAsked: ignore,
        StopAsked: on_stop.stop,
        RestartAsked: on_stop.restart,
        Cleared: ignore,
        Blocked: ignore,
        Outside: ignore,
        OutsideGone: ignore,
        Spawned: refuse,
        SpawnFailed: refuse,
        Ready: on_start.note_ready,
        JobEnded: ignore,
        MustEnd: on_stop.must_end,
        MoreTime: ignore,
        Exited: on_end.exited,
        Emptied: ignore,
        Timer: on_start.forgive,
        PolicyChanged: on_start.take_as_ready,
    },
    Phase.STOPPING: {
        StartAsked: on_stop.want_up,
        StopAsked: on_stop.want_down,
        RestartAsked: on_stop.want_anew,
        Cleared: ignore,
        Blocked: ignore,
        Outside: ignore,
        OutsideGone: ignore,
        Spawned: on_stop.spawned_unwanted,
        SpawnFailed: on_stop.spawn_failed_unwanted,
        Ready: ignore,
        JobEnded: on_stop.job_ended_stopping,
        MustEnd: ignore,
        MoreTime: on_start.more_time,
        Exited: on_end.exited_stopping,
        Emptied: on_end.emptied,
        Timer: on_stop.press_on,
        PolicyChanged: ignore,
    },
    Phase.BACKOFF: {
        StartAsked: on_start.start,
        StopAsked: on_stop.stay_down,
        RestartAsked: on_start.start,
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
        Timer: on_start.retry,
        PolicyChanged: on_start.try_anew,
    },
    Phase.FAILED: {
        StartAsked: on_start.start,
        StopAsked: on_stop.stay_down,
        RestartAsked: on_start.start,
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
        Timer: on_start.retry_failed,
        PolicyChanged: on_start.try_anew,
    },
    Phase.EXTERNAL: {
        StartAsked: ignore,
        StopAsked: on_stop.stay_down,
        RestartAsked: on_wait.take_over,
        Cleared: ignore,
        Blocked: ignore,
        Outside: ignore,
        OutsideGone: on_wait.take_over,
        Spawned: refuse,
        SpawnFailed: refuse,
        Ready: ignore,
        JobEnded: ignore,
        MustEnd: ignore,
        MoreTime: ignore,
        Exited: refuse,
        Emptied: ignore,
        Timer: ignore,
        PolicyChanged: on_wait.look_anew,
    },
}
