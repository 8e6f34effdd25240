"""One step in the making: the new state, the actions so far, and the moves that the handlers are made of."""

from __future__ import annotations

from supervisor.core import actions
from supervisor.core.actions import Announce, ClearTimer, SetTimer, Signal, Spawn
from supervisor.core.state import End, Ending
from supervisor.core.verdict import Fail, GiveUp, Rest, RestartAt, RestartNow, Tally, count, judge
from supervisor.model.cause import CauseKind
from supervisor.model.event import ERROR, INFO, WARNING
from supervisor.model.service import Phase, Restart, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.core.actions import Action
    from supervisor.core.state import State
    from supervisor.model.cause import Cause
    from supervisor.model.service import Policy

SIGKILL = 9
KILL_AGAIN = (
    5.0  # a process in an uninterruptible wait may need a second SIGKILL's worth of patience, and new members one
)
SYSTEM_DELAY_MAX = 30.0


class Turn:
    """Holds a state of its own, so whatever happens the caller's is untouched."""

    __slots__ = ("actions", "now", "policy", "state")

    def __init__(self, state: State, policy: Policy, now: float) -> None:
        self.state = state
        self.policy = policy
        self.now = now
        self.actions: list[Action] = []

    def announce(self, kind: str, level: str = INFO, **data: Any) -> None:
        self.actions.append(Announce(kind, level, data))

    def arm(self, delay: float) -> None:
        self.state.last_token += 1
        self.state.token = self.state.last_token
        self.state.timer_at = self.now + delay
        self.actions.append(SetTimer(self.state.token, delay))

    def disarm(self) -> None:
        if self.state.token:
            self.state.token = 0
            self.state.timer_at = None
            self.actions.append(ClearTimer())

    def uptime(self) -> float:
        return 0.0 if self.state.started is None else self.now - self.state.started

    # -- starting

    def clear_budget(self) -> None:
        self.state.streak = 0
        self.state.deaths = ()
        self.state.slowed = False
        self.state.system_failures = 0

    def spawn(self, reason: str) -> None:
        self.disarm()
        self.state.phase = Phase.STARTING
        self.state.want = Want.UP
        self.state.reason = reason
        self.actions.append(Spawn())

    def respawn(self, reason: str) -> None:
        cause = self.state.cause
        if cause is None or cause.kind is not CauseKind.SYSTEM:  # that one is the same try once more
            self.state.restarts += 1
        self.spawn(reason)

    def note_spawned(self) -> None:
        self.state.has_process = True
        self.state.started = self.now
        self.state.system_failures = 0
        self.announce(actions.STARTED, restarts=self.state.restarts)

    def note_spawn_failed(self, cause: Cause) -> End:
        self.announce(actions.SPAWN_FAILED, self._trouble(), cause=cause.as_dict())
        self.state.cause = cause
        self.state.ready = False
        return End(cause, at=self.now, fast=True)

    def _trouble(self) -> str:
        """How loud an unwanted end is: an error where nothing will mend it."""
        return ERROR if self.policy.restart is Restart.NEVER else WARNING

    def run(self) -> None:
        """It is up. Until it has lived long enough, a timer waits to forgive the crashes before."""
        self.state.phase = Phase.RUNNING
        left = self.policy.fast_crash - self.uptime()
        if left > 0:
            self.arm(left)
        else:
            self.state.streak = 0
            self.disarm()

    # -- stopping

    def press(self) -> None:
        """Signal the group, friendly or not as far as the stop has come, and wait for it to end."""
        number, patience = (SIGKILL, KILL_AGAIN) if self.state.kills else (self.policy.stop_signal, self.policy.grace)
        if not self.state.in_flight:
            self.actions.append(Signal(number))
        self.arm(patience)

    def end_process(self, ending: Ending, reason: str) -> None:
        self.state.phase = Phase.STOPPING
        self.state.ending = ending
        self.state.reason = reason
        self.press()

    def kill(self, *, asked: bool = False) -> None:
        """The grace is over, or (`asked`) nobody wants to wait for it."""
        self.state.kills += 1
        if self.state.kills == 1:
            self.announce(actions.KILLED, WARNING, grace=None if asked else self.policy.grace)
        self.press()

    def rest(self, reason: str) -> None:
        """Down, and nobody wants it otherwise."""
        self.disarm()
        self.state.phase = Phase.STOPPED
        self.state.want = Want.DOWN
        self.state.reason = reason
        self.announce(actions.STOPPED, reason=reason)

    # -- after the end

    def note_exit(self, cause: Cause, *, fast: bool) -> End:
        """The main process has ended; the rest of its group perhaps not."""
        end = End(cause, at=self.now, fast=fast)
        expected = self.state.ending is Ending.ASKED or cause.kind is CauseKind.CLEAN
        self.announce(
            actions.EXITED, INFO if expected else self._trouble(), cause=cause.as_dict(), uptime=self.uptime()
        )
        self.state.exited = end
        self.state.cause = cause
        self.state.has_process = False
        self.state.ready = False
        return end

    def settle(self, end: End) -> None:
        """Nothing of it is left: what now?"""
        asked = self.state.ending is Ending.ASKED
        self.disarm()
        self.state.ending = Ending.NONE
        self.state.kills = 0
        self.state.started = None
        self.state.exited = None
        if self.state.want is Want.DOWN:
            self.rest("asked")
        elif asked:
            self.clear_budget()
            self.respawn("restart asked")
        else:
            self.decide(end)

    def decide(self, end: End) -> None:
        state = self.state
        had_notice = state.slowed
        tally = count(Tally(state.streak, state.deaths, slowed=state.slowed), end, self.policy)
        state.streak, state.deaths, state.slowed = tally.streak, tally.deaths, tally.slowed
        verdict = judge(end.cause, tally, self.policy)
        match verdict:
            case Rest():
                self.rest(verdict.reason)
            case Fail():
                state.phase = Phase.FAILED
                state.reason = verdict.reason
            case GiveUp():
                state.phase = Phase.FAILED
                state.reason = "gave up"
                self.announce(actions.GAVE_UP, ERROR, streak=state.streak, cause=end.cause.text)
            case RestartNow():
                self.respawn("ended")
            case RestartAt():
                if state.slowed and not had_notice:
                    self.slow_down()
                self.back_off(end.at + verdict.delay, "crashed" if end.fast else "ended too often")

    def slow_down(self) -> None:
        policy = self.policy
        self.announce(
            actions.SLOWED, WARNING, deaths=len(self.state.deaths), window=policy.window, delay=policy.window_delay
        )

    def back_off(self, retry_at: float, reason: str) -> None:
        delay = max(0.0, retry_at - self.now)
        self.state.phase = Phase.BACKOFF
        self.state.reason = reason
        self.arm(delay)
        self.announce(
            actions.BACKING_OFF,
            WARNING,
            reason=reason,
            delay=delay,
            streak=self.state.streak,
            give_up=self.policy.give_up,
        )

    def wait_for_system(self) -> None:
        """The system had nothing to spare: no fault of the service, so no budget is spent."""
        self.state.system_failures += 1
        doublings = min(self.state.system_failures - 1, 8)  # enough for the maximum, and never a huge number
        self.state.phase = Phase.BACKOFF
        self.state.reason = "the system can't start it"
        self.arm(min(float(2**doublings), SYSTEM_DELAY_MAX))
