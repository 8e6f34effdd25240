"""Tables of the benchmarks."""

from __future__ import annotations

import pytest

from benchmarks.report import Figure, Row


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


@pytest.mark.parametrize("key", ["", "Start 100", "../start"])
def test_a_key_names_a_file_too(key: str) -> None:
    with pytest.raises(ValueError, match="small letters, digits, dots and dashes"):
        Figure("Start", "s", key=key)


def test_what_was_not_done_right_is_not_ok_however_fast() -> None:
    figure = Figure("Adoption", "s", key="adopt.100")
    figure.add("sbctl", [0.01], target=0.15, wrong="servers were lost")

    assert figure.verdict(figure.rows[0]) == "WRONG: servers were lost"
    assert "WRONG" in figure.lines()[2]


def test_of_many_values_the_spread_is_the_middle_half() -> None:
    figure = Figure("Launcher", "ms", key="launcher")
    figure.add("sbctl", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 900.0])
    figure.add("limit, C", [1.0, 900.0])

    assert figure.lines()[2].split()[2:5] == ["|3", "-", "7|"]
    assert figure.lines()[3].split()[3:6] == ["1", "-", "900"]


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("sbctl", "ours"),
        ("sbctl scheduler", "ours"),
        ("bin/sbctl by a symlink", "ours"),
        ("limit, C", "limit"),
        ("circus", "peer"),
        ("  its median one began", "detail"),
    ],
)
def test_a_rows_name_says_whose_it_is(subject: str, kind: str) -> None:
    assert Row(subject, [1.0]).kind == kind


def test_the_best_peer_is_by_its_median() -> None:
    for better, who in (("less", "s6"), ("more", "circus")):
        figure = Figure("Start", "s", key="start.100", better=better)
        figure.add("sbctl", [0.1])
        figure.add("circus", [3.0, 9.0])
        figure.add("s6", [1.0, 5.0])
        figure.add("runit", [], note="left out")
        figure.add("quick but wrong", [0.5 if better == "less" else 99.0], wrong="half of it is missing")

        best = figure.best("peer")
        assert best is not None
        assert best.subject == who
