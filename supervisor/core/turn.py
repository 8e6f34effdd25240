"""One step in the making: the new state, the actions so far, and the small moves that all else is made of."""

from __future__ import annotations

from supervisor.core import actions
from supervisor.core.actions import Announce, AskGate, ClearTimer, EndJob, RunJob, SetTimer, Spawn
from supervisor.core.state import End
from supervisor.core.verdict import final
from supervisor.model.cause import CauseKind
from supervisor.model.event import ERROR, INFO, WARNING
from supervisor.model.service import BEFORE, STOP, Phase, Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.core.actions import Action
    from supervisor.core.state import State
    from supervisor.model.cause import Cause
    from supervisor.model.service import Policy

SIGKILL = 9
SIGTERM = 15
KILL_AGAIN = (
    5.0  # a process in an uninterruptible wait may need a second SIGKILL's worth of patience, and new members one
)


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

    def uptime(self, end: float | None = None) -> float:
        """Until its end, if that was not now; its start may have been heard of only after that."""
        if self.state.started is None:
            return 0.0
        return max((self.now if end is None else end) - self.state.started, 0.0)

    # -- starting

    def clear_budget(self) -> None:
        self.state.streak = 0
        self.state.deaths = ()
        self.state.slowed = False
        self.state.system_failures = 0

    def begin(self, reason: str, *, look: bool = True) -> None:
        """Up, if nothing must come first. `look`: it may be running already, started by somebody else."""
        state, look = self.state, look and self.policy.look_outside
        self.disarm()
        state.want = Want.UP
        state.reason = reason
        state.finished = False
        state.waits_for = ""
        state.outside = 0
        if self.policy.gated or look:
            state.phase = Phase.WAITING
            self.actions.append(AskGate(look=look))
        else:
            self.launch()

    def launch(self) -> None:
        """The way is free: first the command before it, if there is one, then the service."""
        self.disarm()
        self.state.phase = Phase.STARTING
        self.state.waits_for = ""
        if self.policy.before:
            self.run_job(BEFORE, self.policy.before)
        else:
            self.actions.append(Spawn())

    def respawn(self, reason: str, *, look: bool = True) -> None:
        cause = self.state.cause
        if cause is None or cause.kind is not CauseKind.SYSTEM:  # that one is the same try once more
            self.state.restarts += 1
        self.begin(reason, look=look)

    def run_job(self, job: str, limit: float) -> None:
        self.state.job = job
        self.actions.append(RunJob(job))
        self.arm(limit)

    def end_job(self) -> None:
        """Its end is told by JobEnded, so this only hurries it: first friendly, then not."""
        if self.state.kills:
            self.actions.append(EndJob(self.state.job, SIGKILL))
            self.arm(KILL_AGAIN)
        else:
            self.actions.append(EndJob(self.state.job, SIGTERM))
            self.arm(min(self.policy.grace, KILL_AGAIN))
        self.state.kills += 1

    def note_spawned(self) -> None:
        self.state.has_process = True
        self.state.started = self.now
        self.state.system_failures = 0
        self.announce(actions.STARTED, restarts=self.state.restarts)

    def note_spawn_failed(self, cause: Cause) -> End:
        self.announce(actions.SPAWN_FAILED, self.trouble(cause), cause=cause.as_dict())
        self.state.cause = cause
        self.state.ready = False
        return End(cause, at=self.now, fast=True)

    def trouble(self, cause: Cause) -> str:
        """How loud an unwanted end is: an error where nothing will mend it."""
        return ERROR if final(cause, self.policy) else WARNING

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

    def leave_stop_command(self) -> None:
        if self.state.job == STOP:
            self.actions.append(EndJob(STOP, SIGKILL))
            self.state.job = ""

    def rest(self, reason: str) -> None:
        """Down, and nobody wants it otherwise."""
        self.disarm()
        self.state.phase = Phase.STOPPED
        self.state.want = Want.DOWN
        self.state.reason = reason
        self.state.waits_for = ""
        self.state.outside = 0
        self.announce(actions.STOPPED, reason=reason)

    # -- the end

    def note_exit(self, cause: Cause, *, fast: bool, at: float | None = None) -> End:
        """The main process has ended; the rest of its group perhaps not."""
        end = End(cause, at=self.now if at is None else at, fast=fast)
        expected = not self.state.ending.is_death or cause.kind is CauseKind.CLEAN
        level = INFO if expected else self.trouble(cause)
        self.announce(actions.EXITED, level, cause=cause.as_dict(), uptime=self.uptime(at))
        self.state.exited = end
        self.state.cause = cause
        self.state.has_process = False
        self.state.ready = False
        return end
