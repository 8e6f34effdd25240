"""The merged status, with daemons that are there, away, or hang."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from support.fake_daemon import FakeDaemon, row

from supervisor.base.errors import TIMED_OUT, Problem
from supervisor.control.status import build_status
from supervisor.model.home import Home

CORE = [row("scheduler"), row("config")]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(str(tmp_path))
    (tmp_path / "logs" / "run").mkdir(parents=True, mode=0o700)
    return home


def names(status: dict[str, list[dict[str, str]]]) -> list[str]:
    return [service["name"] for service in status["services"]]


def test_both_daemons_make_one_object(home: Home) -> None:
    with FakeDaemon(home, "start", CORE), FakeDaemon(home, "scheduler", [row("web")], pid=77):
        status = build_status(home)

    assert " ".join(status) == (
        "schema state pid started_at now last_activity_at ticks services settings_problems remarks"
    )
    assert (status["state"], status["pid"], names(status)) == ("running", 4242, ["scheduler", "config", "web"])
    assert " ".join(status["services"][0]) == (
        "name kind state desired pid uptime_s restarts exit cause next_retry_at ready "
        "cpu_percent memory_bytes threads processes enabled plugin instance detail"
    )


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ([row("web", "failed", desired="up")], "degraded"),
        ([row("web", ready=False)], "degraded"),
        ([row("web", "stopped")], "running"),
        ([row("web", "starting")], "starting"),
        ([row("web", ready=True)], "running"),
    ],
)
def test_one_word_for_the_whole(home: Home, rows: list[dict[str, str]], state: str) -> None:
    with FakeDaemon(home, "start", CORE), FakeDaemon(home, "scheduler", rows):
        assert build_status(home)["state"] == state


def test_without_the_scheduler_there_are_the_rows_that_start_keeps(home: Home) -> None:
    with FakeDaemon(home, "start", CORE):
        status = build_status(home)

    assert (status["state"], names(status)) == ("degraded", ["scheduler", "config", "orphan"])
    assert status["services"][-1]["detail"] == "unsupervised"


def test_a_server_may_live_while_the_scheduler_is_stopped(home: Home) -> None:
    with FakeDaemon(home, "start", [row("scheduler", "stopped"), row("config")]):
        status = build_status(home)

    assert (status["state"], names(status)) == ("running", ["scheduler", "config", "orphan"])


def test_of_a_scheduler_that_runs_alone(home: Home) -> None:
    with FakeDaemon(home, "scheduler", [row("web")], pid=77):
        status = build_status(home)

    assert (status["state"], status["pid"], names(status)) == ("running", 77, ["web"])


def test_a_home_that_is_stopped_has_the_same_shape(home: Home) -> None:
    status = build_status(home)

    assert (status["state"], status["pid"], status["services"]) == ("stopped", None, [])


def test_a_start_that_hangs_is_a_problem_soon(home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(f"{home.run}/start.sock")
        deaf.listen()
        with pytest.raises(Problem) as caught:
            build_status(home, 0.05)

    assert caught.value.code == TIMED_OUT
