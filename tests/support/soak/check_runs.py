"""No slot ran twice, nothing ran without a row, nothing runs for ever, and each end is the one that its steps had.

What ran is asked of the steps themselves, which have left a line at their beginning and at their end.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from .evidence import Evidence, Execution, Job, Violation
from .windows import DEATHS_OF_START, ENDS_OF_THE_TREE, PROMPT_S, Windows

ENDED = ("succeeded", "failed", "rejected", "cancelled", "timed_out", "lost", "interrupted")
OF_A_SLOT = ("schedule", "catch_up", "after")
PAUSES = ("pause", "pause_all", "disable_schedule")


def check_runs(evidence: Evidence) -> Iterator[Violation]:
    judge = _Judge(evidence)
    yield from judge.check_executions()
    for run in evidence.runs:
        yield from judge.check_run(run)
    yield from judge.check_steps()
    yield from judge.check_events()
    yield from judge.check_promises()


class _Judge:
    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.windows = Windows(evidence.faults)
        self.runs = {str(run["id"]): run for run in evidence.runs}
        self.ran: dict[str, list[Execution]] = defaultdict(list)
        for execution in evidence.executions:
            self.ran[execution.run].append(execution)

    # what ran

    def check_executions(self) -> Iterator[Violation]:
        twice = Counter((each.run, each.step, each.attempt) for each in self.evidence.executions)
        for (run, step, attempt), count in twice.items():
            if count > 1:
                yield Violation("double step", run, f"{step}, try {attempt}, ran {count} times")
        of_slot: dict[tuple[str, int], set[str]] = defaultdict(set)
        for each in self.evidence.executions:
            if each.run not in self.runs:
                yield Violation("no row", each.schedule, f"{each} ran, and there is no row of its run")
            if each.nominal is not None and each.trigger in OF_A_SLOT:
                of_slot[each.schedule, each.nominal].add(each.run)
            if each.nominal is not None and each.trigger != "after" and each.began < each.nominal - 0.05:
                yield Violation("too early", each.schedule, f"{each} began before its time")
        for (schedule, nominal), runs in of_slot.items():
            if len(runs) > 1:
                yield Violation("double slot", schedule, f"the slot of {nominal} ran as {', '.join(sorted(runs))}")

    # one run

    def check_run(self, run: dict[str, Any]) -> Iterator[Violation]:
        state, job = run["state"], self.evidence.jobs.get(run["schedule"])
        if job is None:
            yield _of(run, "unknown schedule", "nobody knows its schedule")
            return
        if state not in ENDED:
            yield _of(run, "endless run", f"it is {state} after the end of all")
            return
        if run["trigger"] in OF_A_SLOT:
            yield from self._check_pauses(run, job)
        check = getattr(self, f"_check_{state}", None)
        if check is None:
            yield _of(run, "wrong state", f"nothing here ends as {state}")
        else:
            yield from check(run, job)

    def _check_pauses(self, run: dict[str, Any], job: Job) -> Iterator[Violation]:
        """Asked just before the claim, or before its beginning where it has waited."""
        if not run["started"]:
            return
        claimed, started = run["claimed"] / 1000, run["started"] / 1000
        asked = claimed if started < claimed + 2 * PROMPT_S else started
        pause = self.windows.surely(asked - 0.01, *PAUSES, target=job.name)
        if pause is not None:
            yield _of(run, "not held", f"it was let begin at {asked} in spite of {pause}")

    def _check_succeeded(self, run: dict[str, Any], _job: Job) -> Iterator[Violation]:
        last = {each.step: each for each in sorted(self.ran[run["id"]], key=lambda each: each.attempt)}
        for step in json.loads(run["steps"]):
            if step not in last or last[step].code != 0:
                yield _of(run, "wrong state", f"succeeded, and its {step} says {last.get(step)}")
        if run["exit_code"] != 0:
            yield _of(run, "wrong code", f"succeeded with {run['exit_code']}")

    def _check_failed(self, run: dict[str, Any], _job: Job) -> Iterator[Violation]:
        ran = sorted(self.ran[run["id"]], key=lambda each: each.began)
        if not ran:
            yield _of(run, "wrong state", f"failed, and nothing of it ever ran: {run['cause']}")
            return
        last = ran[-1]
        if last.code is None:
            killed = any(str(last.pid) == fault.target for fault in self.windows.of("kill_step"))
            if not killed or run["signal"] != "SIGKILL":
                yield _of(run, "wrong state", f"failed ({run['cause']}), and nobody ended its {last}")
        elif last.code == 0 or last.code != run["exit_code"]:
            yield _of(run, "wrong code", f"failed with {run['exit_code']}, and its step says {last}")

    def _check_timed_out(self, run: dict[str, Any], job: Job) -> Iterator[Violation]:
        took = ((run["ended"] or 0) - (run["started"] or 0)) / 1000
        if not job.time_limit or took < job.time_limit - 0.05:
            yield _of(run, "wrong state", f"timed out after {took} s, its limit is {job.time_limit}")

    def _check_cancelled(self, run: dict[str, Any], job: Job) -> Iterator[Violation]:
        by_us = any(run["id"] == fault.target for fault in self.windows.of("cancel"))
        by_next = job.overlap in ("cancelOther", "killOther")
        # What was asked for by hand and had not begun is not begun by the next scheduler.
        never_began = not self.ran[run["id"]] and run["trigger"] == "manual"
        if not (by_us or by_next or never_began or self._was_let_go(run)):
            yield _of(run, "wrong state", f"cancelled ({run['cause']}), and nobody did it")

    def _was_let_go(self, run: dict[str, Any]) -> bool:
        """One that waited and takes no slot, when something was done to its schedule."""
        waited = run["claimed"] / 1000, run["ended"] / 1000
        is_of_no_slot = run["trigger"] == "rerun" and not self.ran[run["id"]]
        return is_of_no_slot and self.windows.touch(*waited, *PAUSES, "define", target=run["schedule"])

    def _check_interrupted(self, run: dict[str, Any], _job: Job) -> Iterator[Violation]:
        if not self.windows.touch(_began(run), run["ended"] / 1000, *ENDS_OF_THE_TREE):
            yield _of(run, "wrong state", "interrupted, and nothing was stopped")

    def _check_lost(self, run: dict[str, Any], _job: Job) -> Iterator[Violation]:
        if not self.windows.touch(_began(run), run["ended"] / 1000, *DEATHS_OF_START):
            yield _of(run, "wrong state", "lost, and `start` did not die")

    # its steps and its events

    def check_steps(self) -> Iterator[Violation]:
        rows: dict[tuple[str, str, int], int] = Counter()
        for row in self.evidence.steps:
            rows[row["run"], row["name"], row["attempt"]] += 1
            run = self.runs.get(row["run"])
            if run is None:
                yield Violation("no row", row["run"], f"a step without a run: {row}")
            elif row["state"] == "running" and run["state"] != "lost":
                yield _of(run, "endless step", f"{row['name']} is running after the end of all")
        for each in self.evidence.executions:
            # Of a lost one nobody is left who could write what was not on the disk yet.
            if not rows[each.run, each.step, each.attempt] and self._state(each.run) not in ("", "lost"):
                yield Violation("no row", each.run, f"a step ran that has no row: {each}")

    def _state(self, run: str) -> str:
        return str(self.runs[run]["state"]) if run in self.runs else ""

    def check_events(self) -> Iterator[Violation]:
        told: dict[str, list[str]] = defaultdict(list)
        for event in self.evidence.events:
            kind = event["kind"].removeprefix("run.")
            if event["kind"].startswith("run.") and kind in ENDED:
                told[event["data"]["run"]].append(kind)
        for run in self.evidence.runs:
            states = told.pop(run["id"], [])
            never_began = not run["started"]  # nobody was told that it was to be
            if states != [run["state"]] and not (never_began and not states):
                yield _of(run, "wrong events", f"its state is {run['state']}, and it was told as {states}")
        for name, states in told.items():
            yield Violation("wrong events", name, f"told as {states}, and there is no such run")

    def check_promises(self) -> Iterator[Violation]:
        """What somebody asked for and got the number of is in the history."""
        for fault in self.windows.of("run_by_hand"):
            run = fault.data.get("run")
            if run and run not in self.runs:
                yield Violation("no row", fault.target, f"run {run} was promised, and there is no row of it")


def _began(run: dict[str, Any]) -> float:
    return float(run["started"] or run["claimed"]) / 1000


def _of(run: dict[str, Any], rule: str, text: str) -> Violation:
    return Violation(rule, f"{run['schedule']}, run {run['id']}", text)
