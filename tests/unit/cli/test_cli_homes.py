"""The homes of a user: what is remembered, what runs, what is stale."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.fake_daemon import FakeDaemon, row

from supervisor.cli import finding, known_homes
from supervisor.cli.main import main
from supervisor.model.home import Home

Homes = Callable[..., list[dict[str, object]]]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where homes are remembered; and other homes of this machine are none of this test's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(finding, "running_homes", list)
    return tmp_path / "state" / "sbctl" / "homes"


def make(path: Path) -> Home:
    (path / "etc").mkdir(parents=True)
    return Home(str(path))


@pytest.fixture
def homes(capfd: pytest.CaptureFixture[str]) -> Homes:
    def run(*args: str) -> list[dict[str, object]]:
        capfd.readouterr()
        assert main(["homes", "--json", *args]) == 0
        found: list[dict[str, object]] = json.loads(capfd.readouterr().out)["homes"]
        return found

    return run


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Home]:
    home = make(tmp_path / "running")
    with FakeDaemon(home, "start", [row("scheduler")]), FakeDaemon(home, "scheduler", [row("web")]):
        yield home


def test_remembered_once(tmp_path: Path, place: Path) -> None:
    for name in ("b", "a b", "a-b", "b"):
        known_homes.remember(Home(str(tmp_path / name)))
    assert known_homes.known() == [str(tmp_path / name) for name in ("a b", "a-b", "b")]
    assert len(list(place.iterdir())) == 3
    known_homes.forget(str(tmp_path / "b"))
    assert known_homes.known() == [str(tmp_path / name) for name in ("a b", "a-b")]


def test_what_is_none_of_ours_is_passed_over(tmp_path: Path, place: Path) -> None:
    known_homes.remember(Home(str(tmp_path / "a")))
    for number, text in enumerate(("", "relative/path\n", "/elsewhere\n", "\0\xff", "/" * 10_000)):
        (place / f"note{number}").write_text(text)
    (place / "folder").mkdir()
    os.mkfifo(place / "fifo")
    assert known_homes.known() == [str(tmp_path / "a")]


def test_a_path_that_is_no_text(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(str(tmp_path)) + b"/\xff\n\xe4")
    known_homes.remember(Home(path))
    assert known_homes.known() == [path]


@pytest.mark.parametrize("value", ["relative", ""])
def test_without_a_place_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert known_homes.folder() == str(tmp_path / ".local" / "state" / "sbctl" / "homes")


def test_it_need_not_be_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    known_homes.remember(Home("/a"))
    assert known_homes.known() == []


def test_each_state(homes: Homes, running: Home, tmp_path: Path) -> None:
    dead, stopped = make(tmp_path / "dead"), make(tmp_path / "stopped")
    os.makedirs(dead.run)
    Path(dead.pid_file("start")).write_text("999999999\n")
    for home in (running, dead, stopped, Home(str(tmp_path / "gone"))):
        known_homes.remember(home)
    found = {str(home["path"]).rpartition("/")[2]: home for home in homes()}
    assert list(found) == ["running", "dead", "gone", "stopped"]
    assert {name: home["state"] for name, home in found.items()} == {name: name for name in found}
    assert [name for name, home in found.items() if home["stale"]] == ["dead", "gone"]
    assert (found["running"]["pid"], found["running"]["version"]) == (4242, "0.1.0")


def test_what_is_gone_can_be_forgotten(homes: Homes, tmp_path: Path) -> None:
    for home in (make(tmp_path / "stopped"), Home(str(tmp_path / "gone"))):
        known_homes.remember(home)
    assert [home["state"] for home in homes("--forget")] == ["stopped"]
    assert known_homes.known() == [str(tmp_path / "stopped")]


@pytest.mark.parametrize(("compiled", "remembered", "shown"), [(3456, "", 3456), (0, "4711\n", 4711), (0, "", None)])
def test_the_port(homes: Homes, running: Home, compiled: int, remembered: str, shown: int | None) -> None:
    known_homes.remember(running)
    assert homes()[0]["port"] is None
    Path(running.compiled_file("start")).parent.mkdir(parents=True)
    Path(running.compiled_file("start")).write_text(json.dumps({"port": compiled}))
    Path(running.pid_file("config")).write_text("1\n")
    Path(running.port_file).write_text(remembered)
    assert homes()[0]["port"] == shown


def test_for_people(capfd: pytest.CaptureFixture[str], running: Home) -> None:
    assert main(["homes"]) == 0
    assert capfd.readouterr().out == "no homes yet: sbctl init DIR makes one\n"
    known_homes.remember(running)
    assert main(["homes"]) == 0
    assert [line.split() for line in capfd.readouterr().out.splitlines()] == [
        ["STATE", "PID", "PORT", "VERSION", "HOME"],
        ["running", "4242", "-", "0.1.0", running.path],
    ]
