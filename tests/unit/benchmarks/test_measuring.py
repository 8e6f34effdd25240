"""One part of a run: what it gives, and what becomes of it when it can't be measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.figures import figure

from benchmarks import conditions, measuring
from benchmarks.measuring import Run, Taken
from benchmarks.plan import Plan
from benchmarks.procs import TookTooLong
from benchmarks.report import Figure

Take = Callable[..., Taken]


@pytest.fixture
def take(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Take:
    """Measures a part of which this is the measuring."""
    monkeypatch.setattr(conditions, "STARTS", 1)
    monkeypatch.setattr(measuring.procs, "end_everything", lambda: None)  # the processes of other tests are below us

    def take(measure: Callable[[Plan], list[Figure]], *, quick: bool = False, missing: tuple[str, ...] = ()) -> Taken:
        monkeypatch.setitem(measuring.FIGURES, "start", measure)
        return Run(Plan(tmp_path, "mark", [], [100], quick), list(missing)).take("start")

    return take


def test_figures_know_their_part_and_their_run(take: Take) -> None:
    found = take(lambda _plan: [figure("start.100", {"sbctl": 0.3}), figure("stop.100", {"sbctl": 0.1})])

    assert [(one.key, one.part, one.run) for one in found.figures] == [
        ("start.100", "start", found.run),
        ("stop.100", "start", found.run),
    ]
    assert found.failed == ""
    assert found.facts["part"] == "start"
    assert found.facts["bare_python_ms"] > 0
    assert "quick" not in found.facts


def test_a_quick_run_and_who_was_missing_are_remembered(take: Take) -> None:
    found = take(lambda _plan: [], quick=True, missing=("pm2 is left out: no node",))

    assert found.facts["quick"] is True
    assert found.facts["missing"] == ["pm2 is left out: no node"]


@pytest.mark.parametrize("error", [TookTooLong("100 children: not within 60 s"), FileNotFoundError("no strace")])
def test_what_can_not_be_measured_is_said_in_a_line(take: Take, error: Exception) -> None:
    def fail(_plan: Plan) -> list[Figure]:
        raise error

    found = take(fail)

    assert found.figures == []
    assert found.failed == f"start could not be measured: {error}"


def test_a_defect_ends_one_part_only_and_says_where_it_is(take: Take) -> None:
    def broken(_plan: Plan) -> list[Figure]:
        raise AttributeError("no attribute 'endpoint'")

    found = take(broken)

    assert found.figures == []
    assert found.failed.startswith("start could not be measured, by a defect of the benchmark:")
    assert "in broken" in found.failed


def test_a_key_of_two_figures_is_a_defect(take: Take) -> None:
    found = take(lambda _plan: [figure("start.100", {"sbctl": 0.3}), figure("start.100", {"sbctl": 0.1})])

    assert "two figures are called start.100" in found.failed


def test_who_interrupts_it_ends_it(take: Take) -> None:
    def interrupted(_plan: Plan) -> list[Figure]:
        raise SystemExit(130)

    with pytest.raises(SystemExit):
        take(interrupted)
