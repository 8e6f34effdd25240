"""`sbctl why`, in five lines."""

from __future__ import annotations

from typing import Any

from support.fake_daemon import row

from supervisor.base.clock import iso
from supervisor.cli.story import from_journal, story

NOW = 1_700_000_000.0


def facts(**changes: Any) -> dict[str, Any]:
    attempts = {"streak": 0, "give_up": 5, "deaths": 0, "window": 3600.0}
    return {"row": row("mail"), "attempts": attempts, "words": [], "since": iso(NOW - 60), "reason": "", **changes}


def test_a_service_that_gave_up() -> None:
    failed = row(
        "mail",
        "failed",
        restarts=4,
        cause="exit code 3",
        exit={"code": 3, "signal": None, "at": iso(NOW - 65)},
    )
    attempts = {"streak": 5, "give_up": 5, "deaths": 5, "window": 3600.0}
    words = ["Traceback:", "KeyError: 'url'"]
    assert story(facts(row=failed, attempts=attempts, words=words, reason="gave up"), NOW) == [
        "mail is failed for 1m 0s; wanted up (gave up)",
        "last exit   exit code 3, 1m 5s ago",
        "attempts    gave up after 5 fast crashes in a row, restarted 4 times, 5 ended in the last 1h 0m",
        "last words  Traceback:",
        "            KeyError: 'url'",
        "next        sbctl logs mail; then: sbctl start mail (a fresh budget)",
    ]


def test_a_service_between_two_tries() -> None:
    waiting = row(
        "mail",
        "backoff",
        restarts=2,
        cause="killed by SIGSEGV",
        next_retry_at=iso(NOW + 12),
        exit={"code": None, "signal": "SIGSEGV", "at": iso(NOW - 8)},
    )
    attempts = {"streak": 3, "give_up": 5, "deaths": 3, "window": 3600.0}
    lines = story(facts(row=waiting, attempts=attempts, words=["bang"]), NOW)
    assert len(lines) == 5
    assert lines[1] == "last exit   killed by SIGSEGV, 8s ago"
    assert lines[2].startswith("attempts    crash 3 of 5 in a row, next try in 12s, restarted 2 times")
    assert lines[3] == "last words  bang"


def test_a_service_that_runs() -> None:
    assert story(facts(), NOW) == [
        f"mail is running for 1m 0s, pid {row('mail')['pid']}",
        "last exit   none since sbctl was started",
        "attempts    never restarted",
        "last words  none",
        "takes       0.4% of a processor, 38.1M of memory, 2 processes, 3 threads",
        "next        sbctl logs -f mail",
    ]


def test_the_code_is_named_beside_other_causes() -> None:
    gone = row("mail", "failed", cause="port 8080 is in use", exit={"code": 1, "signal": None, "at": iso(NOW)})
    assert story(facts(row=gone), NOW)[1] == "last exit   port 8080 is in use (exit code 1), 0s ago"


def test_at_most_five_last_words_and_none_harms() -> None:
    lines = story(facts(words=[f"word {n}\x1b[2J" for n in range(30)]), NOW)
    assert [line.strip() for line in lines[3:8]] == [
        "last words  word 25\\x1b[2J",
        *(f"word {n}\\x1b[2J" for n in (26, 27, 28, 29)),
    ]


def test_from_the_journal_alone() -> None:
    cause = {"kind": "exit-code", "text": "exit code 3", "code": 3, "signal": None, "words": ["oops"]}
    events = [
        {"kind": "service.started", "at": iso(NOW - 90), "data": {"restarts": 1}},
        {"kind": "service.exited", "at": iso(NOW - 60), "data": {"cause": cause}},
        {"kind": "service.backing_off", "at": iso(NOW - 60), "data": {"streak": 2, "give_up": 5, "cause": "text"}},
    ]
    lines = story(from_journal("mail", events), NOW)
    assert lines[1] == "last exit   exit code 3, 1m 0s ago"
    assert lines[2].startswith("attempts    crash 2 of 5 in a row, restarted once")
    assert lines[3] == "last words  oops"


def test_when_nothing_runs_the_next_step_is_one_that_helps() -> None:
    events = [{"kind": "service.exited", "at": iso(NOW - 60), "data": {}}]
    away = {"away": "sbctl is not running", "next": "sbctl start"}
    lines = story({**from_journal("num", events), **away}, NOW)
    assert lines[0] == "num is stopped; sbctl is not running"
    assert lines[-1] == "next        sbctl start"


