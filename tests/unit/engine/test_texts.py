"""Every kind of event of a service has its sentence, and durations read well."""

from __future__ import annotations

from typing import Any

import pytest
from support.fakes import spec

from supervisor.core import actions
from supervisor.core.machine import Announce, State
from supervisor.engine.service import Service
from supervisor.engine.texts import describe, duration
from supervisor.model.service import Restart

CAUSE = {"text": "exit code 7"}
SENTENCES: dict[str, tuple[dict[str, Any], str]] = {
    actions.STARTED: ({"restarts": 0}, "web: started, pid 42"),
    actions.READY: ({"after": 1.25}, "web: ready after 1.2 s: port 80"),
    actions.EXITED: ({"cause": CAUSE, "uptime": 61.0}, "web: ended after 1m 1s: exit code 7"),
    actions.SPAWN_FAILED: ({"cause": CAUSE}, "web: could not be started: exit code 7"),
    actions.BACKING_OFF: (
        {"reason": "crashed", "streak": 2, "give_up": 5, "delay": 10.0},
        "web: crashed: crash 2 of 5, next try in 10 s",
    ),
    actions.GAVE_UP: (
        {"streak": 5, "cause": "exit code 7"},
        "web: given up after 5 fast crashes in a row: exit code 7; sbctl start web tries again",
    ),
    actions.SLOWED: (
        {"deaths": 30, "window": 3600.0, "delay": 300.0},
        "web: ended 30 times in 1h 0m: from now on one start in 5m 0s",
    ),
    actions.STOPPING: ({"reason": "asked", "now": False}, "web: stopping, pid 42 (asked)"),
    actions.STOPPED: ({"reason": "asked"}, "web: stopped (asked)"),
    actions.KILLED: ({"grace": 10.0}, "web: did not end within 10 s: killed"),
    actions.NOT_READY: ({"start_timeout": 60.0}, "web: not ready within 1m 0s: ended"),
    actions.WAITING: ({"reason": "db (starting)"}, "web: waits for db (starting)"),
    actions.WAITS_LONG: ({"reason": "db (stopped)", "after": 60.0}, "web: has waited 1m 0s for db (stopped)"),
    actions.EXTERNAL: (
        {"outside": 7},
        "web: runs already, started by somebody else (pid 7): left alone until that one ends",
    ),
    actions.COMMAND_FAILED: ({"job": "stop", "reason": "exit code 1"}, "web: its command stop failed: exit code 1"),
    actions.UNHEALTHY: ({"reason": "no answer"}, "web: not healthy, restarting: no answer"),
    actions.WATCHDOG: ({"reason": "silent for 5 s"}, "web: restarting: silent for 5 s"),
    actions.OVER_LIMIT: ({"reason": "2 GiB"}, "web: over its limit, restarting: 2 GiB"),
    actions.AGED: ({"reason": "24h 0m"}, "web: old enough, restarting: 24h 0m"),
    actions.HELD: ({"reason": "db is stopped"}, "web: held until what it requires is back: db is stopped"),
}
KINDS = [value for name, value in vars(actions).items() if name.isupper() and isinstance(value, str)]


def service() -> Service:
    service = Service(spec("web"), State())
    service.pid, service.key, service.detail = 42, "web.3", "port 80"
    return service


def test_one_crash_is_not_many() -> None:
    event = {"streak": 1, "cause": "exit code 7"}
    assert (
        "given up after 1 fast crash in a row: "
        in describe(service(), Announce(actions.GAVE_UP, "error", event), 0.0)[0]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_sentence_and_names_the_process(kind: str) -> None:
    data, sentence = SENTENCES[kind]

    text, told = describe(service(), Announce(kind, "info", data), 0.0)

    assert text == sentence
    assert (told["key"], told["pid"]) == ("web.3", 42)
    assert data == SENTENCES[kind][0], "the machine's own data stays as it was"


def test_what_follows_a_restart_says_so() -> None:
    assert "(restart 3)" in describe(service(), Announce(actions.STARTED, "info", {"restarts": 3}), 0.0)[0]


def test_a_wait_that_is_no_crash_does_not_count_one() -> None:
    data = {"reason": "ended too often", "streak": 0, "give_up": 5, "delay": 300.0}

    assert describe(service(), Announce(actions.BACKING_OFF, "info", data), 0.0)[0].endswith(
        "ended too often: next try in 5m 0s"
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (actions.UNHEALTHY, "web: not healthy, ending it: so"),
        (actions.WATCHDOG, "web: ending it: so"),
        (actions.OVER_LIMIT, "web: over its limit, ending it: so"),
        (actions.AGED, "web: old enough, restarting: so"),
    ],
)
def test_no_restart_is_promised_where_none_will_come(kind: str, text: str) -> None:
    never = Service(spec("web", restart=Restart.NEVER), State())

    assert describe(never, Announce(kind, "warning", {"reason": "so"}), 0.0)[0] == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.04, "0.0 s"),
        (0.25, "0.2 s"),
        (5.0, "5 s"),
        (59.4, "59 s"),
        (59.6, "1m 0s"),
        (3599, "59m 59s"),
        (3599.7, "1h 0m"),
        (86399, "23h 59m"),
        (86400 * 3 + 4 * 3600, "3d 4h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_with_a_command_to_stop_no_number_is_made_up() -> None:
    service = Service(spec("web", stop_command=10.0), State())
    text, _ = describe(service, Announce(actions.KILLED, "warning", {"grace": 13.0}), 0.0)
    assert text == "web: did not end in time: killed"
