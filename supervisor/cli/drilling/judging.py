"""What the journal says against what had to follow: one verdict a step. Pure: events in, steps out."""

from __future__ import annotations

from supervisor.cli.drilling.expecting import (
    HANG,
    KILL,
    SEEN_S,
    delays,
    end_limit,
    follows,
    notice_limit,
    only_degrades,
    ready_limit,
    start_limit,
    stays_down,
)
from supervisor.cli.times import parse_iso
from supervisor.core import actions
from supervisor.core.verdict import GiveUp, RestartAt, signal_name
from supervisor.engine.texts import duration as long_duration
from supervisor.events.reading import number_of
from supervisor.model.cause import CauseKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.drilling.expecting import Subject
    from supervisor.core.verdict import Verdict

    Event = dict[str, Any]

EARLY_S = 0.1  # a delay may be so much shorter by rounding
LATE_S = 0.2  # and be told as so much longer
DEGRADED = "service.degraded"
EXACT_S = 1.0  # below it, milliseconds are told
NOTICED = (actions.UNHEALTHY, actions.WATCHDOG, DEGRADED)
BY_PROBE = (CauseKind.UNHEALTHY.value, CauseKind.WATCHDOG.value)


class Step:
    """One thing that had to happen. `passed` None: not yet, or it was never its turn."""

    __slots__ = ("after", "limit", "name", "passed", "what")

    def __init__(
        self, name: str, what: str, *, passed: bool | None, after: float | None = None, limit: float | None = None
    ) -> None:
        self.name = name
        self.passed = passed
        self.what = what
        self.after = after  # seconds since the deed
        self.limit = limit  # seconds that this step might take

    def as_dict(self) -> dict[str, Any]:
        return {
            "step": self.name,
            "passed": self.passed,
            "after_s": None if self.after is None else round(self.after, 3),
            "limit_s": None if self.limit is None else round(self.limit, 3),
            "what": self.what,
        }


class Story:
    """The events of the service since the deed, as far as they are told."""

    __slots__ = ("acted", "backing", "events", "exited", "gave_up", "noticed", "ready", "started", "stopped_again")

    def __init__(self, subject: Subject, acted: float, events: list[Event]) -> None:
        self.acted = acted
        self.events = [event for event in events if event.get("service") == subject.name]
        self.noticed = self._first(NOTICED)
        self.exited = self._first((actions.EXITED,), subject.pid)
        after = self.events[self.events.index(self.exited) + 1 :] if self.exited is not None else []
        self.backing = _first(after, (actions.BACKING_OFF,))
        self.gave_up = _first(after, (actions.GAVE_UP,))
        self.started = _first(after, (actions.STARTED,))
        later = after[after.index(self.started) :] if self.started is not None else []
        self.ready = _first(later, (actions.READY,), self.new_pid)
        self.stopped_again = _first(later, (actions.EXITED, actions.NOT_READY), self.new_pid)

    def _first(self, kinds: tuple[str, ...], pid: int | None = None) -> Event | None:
        return _first(self.events, kinds, pid)

    @property
    def new_pid(self) -> int | None:
        pid = self.started["data"].get("pid") if self.started is not None else None
        return pid if isinstance(pid, int) else None

    def after(self, event: Event) -> float:
        return max(at(event) - self.acted, 0.0)

    @property
    def told(self) -> list[Event]:
        """Those that make up the story, in the order in which they had to come."""
        found = (self.noticed, self.exited, self.backing or self.gave_up, self.started, self.ready)
        return [event for event in found if event is not None]


def duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if 0 < seconds < EXACT_S else long_duration(seconds)


def _first(events: list[Event], kinds: tuple[str, ...], pid: int | None = None) -> Event | None:
    for event in events:
        if event.get("kind") in kinds and (pid is None or event["data"].get("pid") == pid):
            return event
    return None


def at(event: Event) -> float:
    return parse_iso(event.get("at")) or 0.0


def judge(subject: Subject, drill: str, acted: float, events: list[Event], now: float) -> list[Step]:
    """All steps, as far as it has come."""
    story = Story(subject, acted, events)
    steps: list[Step] = []
    if drill == HANG:
        steps.append(_noticed(subject, story))
        if only_degrades(subject.spec):
            return steps
    steps.append(_ended(subject, drill, story))
    if story.exited is None:
        return [*steps, Step("restarted", "", passed=None), Step("ready", "", passed=None)]
    verdict = follows(subject, drill, float(story.exited["data"].get("uptime") or 0.0))
    steps.append(_restarted(subject, verdict, story))
    if not stays_down(verdict):
        steps.append(_ready(subject, story, now))
    if all(step.passed is not None for step in steps):
        steps.append(_journal(story))
    return steps


