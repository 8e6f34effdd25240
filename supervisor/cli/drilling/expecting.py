"""What has to follow from a drill by the service's own policy. Pure: the rules are those the machine goes by."""

from __future__ import annotations

from supervisor.core.state import End
from supervisor.core.verdict import SIGKILL, Fail, GiveUp, Rest, RestartAt, Tally, cause_of, count, judge
from supervisor.model.cause import Cause, CauseKind
from supervisor.model.check import DEGRADE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.core.verdict import Verdict
    from supervisor.model.service import Policy, Spec

KILL, HANG = "kill", "hang"
SEEN_S = 2.0  # from a death to the event that tells of it
START_S = 2.0  # for a spawn, beyond what its policy takes
MORE_S = 8.0  # for a scheduler to take over and tell what it was told, beyond all that


class Subject:
    """The service of a drill, as it is before anything is done to it."""

    __slots__ = ("attempts", "name", "pid", "restarts", "settle", "spec", "uptime")

    def __init__(
        self, spec: Spec, *, pid: int, uptime: float, restarts: int, attempts: dict[str, Any], settle: float
    ) -> None:
        self.spec = spec
        self.name = spec.name
        self.pid = pid
        self.uptime = uptime
        self.restarts = restarts
        self.attempts = attempts  # as `why` tells: streak, deaths
        self.settle = settle  # so long it must live to count as up, where nobody asks whether it is ready

    @property
    def policy(self) -> Policy:
        return self.spec.policy


def follows(subject: Subject, drill: str, uptime: float) -> Verdict:
    """What the policy says about such an end at that age."""
    policy = subject.policy
    if drill == KILL:
        cause = cause_of(SIGKILL, asked=False, words=[], exit_codes=policy.exit_codes, exit_signals=policy.exit_signals)
    else:
        cause = Cause(CauseKind.WATCHDOG if subject.spec.watchdog else CauseKind.UNHEALTHY, "")
    end = End(cause, at=0.0, fast=uptime < policy.fast_crash)
    before = Tally(int(subject.attempts.get("streak") or 0), (0.0,) * int(subject.attempts.get("deaths") or 0))
    return judge(cause, count(before, end, policy), policy)


def objection(subject: Subject, drill: str) -> str:
    """Why it would not come back; "": it would."""
    verdict = follows(subject, drill, subject.uptime)
    if isinstance(verdict, GiveUp):
        streak, most = int(subject.attempts.get("streak") or 0), subject.policy.give_up
        return f"it has crashed {streak} times in a row: one more of {most} and it is given up"
    if isinstance(verdict, Fail | Rest):
        return f"its policy would not start it again ({verdict.reason})"
    return ""


def is_fatal(subject: Subject, drill: str) -> bool:
    """Would everything be stopped by it? A critical one that ends for good takes the whole tree along."""
    if not subject.spec.critical or (drill == HANG and only_degrades(subject.spec)):
        return False
    return bool(objection(subject, drill))


def how_to_allow(subject: Subject, drill: str) -> str:
    """What helps against an objection: only a count can be begun anew."""
    if isinstance(follows(subject, drill, subject.uptime), GiveUp):
        return f"sbctl restart {subject.name} begins the count anew; or --force"
    return "--force, which leaves it down"


def stays_down(verdict: Verdict) -> bool:
    return isinstance(verdict, GiveUp | Fail | Rest)


def delays(verdict: Verdict, policy: Policy) -> tuple[float, float]:
    """Seconds from the end to the next start: at least, at most."""
    if not isinstance(verdict, RestartAt):
        return 0.0, 0.0
    return verdict.delay, verdict.delay * (1 + policy.jitter)


def start_limit(policy: Policy) -> float:
    return START_S + policy.before + policy.after_end


def ready_limit(subject: Subject) -> float:
    return subject.policy.start_timeout if subject.policy.wait_ready else subject.settle + START_S


# hanging


def is_watched(spec: Spec) -> bool:
    """Would anything notice that it hangs?"""
    return spec.watchdog > 0 or spec.alive is not None


def only_degrades(spec: Spec) -> bool:
    """It is noticed, and it is left running."""
    return not spec.watchdog and spec.alive is not None and spec.alive.action == DEGRADE


def notice_limit(subject: Subject) -> float:
    """By then it must have been noticed: whichever looks first."""
    spec = subject.spec
    limits = [spec.watchdog] if spec.watchdog else []
    if spec.alive is not None:
        check = spec.alive
        grace = max(check.grace - subject.uptime, 0.0)
        limits.append(grace + check.interval + check.failures * max(check.interval, check.timeout) + check.timeout)
    return min(limits) + SEEN_S


def end_limit(policy: Policy) -> float:
    """From the first signal to its end."""
    return policy.stop_time + START_S


def whole_limit(subject: Subject, drill: str) -> float:
    """For all of it, when nothing else was said."""
    policy = subject.policy
    seen = SEEN_S if drill == KILL else notice_limit(subject) + end_limit(policy)
    slowest = max(delays(follows(subject, drill, age), policy)[1] for age in (subject.uptime, policy.fast_crash))
    return seen + slowest + start_limit(policy) + ready_limit(subject) + MORE_S