def test_a_group_that_had_to_be_killed_is_told_of() -> None:
    stopped = row(
        "mail", "stopped", cause="stopped: SIGTERM", exit={"code": None, "signal": "SIGTERM", "at": iso(NOW - 5)}
    )
    events = [
        {"kind": "service.exited", "data": {"key": "mail.2"}},
        {"kind": "service.killed", "data": {"key": "mail.2"}},
    ]
    lines = story(facts(row=stopped, events=events), NOW)
    assert lines[1] == "last exit   stopped: SIGTERM, 5s ago; the rest of its group had to be killed"
    earlier = [{"kind": "service.killed", "data": {"key": "mail.1"}}, events[0]]
    assert story(facts(row=stopped, events=earlier), NOW)[1] == "last exit   stopped: SIGTERM, 5s ago"


def test_one_that_waits_names_all_that_it_waits_for() -> None:
    waiting = row("web", "waiting", detail="waits for app (waiting)")
    chain = ["app is waiting: waits for db (failed: gave up)", "db is failed: gave up"]
    lines = story(facts(row=waiting, waits_for=chain), NOW)
    assert lines[1:4] == [
        "waits for   app (waiting)",
        "            app is waiting: waits for db (failed: gave up)",
        "            db is failed: gave up",
    ]
    assert lines[-1] == "next        sbctl why db"
    alone = story(facts(row=row("web", "waiting", detail="waits for port 80 (taken by pid 7)"), waits_for=[]), NOW)
    assert alone[1] == "waits for   port 80 (taken by pid 7)"
    assert alone[-1] == "next        it starts by itself when that is so; sbctl stop web ends the wait"


def test_one_that_is_not_ready_yet_says_what_is_missing() -> None:
    for detail, line in (
        ("not ready yet: http 127.0.0.1:80/ answered 500", "not ready   http 127.0.0.1:80/ answered 500"),
        ('waits for the line "for it" in its output', 'waits for   the line "for it" in its output'),
        ("loading", "            loading"),
    ):
        assert story(facts(row=row("web", "starting", detail=detail)), NOW)[1] == line
    assert story(facts(row=row("web", "starting", detail="")), NOW)[1].startswith("last exit")


def test_one_that_runs_outside() -> None:
    outside = row("web", "external", pid=77, detail="runs outside sbctl, pid 77")
    lines = story(facts(row=outside), NOW)
    assert lines[1] == "            runs outside sbctl, pid 77"
    assert lines[-1] == "next        that one is left alone; when it ends, this one is started"


def test_one_that_runs_and_can_not_do_its_work() -> None:
    degraded = row("web", ready=False, detail="GET / answered 503")
    pid = degraded["pid"]
    event = {
        "kind": "service.degraded",
        "at": iso(NOW - 180),
        "text": "web: degraded: GET / answered 500",
        "data": {"pid": pid},
    }
    lines = story(facts(row=degraded, events=[event]), NOW)
    assert lines[0] == f"web is degraded: running for 1m 0s, pid {pid}"
    assert lines[1] == "degraded    for 3m 0s: GET / answered 503"
    assert story(facts(row=degraded), NOW)[1] == "degraded    GET / answered 503"
    recovered = {"kind": "service.recovered", "at": iso(NOW), "data": {"pid": pid}}
    assert story(facts(row=row("web", ready=True), events=[event, recovered]), NOW)[1].startswith("last exit")


def test_one_over_its_limit_as_long_as_it_is() -> None:
    fat = row("web")
    text = "web: 612 MiB of memory for 30 s, its limit is 512 MiB"
    over = {"kind": "service.over_limit", "at": iso(NOW - 60), "text": text, "data": {"pid": fat["pid"]}}
    lines = story(facts(row=fat, events=[over]), NOW)
    assert lines[1] == "over limit  for 1m 0s: 612 MiB of memory for 30 s, its limit is 512 MiB"
    within = {"kind": "service.within_limit", "at": iso(NOW), "data": {}}
    assert story(facts(row=fat, events=[over, within]), NOW)[1].startswith("last exit")
    older = {**over, "data": {"pid": 1}}
    assert story(facts(row=fat, events=[older]), NOW)[1].startswith("last exit")


def test_a_clean_end_is_no_crash() -> None:
    at = iso(NOW - 5)
    attempts = {"streak": 1, "give_up": 5}
    done = row("job", "stopped", exit={"code": 0, "signal": None, "at": at}, cause="exit code 0", detail="finished")
    assert story(facts(row=done, attempts=attempts), NOW)[2] == "attempts    finished, never restarted"
    never = {**done, "state": "failed", "detail": "exit code 7 is not tried again"}
    assert story(facts(row=never, attempts=attempts), NOW)[2] == "attempts    not tried again, never restarted"


def test_what_to_look_at_when_it_never_came_to_run() -> None:
    before = row("web", "failed", cause="the command before it failed: exit code 1")
    assert story(facts(row=before), NOW)[-1] == "next        sbctl logs web --commands; then: sbctl start web"
    waited = row("web", "failed", detail="waited too long: waited 5 s: port 80", cause="waited 5 s: port 80")
    assert "look at what it waited for" in story(facts(row=waited), NOW)[-1]
