"""What `sbctl start` says of what came up."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fake_daemon import FakeDaemon, row

from supervisor.base.errors import FAILED, NOT_RUNNING, Problem
from supervisor.cli import starting
from supervisor.cli.spawning import Spawned
from supervisor.model.home import Home


def test_nothing_wanted_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All wishes were taken back while we waited: "all 0 services up" would be the wrong word."""
    home = Home(str(tmp_path))
    monkeypatch.setattr(starting.quick, "snapshot", _not_running)
    monkeypatch.setattr(starting, "prepare", lambda _home: None)
    monkeypatch.setattr(starting, "bring_up", lambda _home: Spawned(4242, None))
    with (
        FakeDaemon(home, "start", [row("scheduler", "stopped")]),
        pytest.raises(Problem, match="start was asked to end while starting") as caught,
    ):
        starting.start_tree(home)
    assert caught.value.code == FAILED


@pytest.mark.parametrize(
    ("states", "said"),
    [(["running"], "1 service up"), (["running"] * 2, "all 2 services up"), (["failed"], "0 of 1 service up")],
)
def test_how_many_came_up(states: list[str], said: str, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [row(f"s{number}", state) for number, state in enumerate(states)]
    starting._summary(rows, 42, 0.5, as_json=False, before=None)
    assert capfd.readouterr().out == f"started: {said} in 0.5 s (pid 42)\n"


def test_a_degraded_one_is_up_and_named(capfd: pytest.CaptureFixture[str]) -> None:
    """It runs: that it can't do its work is what `status --check` is for."""
    rows = [row("mail"), row("web", ready=False, detail="http :80/ answered 500", cause="exit code 3")]
    assert starting._summary(rows, 42, 0.5, as_json=False, before=None) == 0
    out, err = capfd.readouterr()
    assert out == "started: all 2 services up, 1 of them degraded, in 0.5 s (pid 42)\n"
    assert err == "  web: degraded: http :80/ answered 500    why: sbctl why web\n"
    assert starting._summary([*rows, row("num", "failed")], 42, 0.5, as_json=False, before=None) == FAILED
    assert capfd.readouterr().out == "started: 2 of 3 services up, 1 of them degraded, in 0.5 s (pid 42)\n"


def _not_running(_home: Home) -> None:
    raise Problem("sbctl is not running", code=NOT_RUNNING)
