"""`sbctl drill`: what has to follow by a policy, and the journal against it. Pure."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_daemon import row

from supervisor.base.clock import iso
from supervisor.cli.drilling import expecting, judging, running
from supervisor.cli.drilling.expecting import HANG, KILL, Subject
from supervisor.cli.drilling.judging import Step
from supervisor.cli.drilling.subject import Others
from supervisor.cli.drilling.view import lines
from supervisor.cli.table import Style
from supervisor.core.verdict import Fail, GiveUp, Rest, RestartAt, RestartNow
from supervisor.model.check import DEGRADE, Check
from supervisor.model.service import Launch, Policy, Restart, Spec

T0 = 1_700_000_000.0
OLD, NEW = 11, 12


def make_spec(policy: Policy | None = None, **more: Any) -> Spec:
    launch = Launch(argv=("x",), cwd="/", log="")
    return Spec(name="web", kind="plugin", launch=launch, policy=policy or Policy(), **more)


def subject(uptime: float = 100.0, *, streak: int = 0, deaths: int = 0, **more: Any) -> Subject:
    watched = {name: more.pop(name) for name in ("alive", "watchdog") if name in more}
    spec = make_spec(policy=Policy(**more), **watched)
    attempts = {"streak": streak, "deaths": deaths}
    return Subject(spec, pid=OLD, uptime=uptime, restarts=0, attempts=attempts, settle=0.3)


@pytest.mark.parametrize(
    ("its", "verdict"),
    [
        (subject(), RestartNow()),
        (subject(1.0), RestartAt(5.0)),
        (subject(1.0, streak=2), RestartAt(20.0)),
        (subject(1.0, streak=4), GiveUp()),
        (subject(100.0, streak=4), RestartNow()),
        (subject(deaths=29), RestartAt(300.0)),
        (subject(restart=Restart.NEVER), Fail("exited, restart never")),
        (subject(restart=Restart.ON_FAILURE), RestartNow()),
        (subject(restart=Restart.ON_FAILURE, exit_signals=(9,)), Rest("finished")),
    ],
)
def test_what_follows_is_what_the_machine_would_decide(its: Subject, verdict: object) -> None:
    assert expecting.follows(its, KILL, its.uptime) == verdict
    assert bool(expecting.objection(its, KILL)) is isinstance(verdict, GiveUp | Fail | Rest)


def test_how_soon_a_hang_must_be_noticed() -> None:
    check = Check(kind="http", shown="x", interval=2.0, timeout=1.0, failures=3, grace=30.0)
    assert expecting.notice_limit(subject(watchdog=5.0)) == 5.0 + expecting.SEEN_S
    assert expecting.notice_limit(subject(100.0, alive=check)) == 2.0 + 3 * 2.0 + 1.0 + expecting.SEEN_S
    assert expecting.notice_limit(subject(20.0, alive=check)) == 10.0 + 9.0 + expecting.SEEN_S
    assert not expecting.is_watched(make_spec())
    check.action = DEGRADE
    assert expecting.only_degrades(subject(alive=check).spec)
    assert not expecting.only_degrades(subject(alive=check, watchdog=5.0).spec)


def event(number: int, after: float, kind: str, **data: Any) -> dict[str, Any]:
    text = f"web: {kind}"
    return {
        "seq": f"1.{number}",
        "at": iso(T0 + after),
        "kind": f"service.{kind}",
        "service": "web",
        "text": text,
        "data": data,
    }


KILLED = {"kind": "signal", "signal": "SIGKILL", "text": "killed by SIGKILL"}


def at_once() -> list[dict[str, Any]]:
    return [
        event(1, 0.01, "exited", pid=OLD, uptime=100.0, cause=KILLED),
        event(2, 0.02, "started", pid=NEW),
        event(3, 0.5, "ready", pid=NEW),
    ]


def judged(its: Subject, events: list[dict[str, Any]], *, drill: str = KILL, now: float = 60.0) -> dict[str, Step]:
    return {step.name: step for step in judging.judge(its, drill, T0, events, T0 + now)}


def results(steps: dict[str, Step]) -> dict[str, bool | None]:
    return {name: step.passed for name, step in steps.items()}


def test_a_restart_at_once() -> None:
    steps = judged(subject(wait_ready=True), at_once())
    assert results(steps) == {"seen": True, "restarted": True, "ready": True, "journal": True}
    assert steps["ready"].after == pytest.approx(0.5, abs=0.01)
    assert steps["journal"].what == "tells it in order: exited, started, ready"


def test_as_long_as_nothing_is_told_nothing_is_decided() -> None:
    assert results(judged(subject(wait_ready=True), [])) == {"seen": None, "restarted": None, "ready": None}
    assert results(judged(subject(wait_ready=True), at_once()[:2])) == {"seen": True, "restarted": True, "ready": None}


def test_events_of_others_and_of_an_earlier_life_do_not_count() -> None:
    other = {**at_once()[0], "service": "db"}
    earlier = event(1, 0.01, "exited", pid=5, uptime=1.0, cause=KILLED)
    assert results(judged(subject(), [other, earlier]))["seen"] is None


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"cause": {"kind": "exit-code", "signal": None, "text": "exit code 1"}}, "seen"),
        ({"cause": {"kind": "out-of-memory", "signal": "SIGKILL", "text": "out of memory"}}, "seen"),
    ],
)
def test_a_death_with_another_cause(change: dict[str, Any], failed: str) -> None:
    events = at_once()
    events[0]["data"].update(change)
    assert results(judged(subject(wait_ready=True), events))[failed] is False


def test_a_death_that_is_seen_too_late() -> None:
    late = [{**each, "at": iso(T0 + 9 + number)} for number, each in enumerate(at_once())]
    assert results(judged(subject(wait_ready=True), late))["seen"] is False


@pytest.mark.parametrize(("gap", "passed"), [(5.0, True), (5.4, True), (1.0, False), (60.0, False)])
def test_a_restart_comes_when_the_policy_says(gap: float, passed: bool) -> None:
    events = [
        event(1, 0.01, "exited", pid=OLD, uptime=1.0, cause=KILLED),
        event(2, 0.01, "backing_off", delay=5.0),
        event(3, 0.01 + gap, "started", pid=NEW),
    ]
    assert results(judged(subject(1.0), events, now=gap + 5))["restarted"] is passed


def test_a_delay_that_no_event_has_told() -> None:
    events = [event(1, 0.01, "exited", pid=OLD, uptime=1.0, cause=KILLED), event(2, 5.01, "started", pid=NEW)]
    steps = judged(subject(1.0), events)
    assert steps["restarted"].passed is False
    assert "no event told of the delay" in steps["restarted"].what


def test_one_that_ends_again_or_is_not_ready_in_time() -> None:
    again = [*at_once()[:2], event(3, 0.4, "exited", pid=NEW, uptime=0.3, cause=KILLED)]
    assert results(judged(subject(), again))["ready"] is False
    slow = [*at_once()[:2], event(3, 90.0, "ready", pid=NEW)]
    assert results(judged(subject(wait_ready=True), slow, now=95))["ready"] is False
    assert results(judged(subject(), at_once()[:2], now=0.1))["ready"] is None
    assert results(judged(subject(), at_once()[:2], now=0.4))["ready"] is True


def test_a_journal_that_is_out_of_order() -> None:
    events = at_once()
    events[2]["seq"] = "1.2"
    assert results(judged(subject(wait_ready=True), events))["journal"] is False


def test_one_that_is_given_up() -> None:
    its = subject(1.0, streak=4)
    events = [event(1, 0.01, "exited", pid=OLD, uptime=1.0, cause=KILLED)]
    assert results(judged(its, events))["stays down"] is None
    events.append(event(2, 0.02, "gave_up"))
    assert results(judged(its, events)) == {"seen": True, "stays down": True, "journal": True}
    events.append(event(3, 0.03, "started", pid=NEW))
    assert results(judged(its, events))["stays down"] is False


def test_a_hang_that_the_watchdog_notices() -> None:
    its = subject(watchdog=3.0, wait_ready=True)
    cause = {"kind": "watchdog", "signal": "SIGTERM", "text": "no sign of life for 3 s"}
    events = [event(1, 3.1, "watchdog"), event(2, 3.2, "exited", pid=OLD, uptime=103.0, cause=cause)]
    events += [event(3, 3.3, "started", pid=NEW), event(4, 3.4, "ready", pid=NEW)]
    expected = {"noticed": True, "ended": True, "restarted": True, "ready": True, "journal": True}
    assert results(judged(its, events, drill=HANG)) == expected
    assert results(judged(its, events[1:], drill=HANG))["noticed"] is None
    late = [event(1, 9.0, "watchdog"), *events[1:]]
    assert results(judged(its, late, drill=HANG))["noticed"] is False


def test_a_hang_that_is_only_shown() -> None:
    check = Check(kind="http", shown="x", interval=1.0, timeout=1.0, failures=1, action=DEGRADE)
    its = subject(alive=check)
    assert results(judged(its, [event(1, 1.0, "degraded")], drill=HANG)) == {"noticed": True}


def test_the_verdict_for_people() -> None:
    steps = [
        Step("seen", "killed by SIGKILL", passed=True, after=0.002),
        Step("ready", "not after 1.0 s", passed=False, after=1.0),
        Step("others", "", passed=None),
    ]
    facts = {"drill": "kill", "name": "web", "passed": False, "at": "2026-01-01T00:00:00Z", "took_s": 1.02}
    told = lines({**facts, "steps": [step.as_dict() for step in steps]}, "sbctl why web", Style(utf8=False))
    assert told == [
        "drill kill web: fail in 1.0 s, 2026-01-01T00:00:00Z",
        "  ok seen    2 ms  killed by SIGKILL",
        "  XX ready    1 s  not after 1.0 s",
        "  ~~ others        not reached",
        "next: sbctl why web",
    ]


def test_a_critical_one_that_would_not_come_back_takes_everything_along() -> None:
    fatal, safe = subject(1.0, streak=4), subject()
    for its in (fatal, safe):
        its.spec.critical = True
    assert expecting.is_fatal(fatal, KILL)
    assert "EVERYTHING will be stopped" in running.question(fatal, KILL)
    assert not expecting.is_fatal(safe, KILL)
    assert "EVERYTHING" not in running.question(safe, KILL)
    assert not expecting.is_fatal(subject(1.0, streak=4), KILL)


def test_only_a_count_can_be_begun_anew() -> None:
    assert expecting.how_to_allow(subject(1.0, streak=4), KILL).startswith("sbctl restart web")
    assert "restart" not in expecting.how_to_allow(subject(restart=Restart.NEVER), KILL)


def test_a_hang_that_nobody_notices_in_time_has_failed() -> None:
    its = subject(watchdog=3.0)
    limit = expecting.notice_limit(its)
    steps = list(judged(its, [], drill=HANG).values())
    judging.overdue(steps, limit - 0.1)
    assert steps[0].passed is None
    judging.overdue(steps, limit + 0.1)
    assert (steps[0].name, steps[0].passed) == ("noticed", False)
    assert steps[0].what.startswith("not within ")


def test_a_neighbour_that_dies_by_itself_is_not_compared() -> None:
    flaps, once = row("flaps", restarts=7, uptime_s=3.0), row("once", restarts=1, uptime_s=3.0)
    steady = row("steady", restarts=7, uptime_s=300.0)
    before = Others([flaps, once, steady], set())
    assert (sorted(before.seen), before.restless) == (["once", "steady"], ["flaps"])
    now = [row("flaps", restarts=8, pid=1), {**once, "restarts": 2}, {**steady, "uptime_s": 303.0}]
    assert before.changed(Others(now, set())) == ["once"]
