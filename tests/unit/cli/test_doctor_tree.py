"""`sbctl doctor` about the tree: pure verdicts over facts."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_daemon import row

from supervisor.base.errors import NOT_RUNNING, TIMED_OUT, Problem
from supervisor.cli.doctor import safety, services, tree
from supervisor.cli.doctor.check import OK, PROBLEM, WARNING
from supervisor.cli.doctor.exam import Heard
from supervisor.cli.doctor.tree import LockFacts


def facts(**changes: Any) -> LockFacts:
    found = LockFacts()
    for name, value in {"holder": 7, "age": 90.0, "answers": True, "pid": 7, **changes}.items():
        setattr(found, name, value)
    return found


def heard(code: int = 0, **changes: Any) -> Heard:
    found = Heard()
    found.problem = Problem("no", code=code) if code else None
    for name, value in changes.items():
        setattr(found, name, value)
    return found


@pytest.mark.parametrize(
    ("changes", "level", "says", "next"),
    [
        ({}, OK, "held by start, pid 7, for 1m 30s", ""),
        ({"kind": "scheduler"}, OK, "alone: if it is killed, nobody keeps its services", ""),
        ({"holder": None, "answers": False, "pid": None}, OK, "nobody holds it: sbctl is stopped", ""),
        ({"pid": 8}, PROBLEM, "pid 7 holds it, but pid 8 answers", "ps -o pid,ppid,lstart,args -p 7,8"),
        ({"answers": False, "hangs": True}, PROBLEM, "(pid 7) holds it and does not answer", "kill -KILL 7"),
        ({"answers": False, "hangs": True, "suspended": True}, PROBLEM, "is suspended", "kill -CONT 7"),
        ({"answers": False}, PROBLEM, "nothing listens in logs/run", "sbctl stop ends it; then: sbctl start"),
        ({"answers": False, "age": 1.0}, WARNING, "has just taken it", "sbctl status"),
        ({"holder": None}, PROBLEM, "runs without it: the lock file was removed", "sbctl restart"),
        (
            {"holder": None, "answers": False, "lost": 5},
            PROBLEM,
            "start (pid 5) runs, but its lock is gone",
            "sbctl stop",
        ),
        (
            {"holder": None, "answers": False, "lost": 5, "suspended": True},
            PROBLEM,
            "(suspended)",
            "kill -CONT 5; sbct",
        ),
        ({"holder": None, "answers": False, "lost": 5, "age": 1.0}, WARNING, "has just begun", "sbctl status"),
        ({"holder": None, "answers": False, "foreign": 1}, PROBLEM, "not sbctl's: pid 1", "ps -o pid,user,args -p 1"),
    ],
)
def test_who_holds_the_lock(changes: dict[str, Any], level: str, says: str, next: str) -> None:
    check = tree.judge_lock(facts(**changes), "/h/logs/run/start.lock")
    assert (check.level, check.where) == (level, "/h/logs/run/start.lock")
    assert says in check.what
    assert check.next.startswith(next)
    assert bool(check.why) is (level == PROBLEM)


@pytest.mark.parametrize(
    ("its_row", "code", "suspended", "level", "says", "next"),
    [
        (None, 0, False, OK, "answers in", ""),
        (row("scheduler", pid=9), TIMED_OUT, False, PROBLEM, "does not answer (pid 9)", "sbctl restart scheduler"),
        (row("scheduler", pid=9), TIMED_OUT, True, PROBLEM, "is suspended (pid 9)", "kill -CONT 9"),
        (row("scheduler", "backoff"), NOT_RUNNING, False, WARNING, "is backoff", "sbctl why scheduler"),
        (row("scheduler", "backoff", restarts=4), NOT_RUNNING, False, PROBLEM, "(4 restarts)", "sbctl why scheduler"),
        (row("scheduler", "failed"), NOT_RUNNING, False, PROBLEM, "is failed", "sbctl restart scheduler"),
        (row("scheduler", "stopped"), NOT_RUNNING, False, WARNING, "as somebody wanted", "sbctl start scheduler"),
    ],
)
def test_does_the_scheduler_answer(its_row: Any, code: int, suspended: bool, level: str, says: str, next: str) -> None:
    check = tree.judge_scheduler(its_row, heard(code), suspended=suspended)
    assert check.level == level
    assert says in check.what
    assert check.next.startswith(next)


@pytest.mark.parametrize(
    ("at", "level"), [(990.0, OK), (940.0, OK), (700.0, PROBLEM), (None, OK)], ids=["now", "one", "three missed", "new"]
)
def test_is_the_tick_in_time(at: float | None, level: str) -> None:
    (check,) = tree.judge_tick({"number": 3, "at": at, "every_s": 60}, {"started": 995.0}, 1000.0)
    assert check.level == level


def test_a_scheduler_that_never_ticked_is_late_too() -> None:
    (check,) = tree.judge_tick({"number": 0, "at": None, "every_s": 60}, {"started": 100.0}, 1000.0)
    assert check.level == PROBLEM
    assert tree.judge_tick(None, {}, 1000.0) == []  # one of an older version does not say


def test_a_daemon_of_another_version() -> None:
    (check,) = tree.judge_versions({"start": "1", "scheduler": "2", "config": "2"}, "2")
    assert (check.level, check.what, check.next) == (WARNING, "start runs 1; installed is 2", check.next)
    assert check.next.startswith("sbctl upgrade")
    assert tree.judge_versions({"start": "2"}, "2")[0].level == OK
    assert tree.judge_versions({}, "2") == []


def test_services_that_are_not_as_they_should_be() -> None:
    rows = [
        row("web"),
        row("mail", "failed", detail="gave up"),
        row("slow", ready=False, detail="http 500"),
        row("dies", "backoff", cause="exit code 1"),
        row("rests", "stopped"),
    ]
    found = services.judge(rows, ["all schedules are paused"], complete=True)
    assert [(check.name, check.level) for check in found] == [
        ("mail", PROBLEM),
        ("slow", WARNING),
        ("dies", WARNING),
        ("remark", WARNING),
    ]
    assert found[0].next == "sbctl why mail; then: sbctl restart mail"
    assert found[1].what == "degraded: http 500"
    assert services.judge([row("web")], [], complete=True)[0].what == "all 1 are as they should be, 1 run"
    assert services.judge([row("web")], [], complete=False) == []


def test_what_holds_a_tree_together() -> None:
    assert safety.judge_reaper(True, 5).level == safety.judge_reaper(False, 1).level == OK
    assert safety.judge_reaper(False, 5).level == PROBLEM
    assert safety.judge_parent_signals({"scheduler": 15, "config": 15}, ["scheduler", "config"])[0].level == OK
    assert safety.judge_parent_signals({"scheduler": 15}, ["scheduler", "config"])[0].what.startswith(
        "ends scheduler by"
    )
    assert safety.judge_parent_signals({}, ["config"]) == []
    (check,) = safety.judge_parent_signals({"scheduler": 15, "config": 0}, ["scheduler", "config"])
    assert (check.level, check.what, check.next) == (PROBLEM, "config would outlive it", "sbctl restart config")


def test_a_cgroup_matters_where_a_service_asks_for_one() -> None:
    why = "not delegated"
    assert safety.judge_cgroup("/sys/fs/cgroup/x", "", "version 2", ["web"], running=True).level == OK
    assert safety.judge_cgroup("", why, "version 2", [], running=True).level == OK
    check = safety.judge_cgroup("", why, "version 1", ["web"], running=False)
    assert (check.level, check.what) == (WARNING, "version 1: not delegated (as seen from this shell)")
    assert "limits of web" in check.why


@pytest.mark.parametrize(
    ("known", "lost", "runs", "next"),
    [
        ("a", "", True, ""),
        ("", "", False, ""),
        ("", "a", True, "sbctl reload"),
        ("", "", True, "sbctl restart"),
        ("", "a", False, "sbctl start"),
    ],
)
def test_a_lost_id_is_a_problem(known: str, lost: str, runs: bool, next: str) -> None:
    found = tree.judge_id(known, lost, "/h/logs/run/home_id", runs=runs)
    assert [check.level for check in found] == ([PROBLEM] if next else [])
    assert all(check.next.startswith(next) for check in found)


def test_a_core_service_that_dies_again_and_again_is_a_problem() -> None:
    rows = [
        row("config", "backoff", restarts=3),
        row("tunnel", "backoff", restarts=1),
        row("web", "backoff", restarts=3),
    ]
    found = services.judge(rows, [], complete=True)
    assert [check.level for check in found] == [PROBLEM, WARNING, WARNING]