def _noticed(subject: Subject, story: Story) -> Step:
    limit = notice_limit(subject)
    if story.noticed is None:
        return Step("noticed", f"within {duration(limit)}", passed=None, limit=limit)
    after = story.after(story.noticed)
    text = str(story.noticed.get("text")).removeprefix(f"{subject.name}: ")
    return Step("noticed", text, passed=after <= limit, after=after, limit=limit)


def overdue(steps: list[Step], after: float) -> None:
    """The first step counts from the deed: what has not come within its own limit has failed."""
    first = steps[0]
    if first.passed is None and first.limit is not None and after > first.limit:
        first.passed, first.after = False, after
        first.what = f"not {first.what}" if first.what else "not in time"


def _ended(subject: Subject, drill: str, story: Story) -> Step:
    name, limit = ("seen", SEEN_S) if drill == KILL else ("ended", end_limit(subject.policy))
    if story.exited is None:
        return Step(name, f"within {duration(limit)}", passed=None, limit=limit)
    since = story.after(story.noticed) if story.noticed is not None and drill == HANG else 0.0
    after = story.after(story.exited)
    cause = story.exited["data"].get("cause") or {}
    right = cause.get("signal") == signal_name(9) if drill == KILL else cause.get("kind") in BY_PROBE
    if drill == KILL and cause.get("kind") not in (CauseKind.SIGNAL.value, CauseKind.CLEAN.value):
        right = False  # whose doing it was is part of what has to be right
    return Step(name, str(cause.get("text")), passed=right and after - since <= limit, after=after, limit=limit)


def _restarted(subject: Subject, verdict: Verdict, story: Story) -> Step:
    policy = subject.policy
    assert story.exited is not None
    if stays_down(verdict):
        how = "given up" if isinstance(verdict, GiveUp) else "not started again"
        passed = None if isinstance(verdict, GiveUp) and story.gave_up is None else story.started is None
        return Step("stays down", f"{how}, as its policy says", passed=passed)
    least, most = delays(verdict, policy)
    limit = most + start_limit(policy)
    how = f"{duration(least)} later" if isinstance(verdict, RestartAt) else "at once"
    if story.started is None:
        return Step("restarted", f"{how}, as its policy says: not yet", passed=None, limit=limit)
    gap = at(story.started) - at(story.exited)
    what = f"{duration(gap)} after its end ({how}, by its policy), pid {story.new_pid}"
    passed = least - EARLY_S <= gap <= limit
    if least and story.backing is None:
        passed, what = False, f"{what}; no event told of the delay"
    elif story.backing is not None and not least - EARLY_S <= float(story.backing["data"]["delay"]) <= most + LATE_S:
        passed, what = False, f"{what}; a delay of {duration(float(story.backing['data']['delay']))} was told"
    return Step("restarted", what, passed=passed, after=story.after(story.started), limit=limit)


def _ready(subject: Subject, story: Story, now: float) -> Step:
    limit = ready_limit(subject)
    if story.started is None:
        return Step("ready", "", passed=None, limit=limit)
    began = at(story.started)
    if story.stopped_again is not None:
        text = str(story.stopped_again.get("text")).removeprefix(f"{subject.name}: ")
        return Step("ready", text, passed=False, after=story.after(story.stopped_again), limit=limit)
    if not subject.policy.wait_ready:
        if now - began < subject.settle:
            return Step("ready", f"lives for {duration(subject.settle)}", passed=None, limit=limit)
        what = f"lives on after {duration(subject.settle)} (it has no ready check)"
        return Step("ready", what, passed=True, after=story.after(story.started) + subject.settle, limit=limit)
    if story.ready is None:
        return Step("ready", f"within {duration(limit)}", passed=None, limit=limit)
    took = at(story.ready) - began
    what = f"{duration(took)} after its start"
    return Step("ready", what, passed=took <= limit, after=story.after(story.ready), limit=limit)


def _journal(story: Story) -> Step:
    """Told in the order in which it happened, each with a number and a time."""
    told = story.told
    kinds = ", ".join(str(event["kind"]).removeprefix("service.") for event in told)
    times = [at(event) for event in told]
    numbers = [number_of(event) for event in told]
    if times != sorted(times) or numbers != sorted(set(numbers)):
        return Step("journal", f"out of order: {kinds}", passed=False)
    return Step("journal", f"tells it in order: {kinds}", passed=True)
