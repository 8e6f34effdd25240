"""Rounds of commands that were due at once: one with a run that failed or was lost is told, not left out in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cli import remember

from benchmarks import bursts
from benchmarks.figures import schedules, spawn_rate
from benchmarks.ours import Ours
from benchmarks.plan import Plan
from benchmarks.report import Figure
from benchmarks.scheduled import Round, Rounds, rounds_of
from supervisor.model.home import Home

FIRST, SECOND = 1_790_000_000, 1_790_000_010
BOTH = (FIRST, SECOND)
ONE_LOST = "1 of 2 rounds left out: 1 of 4 runs did not end well or never were"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "logs").mkdir()
    return Home(str(tmp_path))


def put(home: Home, *runs: tuple[int, str]) -> None:
    """Rows as the history has them: when they were due, and how they ended, 0.3 s and more after that."""
    for number, (nominal, state) in enumerate(runs):
        at = nominal * 1000 + 100 * number
        remember(
            home,
            "runs",
            id=f"{number:032x}",
            schedule=f"s{number}",
            nominal=nominal,
            due=nominal * 1000,
            state=state,
            claimed=at + 100,
            started=at + 200,
            ended=at + 300,
        )


def test_rounds_of_which_all_ended_well_are_whole(home: Home) -> None:
    put(home, (SECOND, "succeeded"), (SECOND, "succeeded"), (FIRST, "succeeded"), (FIRST, "succeeded"))

    found = rounds_of(home, 2, BOTH)

    assert [one.nominal for one in found.whole] == [FIRST, SECOND]
    assert found.whole[1].ended == pytest.approx(0.4)
    assert found.wrong == ""


@pytest.mark.parametrize("last", [(), ((SECOND, "failed"),), ((SECOND, "lost"),), ((FIRST - 10, "succeeded"),)])
def test_a_run_that_failed_or_is_not_there_makes_it_wrong(home: Home, last: tuple[tuple[int, str], ...]) -> None:
    put(home, (FIRST, "succeeded"), (FIRST, "succeeded"), (SECOND, "succeeded"), *last)

    found = rounds_of(home, 2, BOTH)

    assert [one.nominal for one in found.whole] == [FIRST]
    assert found.wrong == ONE_LOST


def test_a_round_that_never_was_is_missed(home: Home) -> None:
    put(home, (FIRST, "succeeded"), (FIRST, "succeeded"))

    assert rounds_of(home, 2, BOTH).wrong == "1 of 2 rounds left out: 2 of 4 runs did not end well or never were"


def test_a_run_too_many_is_wrong(home: Home) -> None:
    put(home, (FIRST, "succeeded"), (FIRST, "succeeded"), (FIRST, "succeeded"))

    found = rounds_of(home, 2, [FIRST])

    assert found.whole == []
    assert found.wrong.endswith("0 of 2 runs did not end well or never were, 1 too many")


def test_without_a_history_all_are_missed(home: Home) -> None:
    assert rounds_of(home, 2, BOTH).wrong.startswith("2 of 2 rounds left out: 4 of 4 runs")


@pytest.mark.parametrize("whole", [[], [Round([(FIRST, FIRST * 1000, FIRST * 1000, FIRST * 1000 + 500)])]])
@pytest.mark.parametrize("measure", [schedules._commands, spawn_rate._commands])
def test_both_figures_say_it(measure: object, whole: list[Round], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bursts, "take", lambda *_: (Rounds(whole, ONE_LOST), [0.1, 0.1], [0.2, 0.2]))
    made = measure(Plan(Path("/nowhere"), "sb", [Ours(Path("/nowhere"), "sb")], [100], quick=True))  # type: ignore[operator]
    figure: Figure = made if isinstance(made, Figure) else made[0]

    row = figure.row("sbctl")

    assert row is not None
    assert row.wrong == ONE_LOST
    assert len(row.values) == len(whole)
    assert figure.verdict(row) == f"WRONG: {ONE_LOST}"
