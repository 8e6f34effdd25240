"""Each nominal time of each schedule has exactly one row, with a reason that fits what was done at that time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from .evidence import Definition, Evidence, Job, Violation
from .windows import PROMPT_S, Windows

CLOCK_S = 1.0  # between a nominal second and the edge of a definition
RETRY_S = 5.0  # a history that was locked is tried again with pauses that grow so long
PAUSES = ("pause", "pause_all")


def check_slots(evidence: Evidence) -> Iterator[Violation]:
    windows = Windows(evidence.faults)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in evidence.jobs}
    for row in evidence.slots:
        if row["schedule"] in rows:
            rows[row["schedule"]].append(row)
        else:
            yield Violation("unknown schedule", row["schedule"], f"a row of a schedule that there never was: {row}")
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in evidence.jobs}
    for run in evidence.runs:
        runs.setdefault(run["schedule"], []).append(run)
    for job in evidence.jobs.values():
        yield from _OneSchedule(job, rows[job.name], runs[job.name], windows, evidence).check()


def expected(job: Job, until: float) -> tuple[list[int], list[int]]:
    """(those that must have a row, those that may have one)."""
    must: set[int] = set()
    may: set[int] = set()
    for each in job.definitions:
        must.update(each.rule.times(each.settled + CLOCK_S, min(each.lift, until) - CLOCK_S, job.anchor))
        end = min(each.end, until + 3600)
        may.update(each.rule.times(each.begin - CLOCK_S, end + CLOCK_S, job.anchor))
    return sorted(must), sorted(must | may)


class _OneSchedule:
    def __init__(
        self, job: Job, rows: list[dict[str, Any]], runs: list[dict[str, Any]], windows: Windows, evidence: Evidence
    ) -> None:
        self.job = job
        self.rows = sorted(rows, key=lambda row: int(row["nominal"]))
        self.runs = {str(run["id"]): run for run in runs}
        self.windows = windows
        self.evidence = evidence
        self.must, self.may = expected(job, evidence.until)

    def check(self) -> Iterator[Violation]:
        for before, after in pairwise(self.rows):
            if before["nominal_to"] >= after["nominal"]:
                yield self._violation("double slot", f"two rows hold the same time: {before} and {after}")
        if self.follows:
            yield from self._check_followers()
        else:
            yield from self._check_times()
        for row in self.rows:
            yield from self._check_row(row)

    @property
    def follows(self) -> str:
        last: Definition = self.job.definitions[-1]
        return last.rule.after

    def _violation(self, rule: str, text: str) -> Violation:
        return Violation(rule, self.job.name, text)

    def _check_times(self) -> Iterator[Violation]:
        begins = [row["nominal"] for row in self.rows]
        for nominal in self.must:
            place = bisect_right(begins, nominal) - 1
            if place < 0 or self.rows[place]["nominal_to"] < nominal:
                yield self._violation("lost slot", f"no row holds {nominal}")
        known = set(self.may)
        for row in self.rows:
            for end in {row["nominal"], row["nominal_to"]}:
                if end not in known:
                    yield self._violation("phantom slot", f"no slot of its rule is at {end}: {row}")
            held = self._held(row)
            if row["count"] is not None and set(held) <= set(self.must) and row["count"] != len(held):
                yield self._violation("wrong count", f"it holds {len(held)} slots: {row}")

    def _held(self, row: dict[str, Any]) -> list[int]:
        """The slots that this row stands for."""
        if self.follows:
            return [row["nominal"]]
        return self.may[bisect_left(self.may, row["nominal"]) : bisect_right(self.may, row["nominal_to"])]

    def _check_followers(self) -> Iterator[Violation]:
        """A slot for each end of the other one: its second, or the next one that is free."""
        ends: set[int] = set()
        for run in self.evidence.runs:
            if run["schedule"] == self.follows and run["state"] == "succeeded":
                second = int(run["ended"] / 1000)
                while second in ends:
                    second += 1
                ends.add(second)
        mine = {row["nominal"] for row in self.rows}
        until = self.evidence.until - CLOCK_S
        for end in sorted(at for at in ends - mine if at < until):
            yield self._violation("lost slot", f"{self.follows} ended at {end}, and nothing followed")
        for end in sorted(at for at in mine - ends if at < until):
            yield self._violation("phantom slot", f"at {end} no run of {self.follows} has ended")

    # one row

    def _check_row(self, row: dict[str, Any]) -> Iterator[Violation]:
        if row["outcome"] == "claimed":
            yield self._violation("open slot", f"claimed, and never decided: {row}")
        elif row["outcome"] == "run":
            yield from self._check_run(row)
        else:
            for nominal in self._held(row):
                if not self._fits(row, nominal):
                    yield self._violation("wrong reason", f"nothing explains {row['reason']!r} of {nominal}: {row}")
                    return

    def _check_run(self, row: dict[str, Any]) -> Iterator[Violation]:
        run = self.runs.get(row["run"])
        if run is None:
            yield self._violation("no run", f"the run of this slot is not there: {row}")
            return
        if run["nominal"] != row["nominal"]:
            yield self._violation("wrong run", f"the run of this slot is one of {run['nominal']}: {row}")
        claimed = run["claimed"] / 1000
        # Of two ends within one second the later one has a second that is still to come.
        is_of_an_end = str(row.get("note") or "").startswith("after run ")
        if claimed < (row["due"] / 1000 if is_of_an_end else row["nominal"]) - 0.01:
            yield self._violation("too early", f"claimed at {claimed}: {row}")
        if run["trigger"] == "catch_up":
            if self.job.missed == "skip" or not self._was_missed(row["nominal"]):
                yield self._violation("wrong reason", f"made up for, and was not missed: {row}")
        elif claimed > row["nominal"] + self.job.grace + PROMPT_S:
            yield self._violation("too late", f"claimed at {claimed}, {self.job.grace} s late is in time: {row}")
        elif claimed > self.windows.decided_by(row["nominal"]):
            yield self._violation("too late", f"claimed at {claimed}, and nothing held it up: {row}")

    def _was_missed(self, nominal: int) -> bool:
        """Was nobody there until it was too late for it?"""
        return self.windows.decided_by(nominal) >= nominal + self.job.grace - PROMPT_S / 2

    def _fits(self, row: dict[str, Any], nominal: int) -> bool:
        """Does something that was done at that time explain the reason?"""
        windows, name, reason = self.windows, self.job.name, row["reason"]
        latest = self.windows.decided_by(nominal)
        if self.job.group or self.job.overlap.startswith("queue") or nominal == row["nominal_to"]:
            latest = max(latest, row["decided"] / 1000)  # it may have waited in a queue, and been asked about again
        if reason == "missed":
            return self._was_missed(nominal)
        if reason == "paused":
            return windows.touch(nominal, latest, *PAUSES, target=name)
        if reason == "disabled":
            return windows.touch(nominal, latest, "disable_schedule", target=name)
        if reason == "edited":
            return windows.touch(nominal, latest, "define", target=name)
        if reason == "ledger":
            return self.job.ledger_required and windows.touch(
                nominal - RETRY_S, latest, "lock_history", "delay_scheduler"
            )
        return reason == "overlap" and self._overlaps(nominal, latest)

    def _overlaps(self, nominal: int, latest: float) -> bool:
        """Was another run of it going, or waiting?"""
        if self.job.overlap == "allow":
            return False
        return any(
            run["claimed"] / 1000 <= latest and self._heard_by(run["ended"] or run["claimed"]) >= nominal
            for run in self.runs.values()
        )

    def _heard_by(self, ended: int) -> float:
        """An end is heard a moment later, or after an outage."""
        return self.windows.decided_by(ended / 1000) - PROMPT_S / 2
