"""The checker of the soak finds each kind of violation in a history that was made up, and none in a clean one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.soak import chronicle, made_up
from support.soak.collect import lines_of
from support.soak.evidence import NEVER, Definition, Evidence, Job, Rule, Sample
from support.soak.made_up import BEGAN, CALM_FROM, EVERY, FIRST, FIRST_LIFE, SECOND_LIFE, UNTIL, clean, fault, skipped
from support.soak.verdict import judge
from support.soak.windows import Windows

MIDDLE = FIRST + 10 * EVERY
Spoil = Callable[[Evidence], object]


def of_second(number: int) -> bytes:
    return made_up.line(SECOND_LIFE, number)


def rules(evidence: Evidence) -> set[str]:
    return {each.rule for each in judge(evidence).violations}


def change_run(evidence: Evidence, **fields: object) -> None:
    next(each for each in evidence.runs if each["nominal"] == MIDDLE).update(fields)


def change_slot(evidence: Evidence, **fields: object) -> None:
    next(each for each in evidence.slots if each["nominal"] == MIDDLE).update(fields)


def change_execution(evidence: Evidence, **fields: Any) -> None:
    place = next(n for n, each in enumerate(evidence.executions) if each.nominal == MIDDLE)
    evidence.executions[place] = evidence.executions[place]._replace(**fields)


def change_lines(evidence: Evidence, change: Callable[[list[bytes]], object]) -> None:
    lines = list(evidence.lines["web", "server.log"])
    change(lines)
    evidence.lines["web", "server.log"] = lines


def weigh(evidence: Evidence, scheduler: Callable[[float], tuple[int, int]]) -> None:
    """What a look at the scheduler shows, by the seconds since the calm phase began."""
    evidence.samples = [
        each._replace(memory={"start": (1, 8000), "scheduler": scheduler(each.at - CALM_FROM)})
        for each in evidence.samples
    ]


def leak(evidence: Evidence) -> None:
    """20 KiB a second, in one process that nobody replaces."""
    weigh(evidence, lambda at: (2, 12000 + int(20 * (at + 400))))


def leak_of_the_young(evidence: Evidence) -> None:
    """100 KiB a second, and nobody lives for more than ten seconds: nobody ever gets heavy."""
    weigh(evidence, lambda at: (int(at + 400) // 10, 12000 + int(100 * ((at + 400) % 10))))


def end_as(state: str, exit_code: int | None = None) -> Spoil:
    def spoil(evidence: Evidence) -> None:
        change_run(evidence, state=state, exit_code=exit_code)
        evidence.events = [each for each in evidence.events if each["data"].get("run") != f"job-{MIDDLE}"]
        evidence.events.append(made_up.told(f"job-{MIDDLE}", state))

    return spoil


def twice(evidence: Evidence) -> None:
    """Another run of the same slot."""
    evidence.executions.append(made_up.execution("job", MIDDLE, run="other"))
    evidence.runs.append({**made_up.run_of("job", MIDDLE), "id": "other", "nominal": None, "trigger": "manual"})
    evidence.steps.append(made_up.step("job", MIDDLE, run="other"))
    evidence.events.append(made_up.told("other"))


def in_spite_of(kind: str, target: str) -> Spoil:
    return lambda e: fault(e, kind, target, MIDDLE - 5, MIDDLE + 5)


SPOILT: dict[str, tuple[str, Spoil]] = {
    # slots
    "no row of a slot": ("lost slot", lambda e: e.slots.pop(10)),
    "two rows hold a slot": (
        "double slot", lambda e: e.slots.append(made_up.row("job", MIDDLE - EVERY, nominal_to=MIDDLE))
    ),
    "a row where no slot is": ("phantom slot", lambda e: e.slots.append(made_up.row("job", MIDDLE + 3))),
    "a row of nobody": ("unknown schedule", lambda e: e.slots.append(made_up.row("who", MIDDLE))),
    "a stretch that counts wrong": ("wrong count", lambda e: change_slot(e, count=2)),
    "a claim that stays one": ("open slot", lambda e: change_slot(e, outcome="claimed")),
    "a slot whose run is not there": ("no run", lambda e: made_up.drop_run(e, MIDDLE)),
    "a slot with the run of another": ("wrong run", lambda e: change_run(e, nominal=MIDDLE - EVERY)),
    "claimed before its time": ("too early", lambda e: change_run(e, claimed=MIDDLE * 1000 - 500)),
    "late for no reason": ("too late", lambda e: change_run(e, claimed=MIDDLE * 1000 + 3500)),
    "so late that it was missed": ("too late", lambda e: change_run(e, claimed=MIDDLE * 1000 + 9000)),
    "missed while all ran": ("wrong reason", lambda e: skipped(e, MIDDLE, "missed")),
    "made up for while all ran": ("wrong reason", lambda e: change_run(e, trigger="catch_up")),
    "paused without a pause": ("wrong reason", lambda e: skipped(e, MIDDLE, "paused")),
    "disabled by nobody": ("wrong reason", lambda e: skipped(e, MIDDLE, "disabled")),
    "overlap with nothing": ("wrong reason", lambda e: skipped(e, MIDDLE, "overlap")),
    "edited by nobody": ("wrong reason", lambda e: skipped(e, MIDDLE, "edited")),
    "a reason that can't be": ("wrong reason", lambda e: skipped(e, MIDDLE, "blackout")),
    # runs
    "a slot that ran as two runs": ("double slot", twice),
    "a step that ran twice": ("double step", lambda e: e.executions.append(made_up.execution("job", MIDDLE))),
    "something ran, and there is no row": (
        "no row", lambda e: e.executions.append(made_up.execution("job", 7, run="x"))
    ),
    "a step ran that has no row": ("no row", lambda e: e.steps.pop(10)),
    "a promised run is not there": (
        "no row", lambda e: fault(e, "run_by_hand", "job", BEGAN + 5, BEGAN + 6, run="lost")
    ),
    "it began before its time": ("too early", lambda e: change_execution(e, began=MIDDLE - 1.0)),
    "a run that never ends": ("endless run", lambda e: change_run(e, state="running", ended=None)),
    "a step that never ends": ("endless step", lambda e: e.steps[10].update(state="running")),
    "succeeded, and never ran": ("wrong state", lambda e: e.executions.pop(10)),
    "succeeded, and its step did not": ("wrong state", lambda e: change_execution(e, code=1)),
    "succeeded, and its step never ended": ("wrong state", lambda e: change_execution(e, code=None, ended=None)),
    "failed, and its step did not": ("wrong code", end_as("failed", 0)),
    "timed out without a limit": ("wrong state", end_as("timed_out")),
    "cancelled by nobody": ("wrong state", end_as("cancelled")),
    "interrupted by nothing": ("wrong state", end_as("interrupted")),
    "lost, and all lived": ("wrong state", end_as("lost")),
    "rejected": ("wrong state", end_as("rejected")),
    "an end that is not told": ("wrong events", lambda e: e.events.pop()),
    "an end that is told twice": ("wrong events", lambda e: e.events.append(e.events[-1])),
    "an end of no run": ("wrong events", lambda e: e.events.append(made_up.told("who-1"))),
    "began in a pause": ("not held", in_spite_of("pause", "job")),
    "began while all was paused": ("not held", in_spite_of("pause_all", "")),
    "began while it was disabled": ("not held", in_spite_of("disable_schedule", "job")),
    # services
    "two of a service, by their own account": (
        "two at once", lambda e: e.lives.insert(1, SECOND_LIFE._replace(pid=12, began=BEGAN + 200, last=BEGAN + 290))
    ),
    "two of a service, seen": (
        "two at once", lambda e: e.samples.append(Sample(BEGAN + 100, {"web": (FIRST_LIFE.name, "12-7")}, {}))
    ),
    "an end that nobody tells": ("lost exit", lambda e: e.events.pop(0)),
    "an end with two events": ("double exit", lambda e: e.events.append(made_up.exited("web", 10, 3))),
    "an end with the code of another": ("wrong exit", lambda e: e.events[0]["data"]["cause"].update(code=4)),
    "killed, and nobody did it": (
        "wrong exit", lambda e: e.events[0]["data"]["cause"].update(code=None, signal="SIGKILL")
    ),
    "an end of a pid that never was": ("wrong exit", lambda e: e.events.append(made_up.exited("web", 99))),
    "asked to end by nobody": ("stopped", lambda e: e.events[0]["data"]["cause"].update(kind="stopped")),
    "began while it was stopped": ("not held", lambda e: fault(e, "stop_service", "web", BEGAN + 290, BEGAN + 310)),
    "began while it was disabled, too": (
        "not held", lambda e: fault(e, "disable_service", "web", BEGAN + 290, BEGAN + 310)
    ),
    "down at the end": ("not up", lambda e: e.down.update(web="failed")),
    # lines
    "a line is missing": ("missing line", lambda e: change_lines(e, lambda lines: lines.pop(20))),
    "the last line is missing": ("missing line", lambda e: change_lines(e, lambda lines: lines.pop())),
    "a whole life is missing": (
        "missing line", lambda e: change_lines(e, lambda lines: lines.__delitem__(slice(52, None)))
    ),
    "a line is there twice": ("double line", lambda e: change_lines(e, lambda lines: lines.insert(20, lines[20]))),
    "two lines in the wrong order": (
        "double line", lambda e: change_lines(e, lambda lines: lines.insert(20, lines.pop(21)))
    ),
    "half a line": ("torn line", lambda e: change_lines(e, lambda lines: lines.insert(20, b"00012 ...."))),
    "lines of another service": (
        "stray line", lambda e: change_lines(e, lambda lines: lines.append(b"#9-9 o 0000000001 ."))
    ),
    "more lines than were written": (
        "stray line", lambda e: change_lines(e, lambda lines: lines.extend([of_second(41), of_second(42)]))
    ),
    # the whole
    "a process was left": ("orphan", lambda e: e.left.append("7 sleep")),
    "a daemon has printed a traceback": ("traceback", lambda e: e.tracebacks.append("scheduler.out: Traceback ...")),
    "a daemon leaks": ("growth", leak),
    "nobody lived long enough to show a leak": ("growth", leak_of_the_young),
    "a daemon was replaced in the middle of the calm": (
        "growth", lambda e: weigh(e, lambda at: (2 if at < 100 else 3, 12000))
    ),
    "a daemon was replaced in the warm-up": (
        "growth", lambda e: weigh(e, lambda at: (2 if at < 30 else 3, 12000))
    ),
    "a long soak without calm": ("growth", lambda e: e.faults.clear()),
    "a calm that began too late": ("growth", lambda e: e.faults.__setitem__(0, e.faults[0]._replace(begin=UNTIL - 50))),
    "nobody has looked at the memory": ("growth", lambda e: e.samples.clear()),
}  # fmt: skip


def test_a_clean_history_passes() -> None:
    verdict = judge(clean())

    assert verdict.violations == []
    assert verdict.counts["slots that had to have a row"] == 29
    assert verdict.counts["lines of services"] == 90
    assert "VERDICT: all is well" in verdict.text()


@pytest.mark.parametrize(("rule", "spoil"), SPOILT.values(), ids=SPOILT.keys())
def test_each_violation_is_found(rule: str, spoil: Spoil) -> None:
    evidence = clean()
    spoil(evidence)

    assert rule in rules(evidence), judge(evidence).text()


# what a fault explains is no violation


def test_what_was_missed_is_explained_by_an_outage_that_was_long_enough() -> None:
    evidence = clean()
    skipped(evidence, MIDDLE, "missed", decided=MIDDLE * 1000 + 9000)
    fault(evidence, "kill_start", "", MIDDLE - 1, MIDDLE + 9)
    assert rules(evidence) == set()

    evidence.faults[-1] = evidence.faults[-1]._replace(end=MIDDLE + 0.5)
    assert rules(evidence) == {"wrong reason"}


def test_outages_that_follow_each_other_are_one() -> None:
    evidence = clean()
    for begin, end in ((10.0, 13.0), (14.0, 16.0), (19.0, 20.0)):
        fault(evidence, "kill_scheduler", "", begin, end)
    windows = Windows(evidence.faults)

    assert windows.decided_by(5.0) == 7.0
    assert windows.decided_by(10.0) == 18.0  # two seconds after the second, and before the third
    assert windows.decided_by(12.0) == 18.0


def test_late_after_an_outage() -> None:
    evidence = clean()
    change_run(evidence, claimed=MIDDLE * 1000 + 3500)
    fault(evidence, "freeze_scheduler", "", MIDDLE - 1, MIDDLE + 3)

    assert rules(evidence) == set()


@pytest.mark.parametrize(
    ("reason", "kind", "target"),
    [
        ("paused", "pause", "job"),
        ("paused", "pause_all", ""),
        ("disabled", "disable_schedule", "job"),
        ("edited", "define", "job"),
    ],
)
def test_held_by_what_was_done(reason: str, kind: str, target: str) -> None:
    evidence = clean()
    skipped(evidence, MIDDLE, reason)
    fault(evidence, kind, target, MIDDLE - 3, MIDDLE + 3)
    assert rules(evidence) == set()

    evidence.faults[-1] = evidence.faults[-1]._replace(target="another")
    assert rules(evidence) == {"wrong reason"}


def test_a_stretch_is_as_good_as_each_slot_in_it() -> None:
    evidence = clean()
    for nominal in (MIDDLE, MIDDLE + EVERY, MIDDLE + 2 * EVERY):
        skipped(evidence, nominal, "paused")
        evidence.slots = [each for each in evidence.slots if each["nominal"] != nominal]
    last = MIDDLE + 2 * EVERY
    stretch = {"outcome": "skipped", "reason": "paused", "run": None, "nominal_to": last, "count": 3}
    evidence.slots.append(made_up.row("job", MIDDLE, **stretch, decided=last * 1000 + 5))
    fault(evidence, "pause", "job", MIDDLE - 1, last + 1)
    assert rules(evidence) == set()

    evidence.faults[-1] = evidence.faults[-1]._replace(begin=MIDDLE + EVERY - 1)
    assert rules(evidence) == {"wrong reason"}


def test_what_waits_to_be_done_again_is_let_go_when_its_schedule_is_disabled() -> None:
    evidence = clean()
    its = {"id": "again", "nominal": None, "trigger": "rerun", "state": "cancelled", "started": None}
    evidence.runs.append({**made_up.run_of("job", MIDDLE), **its})
    evidence.events.append(made_up.told("again", "cancelled"))
    assert rules(evidence) == {"wrong state"}

    fault(evidence, "disable_schedule", "job", MIDDLE + 0.5, MIDDLE + 0.7)
    assert rules(evidence) == set()

    evidence.runs[-1]["trigger"] = "schedule"
    assert "wrong state" in rules(evidence)


def test_the_second_of_two_ends_within_one_second_has_a_second_to_come() -> None:
    evidence = clean()
    slot = next(each for each in evidence.slots if each["nominal"] == MIDDLE)
    change_run(evidence, claimed=MIDDLE * 1000 - 780)
    assert "too early" in rules(evidence)

    slot.update(note="after run r1", due=MIDDLE * 1000 - 781)
    assert "too early" not in rules(evidence)

    slot.update(due=MIDDLE * 1000)
    assert "too early" in rules(evidence)


def test_a_lock_is_noticed_to_be_gone_at_the_next_try() -> None:
    evidence = clean()
    evidence.jobs["job"] = evidence.jobs["job"]._replace(ledger_required=True)
    skipped(evidence, MIDDLE, "ledger", decided=MIDDLE * 1000 + 2050)
    fault(evidence, "lock_history", "", MIDDLE - 10, MIDDLE - 4)
    assert rules(evidence) == set()

    evidence.faults[-1] = evidence.faults[-1]._replace(end=MIDDLE - 6.0)
    assert rules(evidence) == {"wrong reason"}


def test_overlap_with_a_run_that_went_on() -> None:
    evidence = clean()
    skipped(evidence, MIDDLE, "overlap")
    evidence.runs[9].update(ended=(MIDDLE + 1) * 1000)
    assert rules(evidence) == set()

    evidence.jobs["job"] = evidence.jobs["job"]._replace(overlap="allow")
    assert rules(evidence) == {"wrong reason"}


def test_another_rule_from_then_on() -> None:
    evidence = clean()
    now = MIDDLE + 1.0
    first = Definition(Rule(every=EVERY), BEGAN, BEGAN + 1, now, now + 1)
    second = Definition(Rule(every=40), now, now + 1)
    evidence.jobs["job"] = evidence.jobs["job"]._replace(definitions=(first, second))
    wrong = [each for each in evidence.slots if each["nominal"] > now and (each["nominal"] - FIRST) % 40]
    assert rules(evidence) == {"phantom slot", "wrong count"}

    for each in wrong:
        made_up.drop_run(evidence, each["nominal"])
        evidence.slots.remove(each)
    assert rules(evidence) == set()


def test_who_follows_has_a_slot_for_each_success() -> None:
    evidence = clean()
    evidence.jobs["next"] = Job("next", (Definition(Rule(after="job"), BEGAN, BEGAN + 1),))
    for nominal in range(FIRST, int(UNTIL) + 1, EVERY):
        made_up.add_run(evidence, nominal, "next")
    assert rules(evidence) == set()

    evidence.slots = [each for each in evidence.slots if (each["schedule"], each["nominal"]) != ("next", MIDDLE)]
    evidence.slots.append(made_up.row("next", MIDDLE + 3, run=f"next-{MIDDLE}"))
    assert {"lost slot", "phantom slot"} <= rules(evidence)


def test_a_pipe_that_died_with_both_daemons_may_have_had_a_rest_in_it() -> None:
    evidence = clean()
    change_lines(evidence, lambda lines: lines.__delitem__(slice(-3, None)))
    evidence.events.pop(1)
    fault(evidence, "kill_both", "", SECOND_LIFE.last - 0.5, SECOND_LIFE.last + 2)
    assert rules(evidence) == set()

    change_lines(evidence, lambda lines: lines.__delitem__(-3))  # a gap is no rest
    assert rules(evidence) == {"missing line"}


def test_a_full_disk_takes_lines_of_whose_disk_it_is() -> None:
    evidence = clean()
    change_lines(evidence, lambda lines: lines.__delitem__(slice(20, 30)))
    fault(evidence, "fill_disk", "web", BEGAN + 100, BEGAN + 110)
    assert rules(evidence) == set()

    evidence.faults[-1] = evidence.faults[-1]._replace(target="another")
    assert rules(evidence) == {"missing line"}


def test_killed_by_us() -> None:
    evidence = clean()
    evidence.lives[0] = FIRST_LIFE._replace(code=None)
    evidence.events[0] = made_up.exited("web", 10, None, "SIGKILL")
    fault(evidence, "kill_server", "web", BEGAN + 299, BEGAN + 300, pid=10)

    assert rules(evidence) == set()


def test_stopped_by_us() -> None:
    evidence = clean()
    evidence.events[0]["data"]["cause"]["kind"] = "stopped"
    fault(evidence, "restart_service", "another", BEGAN + 299, BEGAN + 301)  # which it needs

    assert rules(evidence) == set()


def test_stopped_because_what_it_needs_has_ended() -> None:
    evidence = clean()
    evidence.events[0]["data"]["cause"]["kind"] = "stopped"
    evidence.events.append({"kind": "service.held", "service": "web", "data": {"pid": 10}})

    assert rules(evidence) == set()


def test_a_pid_that_comes_again_is_another_process() -> None:
    evidence = clean()
    evidence.lives[1] = SECOND_LIFE._replace(pid=FIRST_LIFE.pid)
    evidence.events[1]["data"]["pid"] = FIRST_LIFE.pid
    lines = list(evidence.lines["web", "server.log"])
    evidence.lines["web", "server.log"] = [line.replace(b"#11-", b"#10-") for line in lines]
    assert rules(evidence) == set()

    evidence.events[1]["data"]["key"] = FIRST_LIFE.key
    assert rules(evidence) == {"double exit", "lost exit"}


def test_a_short_soak_says_nothing_about_memory() -> None:
    evidence = clean()
    leak(evidence)
    evidence.faults.clear()
    evidence.began = UNTIL - 200

    assert "growth" not in rules(evidence)


def test_other_processes_before_the_calm_and_a_warm_up_in_it_are_no_leak() -> None:
    evidence = clean()
    weigh(evidence, lambda at: (int(at + 400) // 10, 3000) if at < 5 else (90, 8000 + int(100 * min(at, 40.0))))
    verdict = judge(evidence)

    assert verdict.violations == []
    assert [(each.role, each.pid, each.lived) for each in verdict.growth] == [("start", 1, 195), ("scheduler", 90, 190)]
    assert "scheduler  pid      90,  190 s, KiB by fifths" in verdict.text()


def test_a_leak_is_seen_beside_others_that_have_none() -> None:
    """A heavy predecessor in the first fifth of the calm hides nothing."""
    evidence = clean()
    weigh(evidence, lambda at: (7, 60000) if at < 10 else (90, 8000 + int(100 * at)))

    (violation,) = judge(evidence).violations
    assert (violation.rule, violation.who) == ("growth", "scheduler")
    assert "pid      90" in violation.text


def test_rules_are_reckoned_without_the_product() -> None:
    assert Rule(every=7).times(100, 121, anchor=3) == [101, 108, 115]
    assert Rule(every=7).times(0, 12, anchor=3) == [3, 10]
    assert Rule(seconds=(0, 30)).times(59.5, 150, anchor=0) == [60, 90, 120, 150]
    assert Rule(minutes=("00:02", "00:05")).times(86400, 86400 + 301, anchor=0) == [86400 + 120, 86400 + 300]


# what the evidence is read from


def test_the_history_of_faults_is_read_back(tmp_path: Path) -> None:
    history = chronicle.Chronicle(tmp_path / "faults")
    with history.act("kill_server", "web", pid=7) as more:
        more["seen"] = True
    pause = history.begin("pause", "job")
    pause.settled()
    history.begin("lock_history")
    history.close()

    kill, paused, lock = chronicle.read(tmp_path / "faults")
    assert (kill.kind, kill.target, kill.data) == ("kill_server", "web", {"pid": 7, "seen": True})
    assert kill.begin <= kill.end < NEVER
    assert paused.begin <= paused.settled < paused.lift == paused.end == NEVER
    assert Windows([paused]).surely(paused.settled + 1, "pause", target="job") == paused
    assert Windows([lock]).surely(lock.begin + 1, "lock_history", target="") is None  # it may not have been taken yet
    assert Windows([lock]).touch(lock.begin + 1, lock.begin + 2, "lock_history")
    assert len([json.loads(line) for line in (tmp_path / "faults").read_text().splitlines()]) == 5


def test_lines_go_on_over_the_ends_of_files(tmp_path: Path) -> None:
    import gzip

    (tmp_path / "server.log.10.gz").write_bytes(gzip.compress(b"one\ntw"))
    (tmp_path / "server.log.2").write_bytes(b"o\n")
    (tmp_path / "server.log.2.idx").write_bytes(b"no lines\n")
    (tmp_path / "server.log.1").write_bytes(b"three\n")
    (tmp_path / "server.log").write_bytes(b"four\nfi")

    assert list(lines_of(tmp_path / "server.log")) == [b"one", b"two", b"three", b"four", b"fi"]
