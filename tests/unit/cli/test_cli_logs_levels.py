"""`sbctl logs`: the levels of lines, as they are told and as they choose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.cli import Sbctl
from support.raw_logs import NOON, home_with_logs, texts, write

from supervisor.base.clock import iso
from supervisor.model.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_with_logs(tmp_path)


def test_json_has_levels_and_streams(sbctl: Sbctl, home: Home) -> None:
    write(home.server_log("web"), (0, "ERROR \x1b[31mtoken=abcdef\x1b[0m"), (1.5, '{"level": "warn", "msg": "x"}'))

    objects = [json.loads(line) for line in sbctl("logs", "--json")[1].splitlines()]

    assert objects == [
        {"at": iso(NOON), "service": "web", "stream": "out", "level": "error", "text": "ERROR token=••••"},
        {
            "at": iso(NOON + 1.5),
            "service": "web",
            "stream": "out",
            "level": "warning",
            "text": '{"level": "warn", "msg": "x"}',
        },
    ]
    assert sbctl("logs", "--json", "--raw")[0] == 2


def test_levels_and_patterns_choose_among_all_there_is(sbctl: Sbctl, home: Home) -> None:
    lines = [(number, f"{'ERROR' if number % 10 == 5 else 'INFO'} line {number}") for number in range(100)]
    write(home.server_log("web"), *lines)

    assert sbctl("logs", "web", "--level", "error", "-n", "2")[1] == "ERROR line 85\nERROR line 95\n"
    assert sbctl("logs", "web", "--level", "warn", "--grep", "LINE [12]5", "-i")[1] == "ERROR line 15\nERROR line 25\n"
    assert sbctl("logs", "web", "--level", "debug", "-n", "1")[1] == "INFO line 99\n"
    assert sbctl("logs", "--level", "error", "-n", "1")[1] == "web | ERROR line 95\n"
    assert sbctl("logs", "web", "--level", "loud")[0] == 2


def test_a_traceback_is_one_error(sbctl: Sbctl, home: Home) -> None:
    trace = ["Traceback (most recent call last):", '  File "/app/web.py", line 3, in f', "    g(INFO)", "app.Broken: x"]
    write(home.server_log("web"), *((number, line) for number, line in enumerate(["INFO on", *trace, "going on"])))
    write(home.server_log("mail"), (2, "  fine"))

    assert sbctl("logs", "web", "--level", "error")[1].splitlines() == trace
    assert texts(sbctl("logs", "web", "mail", "--level", "error")[1]) == trace
    levels = [json.loads(line)["level"] for line in sbctl("logs", "web", "--json")[1].splitlines()]
    assert levels == ["info", *["error"] * 4, "info"]


def test_a_line_has_one_level_whatever_else_is_left_out(sbctl: Sbctl, home: Home) -> None:
    """Worked out once, among all lines, and carried along."""
    trace = ["Traceback (most recent call last):", '  File "web.py", line 3', "    g()", "    ^^^", "app.Broken: x"]
    write(home.server_log("web"), *((number, line) for number, line in enumerate([*["INFO on"] * 300, *trace, "on"])))

    def levels(*args: str) -> list[str]:
        return [json.loads(line)["level"] for line in sbctl("logs", "web", "--json", *args)[1].splitlines()]

    assert levels("--level", "error", "-n", "3") == ["error"] * 3
    assert levels("--level", "error") == ["error"] * 5
    assert levels("--grep", "File") == ["error"]
    assert levels("--grep", "File", "--level", "warn") == ["error"]
    for count in range(1, 7):
        assert levels("-n", str(count)) == ["info", *["error"] * 5][:count][::-1]
    assert levels("-n", "0") == []
