"""The level of a line, guessed from the line: a table of what programs write."""

from __future__ import annotations

import pytest

from supervisor.cli import levels
from supervisor.cli.levels import Levels, at_least, guess, parse_level

CASES = {
    "debug": [
        "DEBUG cache miss",
        "2026-11-21 05:20:01,123 DEBUG app.db: connected",
        '{"level": "debug", "msg": "x"}',
        '{"level": 20, "msg": "pino"}',
        "[debug] x",
        "level=trace msg=x",
        "<7>from a program for systemd",
        "2026-11-21T05:20:01Z TRACE tokio: polled",
    ],
    "info": [
        "",
        "listening on 8080",
        "INFO:     Application startup complete.",
        "INFO no ERROR was found",
        "0 errors, 0 warnings",
        "the error handler was installed",
        "127.0.0.1 - - [21/Nov/2026:05:20:01 +0000] GET /error HTTP/1.1 200",
        "GET /api/ERROR-report 200",
        '{"severity": "INFO", "message": "ERROR in a text"}',
        '{"level": 30, "msg": "pino"}',
        '{"level": 6}',
        "I1121 05:20:01.000000       1 main.go:5] error-free",
        'level=info msg="failed with error"',
        "[{",
        "{not json",
        '{"level": {"name": "info"}}',
        "x" * 200 + " ERROR",
    ],
    "warning": [
        "WARNING: deprecated",
        "WARN [main] slow query",
        "2026-11-21 05:20:01 [warn] 12#0: upstream",
        "warning: unused variable",
        "npm WARN deprecated glob@7",
        "W1121 05:20:01.000000       1 main.go:5] late",
        'time="2026-11-21T05:20:01Z" level=warning msg="slow"',
        '{"lvl": "warn"}',
        '{"level": 40}',
        "<4>low memory",
    ],
    "error": [
        "ERROR in app",
        "Error: connect ECONNREFUSED",
        "error: could not compile",
        "npm ERR! code ELIFECYCLE",
        "[ERROR] x",
        "2026/11/21 05:20:01 [error] 31#31: *1 open() failed",
        "2026-11-21 05:20:01,123 - app - ERROR - it broke",
        "Traceback (most recent call last):",
        "ValueError: invalid literal for int()",
        "requests.exceptions.ConnectionError: refused",
        "E1121 05:20:01.000000       1 main.go:5] gone",
        '{"log.level": "Error"}',
        '{"level": 50}',
        '{"severity": "ERR"}',
    ],
    "critical": [
        "FATAL: password authentication failed",
        "2026-11-21 05:20:01.123 UTC [12] FATAL:  the database system is starting up",
        "CRITICAL root: out of paper",
        "panic: runtime error: index out of range",
        '{"level": "fatal"}',
        '{"level": 60}',
        "F1121 05:20:01.000000       1 main.go:5] bye",
        "<2>fire",
    ],
}


@pytest.mark.parametrize(("level", "line"), [(level, line) for level, lines in CASES.items() for line in lines])
def test_levels(level: str, line: str) -> None:
    assert guess(line) == level


def test_lines_between_a_traceback_and_its_exception_are_of_it() -> None:
    text = """INFO begin
  indented
Traceback (most recent call last):
  File "x.py", line 1, in <module>
    int("INFO")
ValueError: no

During handling of the above exception, another exception occurred:

  + Exception Group Traceback (most recent call last):
  |   File "x.py", line 2, in <module>
  | ExceptionGroup: some (1 sub-exception)
  +-+---------------- 1 ----------------
    | KeyError: 1
    +------------------------------------
INFO end
Traceback (most recent call last):
  File "x.py", line 1, in <module>
listening on 8080
  indented"""
    levels = Levels()
    found = [levels.of("web", line) for line in text.split("\n")]
    assert levels.of("other", "  indented") == "info"
    assert found == [
        *["info"] * 2,
        *["error"] * 4,
        *["info"] * 3,
        *["error"] * 6,
        "info",
        *["error"] * 2,
        *["info"] * 2,
    ]


def test_levels_have_an_order_and_other_names() -> None:
    assert at_least("error") == {"error", "critical"}
    assert parse_level(" WARN ") == "warning"
    assert parse_level("loud") is None


@pytest.mark.parametrize(
    "line", ["{" * 100_000, "[" * 5000, "ERR" * 50_000, "\ud800\x00", '{"level": true}', '{"level": []}']
)
def test_odd_lines_are_information(line: str) -> None:
    assert guess(line) == "info"


def test_every_word_that_is_no_information_has_its_hint() -> None:
    words = [word for word, level in levels.LEVEL_OF.items() if level != "info"]
    assert [word for word in words if not any(hint in word for hint in levels._HINTS)] == []
