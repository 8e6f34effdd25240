"""A drill from its first question to the verdict: asks, breaks, watches the journal, compares everybody else."""

from __future__ import annotations

import time

from supervisor.base.clock import iso
from supervisor.base.errors import FAILED, Problem
from supervisor.cli import consent
from supervisor.cli.doctor.exam import descends, is_suspended
from supervisor.cli.drilling.expecting import (
    HANG,
    KILL,
    how_to_allow,
    is_fatal,
    is_watched,
    objection,
    only_degrades,
    whole_limit,
)
from supervisor.cli.drilling.freezing import Frozen, Held
from supervisor.cli.drilling.judging import Step, duration, judge, overdue
from supervisor.cli.drilling.subject import Others, find, rows_of
from supervisor.cli.drilling.view import lines
from supervisor.cli.journal import JournalNews
from supervisor.cli.out import answer, at_home
from supervisor.cli.secrets import mask_of
from supervisor.control.api import SCHEDULER, role_of
from supervisor.core.verdict import SIGKILL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.drilling.expecting import Subject
    from supervisor.cli.table import Style
    from supervisor.model.home import Home

EVERY_S = 0.02
LATE_NEWS_S = 0.5  # an event is read so long after it happened, at most
AFTER_S = 5.0  # for the daemons to answer again once all is told


class Drill:
    """One service, one deed."""

    def __init__(self, home: Home, kind: str, word: str) -> None:
        self.home = home
        self.kind = kind
        self.subject, rows, self._not_others, self._start = find(home, word)
        self.others = Others(rows, self._not_others)
        self.is_degraded = any(row["name"] == self.subject.name and row["ready"] is False for row in rows)
        self.at = time.time()
        self.took = 0.0
        self.steps: list[Step] = []

    @property
    def passed(self) -> bool:
        return bool(self.steps) and all(step.passed for step in self.steps)

    def as_dict(self) -> dict[str, Any]:
        return {
            "drill": self.kind,
            "name": self.subject.name,
            "passed": self.passed,
            "at": iso(self.at),
            "took_s": round(self.took, 3),
            "pid": self.subject.pid,
            "steps": [step.as_dict() for step in self.steps],
        }

    # the deed

    def run(self, timeout: float | None) -> None:
        """Whatever ends this, nobody is left stopped."""
        held = Held(self.subject.pid)
        try:
            if not descends(held.pid, self._start):  # looked at only now that it can't become another process
                raise Problem(f"pid {held.pid} has ended meanwhile", remedy="sbctl status", code=FAILED)
            news = JournalNews(self.home.journal_file)
            self.at = time.time()
            limit = whole_limit(self.subject, self.kind) if timeout is None else timeout
            if self.kind == KILL:
                held.signal(SIGKILL)
                self.steps = [Step("killed", f"pid {held.pid} got SIGKILL", passed=True)]
                self._watch(news, limit)
            else:
                with Frozen(held):
                    self.steps = [_stopped(held)]
                    self._watch(news, limit)
        finally:
            held.close()
            self.took = time.time() - self.at
        self.steps += self._afterwards()

    def _watch(self, news: JournalNews, limit: float) -> None:
        """Until every step is decided, one has failed, or the time is over."""
        done, until = list(self.steps), time.monotonic() + limit
        events: list[dict[str, Any]] = []
        while True:
            events += news.read()
            now = time.time()
            steps = judge(self.subject, self.kind, self.at, events, now)
            if self.kind == HANG and self.subject.name != SCHEDULER:  # of that, news come only with its successor
                overdue(steps, now - self.at - LATE_NEWS_S)
            is_over = time.monotonic() >= until
            if is_over or any(step.passed is False for step in steps) or all(step.passed for step in steps):
                break
            time.sleep(EVERY_S)
        if is_over:
            late = next((step for step in steps if step.passed is None), None)
            if late is not None:
                late.passed, late.after = False, limit
                late.what = f"not after {duration(limit)}" + (f" ({late.what})" if late.what else "")
        self.steps = [*done, *steps]

    # afterwards

    def _afterwards(self) -> list[Step]:
        """Is the row what the journal has told, and is everybody else who they were?"""
        until = time.monotonic() + AFTER_S
        while True:
            try:
                rows, _ = rows_of(self.home)
                break
            except Problem as problem:
                if time.monotonic() >= until:
                    return [Step("status", problem.what, passed=False), Step("others", "", passed=None)]
            time.sleep(EVERY_S)
        return [*self._status(rows), self._compared(Others(rows, self._not_others))]

    def _status(self, rows: list[dict[str, Any]]) -> list[Step]:
        if not all(step.passed for step in self.steps):
            return []
        row = next((row for row in rows if row["name"] == self.subject.name), {})
        told = f"{row.get('state')}, pid {row.get('pid') or '-'}, restarts {row.get('restarts')}"
        names = [step.name for step in self.steps]
        if "restarted" in names:
            right = row.get("state") == "running" and row.get("restarts") == self.subject.restarts + 1
        elif "stays down" in names:
            right = row.get("pid") is None
        else:  # it was noticed, and is to run on
            right = row.get("pid") == self.subject.pid
        return [Step("status", told, passed=right)]

    def _compared(self, now: Others) -> Step:
        changed = self.others.changed(now)
        count = len(self.others.seen)
        restless = f"; {', '.join(self.others.restless)} had died by itself before" if self.others.restless else ""
        if changed:
            return Step("others", f"not the same processes as before: {', '.join(changed[:8])}", passed=False)
        along = sorted(self._not_others - {self.subject.name})
        more = f"; {', '.join(along)} may go along, for it is required" if along else ""
        return Step("others", f"all {count} kept their process and its uptime{more}{restless}", passed=True)


