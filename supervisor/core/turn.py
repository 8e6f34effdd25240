"""One step in the making: the new state, the actions so far, and the moves that the handlers are made of."""

from __future__ import annotations

from supervisor.core import actions
from supervisor.core.actions import Announce, AskGate, ClearTimer, EndJob, RunJob, SetTimer, Signal, Spawn
from supervisor.core.ladder import COMMAND, rung_at
from supervisor.core.state import End, Ending
from supervisor.core.verdict import Fail, GiveUp, Rest, RestartAt, RestartNow, Tally, count, judge
from supervisor.model.cause import CauseKind
from supervisor.model.event import ERROR, INFO, WARNING
from supervisor.model.service import AFTER_END, BEFORE, STOP, Phase, Restart, Want

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
SYSTEM_DELAY_MAX = 30.0
WARN_AFTER = 60.0  # of waiting without a limit


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
        """Do what this rung of the stop asks for, and wait for the end."""
        state = self.state
        if state.job in (BEFORE, AFTER_END):
            self.end_job()
        elif state.emptied and state.exited is not None:
            self.settle(state.exited)
        elif state.in_flight:
            self.arm(KILL_AGAIN if state.kills else self.policy.grace)  # nothing there to signal yet
        elif state.kills:
            self._leave_stop_command()
            self.actions.append(Signal(SIGKILL))
            self.arm(KILL_AGAIN)
        else:
            self._take_rung()

    def _take_rung(self) -> None:
        rung = rung_at(self.policy, self.state.rung)
        if rung is not None and rung[0] == COMMAND and not self.state.has_process:  # only the rest of its group is left
            self.state.rung += 1
            rung = rung_at(self.policy, self.state.rung)
        if rung is None:
            self.kill()
            return
        number, patience = rung
        if number == COMMAND:
            self.run_job(STOP, patience)
        else:
            self.actions.append(Signal(number))
            self.arm(patience)

    def climb(self) -> None:
        """This rung's time is over, or its command is done."""
        self._leave_stop_command()
        if self.state.emptied and self.state.exited is not None:
            self.settle(self.state.exited)
        elif rung_at(self.policy, self.state.rung + 1) is None:
            self.kill()
        else:
            self.state.rung += 1
            self.press()

    def _leave_stop_command(self) -> None:
        if self.state.job == STOP:
            self.actions.append(EndJob(STOP, SIGKILL))
            self.state.job = ""

    def end_process(self, ending: Ending, reason: str) -> None:
        self.state.phase = Phase.STOPPING
        self.state.ending = ending
        self.state.reason = reason
        self.state.rung = 0
        self.press()

    def kill(self, *, asked: bool = False) -> None:
        """The grace is over, or (`asked`) nobody wants to wait for it."""
        self.state.kills += 1
        if self.state.kills == 1:
            self.announce(actions.KILLED, WARNING, grace=None if asked else self.policy.stop_time)
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
        expected = not self.state.ending.is_death or cause.kind is CauseKind.CLEAN
        self.announce(
            actions.EXITED, INFO if expected else self._trouble(), cause=cause.as_dict(), uptime=self.uptime()
        )
        self.state.exited = end
        self.state.cause = cause
        self.state.has_process = False
        self.state.ready = False
        return end

    def gone(self, end: End) -> None:
        """Nothing of it is left. A command that stops it may still have to tidy up."""
        if self.state.job == STOP:
            self.state.emptied = True
        else:
            self.settle(end)

    def settle(self, end: End) -> None:
        """The command after its end comes first, then what follows from it."""
        self._leave_stop_command()
        if self.policy.after_end and self.state.job != AFTER_END:
            self.state.phase = Phase.STOPPING
            self.state.exited = end
            self.state.kills = 0
            self.run_job(AFTER_END, self.policy.after_end)
        else:
            self.follow(end)

    def follow(self, end: End) -> None:
        """What now?"""
        state, ending = self.state, self.state.ending
        self.disarm()
        state.job = ""
        state.ending = Ending.NONE
        state.ending_text = ""
        state.emptied = False
        state.kills = 0
        state.rung = 0
        state.started = None
        state.exited = None
        if state.want is Want.DOWN:
            self.rest("asked")
        elif ending is Ending.ASKED:
            self.clear_budget()
            self.respawn("restart asked")
        elif ending is Ending.AGED:
            self.respawn("old enough", look=False)
        elif ending is Ending.DEPENDENCY:
            self.begin("what it requires has gone")
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
                state.finished = end.cause.kind is CauseKind.CLEAN
            case Fail():
                state.phase = Phase.FAILED
                state.reason = verdict.reason
            case GiveUp():
                state.phase = Phase.FAILED
                state.reason = "gave up"
                self.announce(actions.GAVE_UP, ERROR, streak=state.streak, cause=end.cause.text)
                if self.policy.retry_failed:
                    self.arm(self.policy.retry_failed)
            case RestartNow():
                self.respawn("ended", look=False)
            case RestartAt():
                if state.slowed and not had_notice:
                    self.slow_down()
                longer = 1 + self.policy.jitter * spread(end.at)
                self.back_off(end.at + verdict.delay * longer, "crashed" if end.fast else "ended too often")

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


def spread(at: float) -> float:
    """A number from 0 to 1 that is as good as random, and the same for the same moment."""
    return (int(at * 1e6) * 2654435761 % (1 << 32)) / (1 << 32)
