"""Tables of the benchmarks."""

from __future__ import annotations

from benchmarks.report import Figure


def a_figure(better: str = "less") -> Figure:
    figure = Figure("Start: launch until 100 children run", "s", key="start.100", better=better)
    figure.add("sbctl", [0.3, 0.2, 0.1], target=0.25)
    figure.add("supervisord", [1.6])
    figure.add("limit, C", [0.05, 0.05])
    return figure


def test_a_table_has_medians_spread_and_ratios() -> None:
    lines = a_figure().lines()

    assert lines[2].split() == ["sbctl", "0.2", "0.1", "-", "0.3", "1x", "4x", "<=", "0.25", "ok"]
    assert lines[3].split() == ["supervisord", "1.6", "8x", "32x"]


def test_where_more_is_better_the_target_is_the_least() -> None:
    figure = a_figure("more")

    assert figure.verdict(figure.rows[0]) == "under"
    assert figure.lines()[2].split()[-3:] == [">=", "0.25", "under"]


def test_a_figure_without_a_key_gets_one_of_its_title() -> None:
    assert Figure("Stop: until 100 are gone", "s").key == "stop-until-100-are-gone"
    assert a_figure().key == "start.100"


def test_what_was_not_done_right_is_not_ok_however_fast() -> None:
    figure = Figure("Adoption", "s", key="adopt.100")
    figure.add("sbctl", [0.01], target=0.15, wrong="servers were lost")

    assert figure.verdict(figure.rows[0]) == "WRONG: servers were lost"
    assert "WRONG" in figure.lines()[2]
