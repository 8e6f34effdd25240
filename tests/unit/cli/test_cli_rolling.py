"""How a restart of several is followed, when somebody else stops, removes or breaks one of them meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.cli import Sbctl
from support.fake_daemon import FakeDaemon, row

from supervisor.base.errors import TIMED_OUT, Problem
from supervisor.cli import rolling
from supervisor.cli.rolling import watch_steps
from supervisor.model.home import Home

NAMES = ("web:1", "web:2", "web:3")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "sbctl.yaml").write_text("format: 1\n")
    (tmp_path / "plugins" / "web").mkdir(parents=True)
    return Home(str(tmp_path))


@pytest.fixture
def scheduler(home: Home) -> Iterator[FakeDaemon]:
    with ExitStack() as stack:
        stack.enter_context(FakeDaemon(home, "start", [row("scheduler")]))
        yield stack.enter_context(FakeDaemon(home, "scheduler", [row(name) for name in NAMES]))


def pid(name: str) -> int:
    found = row(name)["pid"]
    assert isinstance(found, int)
    return found


def as_before(*names: str) -> dict[str, str]:
    return {name: str(pid(name)) for name in names}


def renewed(name: str, **changes: Any) -> dict[str, Any]:
    return row(name, **{"pid": pid(name) + 1, **changes})


def test_whoever_is_removed_meanwhile_is_left_out(
    home: Home, scheduler: FakeDaemon, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = scheduler.fake.rows
    rows["web:1"] = renewed("web:1")

    def removed() -> None:
        rows.pop("web:3", None)
        rows["web:2"] = renewed("web:2")

    scheduler.fake.after_status = removed
    assert watch_steps(home, as_before(*NAMES), 5.0) == ["web:3"]
    told = capfd.readouterr()
    assert [line.partition(" (")[0] for line in told.out.splitlines()] == ["web:1 restarted", "web:2 restarted"]
    assert told.err == "web:3 is left out: it has been removed meanwhile\n"


def test_one_that_goes_because_it_is_removed_is_not_waited_for(home: Home, scheduler: FakeDaemon) -> None:
    scheduler.fake.rows.update({name: renewed(name) for name in NAMES[:2]})
    scheduler.fake.rows["web:3"] = row("web:3", "stopping", desired="down")
    assert watch_steps(home, as_before(*NAMES), 5.0) == ["web:3"]


@pytest.mark.parametrize(("detail", "said"), [("", "stopped"), ("disabled", "disabled")])
def test_whoever_is_stopped_meanwhile_is_left_out(sbctl: Sbctl, scheduler: FakeDaemon, detail: str, said: str) -> None:
    """It was stopped after the daemon had accepted the restart."""
    stopped = row("web:2", "stopped", desired="down", detail=detail, cause="stopped: SIGTERM")
    scheduler.fake.after_change = lambda: scheduler.fake.rows.update({"web:2": stopped})
    code, out, err = sbctl("restart", "web")
    assert (code, err) == (0, f"web:2 is left out: it has been {said} meanwhile\n")
    assert [line.partition(" (")[0] for line in out.splitlines()] == ["web:1 restarted", "web:3 restarted"]


def test_whoever_is_left_out_is_in_the_object(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    scheduler.fake.after_change = lambda: scheduler.fake.rows.pop("web:2") and None
    code, out, _ = sbctl("restart", "web", "--json")
    answer = json.loads(out)
    assert (code, answer["left_out"]) == (0, ["web:2"])
    assert [one["name"] for one in answer["services"]] == ["web:1", "web:3"]


def test_a_restart_of_which_nobody_is_left_has_failed(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    stopped = {name: row(name, "stopped", desired="down") for name in NAMES}
    scheduler.fake.after_change = lambda: scheduler.fake.rows.update(stopped)
    assert sbctl("restart", "web")[:2] == (1, "")


def test_one_that_was_down_and_is_taken_out_before_its_turn(
    home: Home, scheduler: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolling, "FORGOTTEN_S", 0.1)
    scheduler.fake.rows["web:1"] = renewed("web:1")
    scheduler.fake.rows["web:2"] = row("web:2", "stopped", desired="down")
    assert watch_steps(home, {**as_before("web:1"), "web:2": ""}, 10.0) == ["web:2"]


def test_nobody_is_called_the_last_one_who_was_not(home: Home, scheduler: FakeDaemon) -> None:
    """All at once: the others came up."""
    scheduler.fake.rows.update({name: renewed(name, uptime_s=0.0) for name in NAMES[1:]})
    scheduler.fake.rows["web:1"] = row("web:1", "backoff", desired="up", cause="exit code 3")
    scheduler.fake.after_status = lambda: scheduler.fake.rows.update({name: renewed(name) for name in NAMES[1:]})
    with pytest.raises(Problem) as raised:
        watch_steps(home, as_before(*NAMES), 5.0)
    assert raised.value.text().splitlines() == [
        "error: web:1 did not come up again: backoff: exit code 3",
        "  why:  restarted: web:2, web:3",
        "  next: sbctl why web:1; then: sbctl restart web:1",
    ]


def test_one_that_was_down_before_its_turn_does_not_stop_the_others(home: Home, scheduler: FakeDaemon) -> None:
    """It failed long ago; the daemon has not come to it, because web:1 has not lived long enough."""
    rows = scheduler.fake.rows
    rows["web:1"] = renewed("web:1", uptime_s=0.0)
    rows["web:2"] = row("web:2", "failed", desired="up", cause="exit code 3")
    looks = [renewed("web:1"), renewed("web:2")]

    def goes_on() -> None:
        if looks:
            one = looks.pop(0)
            rows[one["name"]] = one

    scheduler.fake.after_status = goes_on
    assert watch_steps(home, {"web:1": "1", "web:2": ""}, 5.0) == []


def test_one_that_never_gets_its_turn_is_named(home: Home, scheduler: FakeDaemon) -> None:
    scheduler.fake.rows["web:1"] = renewed("web:1")
    with pytest.raises(Problem) as raised:
        watch_steps(home, as_before("web:1", "web:2"), 0.3)
    assert raised.value.code == TIMED_OUT
    assert "not restarted in time: web:2" in raised.value.text()


# what sbctl does not have in its hand


def test_a_stop_of_one_that_runs_outside_says_that_it_runs_on(sbctl: Sbctl, scheduler: FakeDaemon) -> None:
    outside = row("web:1", "external", pid=32001, detail="runs outside sbctl, pid 32001")
    scheduler.fake.rows["web:1"] = outside
    assert sbctl("stop", "web:1") == (0, "web:1 stopped, but pid 32001 runs on: it is not sbctl's\n", "")
    scheduler.fake.rows["web:1"] = outside
    assert json.loads(sbctl("stop", "web:1", "--json")[1])["outside"] == {"web:1": 32001}
    assert "outside" not in json.loads(sbctl("stop", "web:2", "--json")[1])
    scheduler.fake.rows["web:1"] = outside
    assert json.loads(sbctl("disable", "web:1", "--json")[1])["outside"] == {"web:1": 32001}
    scheduler.fake.rows["web:1"] = outside
    assert "outside" not in json.loads(sbctl("disable", "web:2", "--json")[1])
    scheduler.fake.rows["web:1"] = outside
    assert "outside" not in json.loads(sbctl("enable", "web:1", "--json")[1])
    scheduler.fake.rows["web:1"] = outside
    assert sbctl("disable", "web:1")[1] == "web:1 is disabled and stopped, but pid 32001 runs on: it is not sbctl's\n"


def test_one_that_runs_outside_is_not_called_restarted(
    home: Home, scheduler: FakeDaemon, capfd: pytest.CaptureFixture[str]
) -> None:
    scheduler.fake.rows["web:1"] = row("web:1", "external", pid=32001, detail="runs outside sbctl, pid 32001")
    scheduler.fake.rows["web:2"] = row("web:2", "stopped", detail="finished")
    assert watch_steps(home, {"web:1": "32001", "web:2": ""}, 5.0) == []
    assert capfd.readouterr().out == "web:1 runs outside sbctl, pid 32001, 1 of 2\nweb:2 finished, 2 of 2\n"
