"""What a run writes, and what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.figures import FACTS, RUN, figure
from support.figures import kept as results_of

from benchmarks import __main__ as command
from benchmarks import kept, results
from benchmarks.measuring import Taken

START = figure("start.100", {"sbctl": 0.25, "circus": 0.5}, target=0.3)
RESTART = figure("restart.100", {"sbctl": 2.0, "runit": 2.7}, unit="ms")


class FakeRun:
    """Parts that are measured already; before each it notes what is kept by then."""

    def __init__(self, *parts: Taken, missing: tuple[str, ...] = ()) -> None:
        self.parts = parts
        self.missing = list(missing)
        self.machine = {"cores": 2}
        self.kept_before: list[list[str]] = []

    def take_all(self, _parts: list[str]) -> Iterator[Taken]:
        for part in self.parts:
            self.kept_before.append([one.key for one in results.read(results.FILE).figures])
            yield part


def taken(one: Any, failed: str = "") -> Taken:
    return Taken(one.part, [] if failed else [one], RUN, FACTS, failed)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (results, command):
        monkeypatch.setattr(module, "FILE", tmp_path / "results.json")
    monkeypatch.setattr(kept, "PAGE", tmp_path / "RESULTS.md")
    monkeypatch.setattr(kept, "CHARTS", tmp_path / "charts")
    return tmp_path


def measure(run: FakeRun, *argv: str) -> int:
    return command.measure(command.wanted(list(argv)), run)  # type: ignore[arg-type]


def keys(folder: Path) -> list[str]:
    return [one.key for one in results.read(folder / "results.json").figures]


def test_each_part_is_kept_as_soon_as_it_is_measured(folder: Path) -> None:
    run = FakeRun(taken(START), taken(RESTART))

    assert measure(run) == 0

    assert run.kept_before == [[], ["start.100"]]
    assert keys(folder) == ["start.100", "restart.100"]
    assert "The figure restart.100" in (folder / "RESULTS.md").read_text()
    assert {path.name for path in (folder / "charts").iterdir()} == {"start.100.svg", "restart.100.svg"}


def test_a_part_that_fails_leaves_what_was_kept_and_the_rest_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.write(results_of(START))

    assert measure(FakeRun(taken(START, "start could not be measured: no room"), taken(RESTART))) == 1

    assert keys(folder) == ["start.100", "restart.100"]
    assert "start could not be measured: no room" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [("--quick",), ("--no-write",), ("--n", "100")])
def test_less_than_a_whole_run_writes_nothing(
    folder: Path, argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure(FakeRun(taken(START)), *argv) == 0

    assert list(folder.iterdir()) == []
    assert "not kept: " in capsys.readouterr().err


def test_somebody_missing_writes_nothing_but_when_asked(folder: Path) -> None:
    assert measure(FakeRun(taken(START), missing=("pm2 is left out: no node",))) == 0
    assert list(folder.iterdir()) == []

    assert measure(FakeRun(taken(START), missing=("pm2 is left out: no node",)), "--write") == 0
    assert keys(folder) == ["start.100"]


def test_json_is_what_would_be_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(FakeRun(taken(START), taken(RESTART)), "--json", "--no-write") == 0

    found = results.parse(capsys.readouterr().out)
    assert [one.key for one in found.figures] == ["start.100", "restart.100"]


def test_charts_of_figures_that_are_no_more_go(folder: Path) -> None:
    kept.write(results_of(START, RESTART))
    kept.write(results_of(START))

    assert [path.name for path in (folder / "charts").iterdir()] == ["start.100.svg"]
    assert json.loads((folder / "results.json").read_text())["figures"][0]["key"] == "start.100"


def test_what_can_not_be_read_is_not_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "results.json").write_text("{")

    assert command.main([]) == 2

    assert "can't be used" in capsys.readouterr().err
    assert (folder / "results.json").read_text() == "{"