def _stopped(held: Held) -> Step:
    until = time.monotonic() + 1.0
    while not is_suspended(held.pid) and time.monotonic() < until:
        time.sleep(EVERY_S)
    return Step("stopped", f"pid {held.pid} got SIGSTOP", passed=is_suspended(held.pid))


def drill(
    home: Home, kind: str, word: str, *, yes: bool, force: bool, timeout: float | None, as_json: bool, style: Style
) -> int:
    """Ask, do it, tell. 1: something did not happen as it should."""
    plan = Drill(home, kind, word)
    subject = plan.subject
    if kind == HANG and not is_watched(subject.spec):
        plan.steps = [
            Step("noticed", "nothing would notice: it has neither an alive check nor a watchdog", passed=False)
        ]
        return _tell(plan, style, as_json=as_json, next=_how_to_watch(subject))
    if kind == HANG and plan.is_degraded:
        raise Problem(
            f"{subject.name} is degraded already: that it hangs would be told by nothing new",
            remedy=f"sbctl why {subject.name}; once it is well again, the same command",
            code=FAILED,
        )
    reason = "" if kind == HANG and only_degrades(subject.spec) else objection(subject, kind)
    if reason and not force:
        all_stops = "; and it is critical: everything would be stopped with it" if is_fatal(subject, kind) else ""
        raise Problem(
            f"{subject.name} would not come back: {reason}{all_stops}",
            remedy=how_to_allow(subject, kind),
            code=FAILED,
        )
    if not yes:
        consent.ask(question(subject, kind), f"sbctl drill {kind} {subject.name} --yes, without asking")
    plan.run(timeout)
    return _tell(
        plan, style, as_json=as_json, next="" if plan.passed else f"sbctl why {subject.name}; sbctl events -n 20"
    )


def question(subject: Subject, kind: str) -> str:
    deed = "be killed (SIGKILL)" if kind == KILL else "be stopped (SIGSTOP) until that is noticed, and then ended"
    whose = "; its servers run on" if subject.name == SCHEDULER else ""
    if is_fatal(subject, kind):
        whose += ", for good: it is critical, so EVERYTHING will be stopped"
    return f"{subject.name} (pid {subject.pid}) will {deed}{whose}. Do it?"


def _how_to_watch(subject: Subject) -> str:
    name = subject.name
    if role_of(name) != SCHEDULER:
        return f"set core.{name}.watchdogSeconds or alive in etc/sbctl.yaml, then: sbctl reload"
    place = f'"server" of plugins/{subject.spec.plugin}/manifest.json'
    return (
        f'write "alive": {{"http": "http://127.0.0.1:PORT/"}} or "watchdogSeconds": 30 into {place}, then: sbctl reload'
    )


def _tell(plan: Drill, style: Style, *, as_json: bool, next: str) -> int:
    mask = mask_of(plan.home)
    for step in plan.steps:  # a check's answer may be among the words
        step.what = mask.hide_text(step.what)
    facts, next = plan.as_dict(), at_home(next)
    answer("\n".join(lines(facts, next, style)), {**facts, "next": next}, as_json=as_json)
    return 0 if plan.passed else FAILED
