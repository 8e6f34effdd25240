"""RESULTS.md and the charts, made from what is kept."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from support.figures import FACTS, RUN, figure, kept
from support.imports import ROOT

from benchmarks import lacks
from benchmarks.charts import Scale, chart, has_chart
from benchmarks.markdown import page
from benchmarks.report import Figure
from benchmarks.results import Results, read

SVG = "{http://www.w3.org/2000/svg}"


def a_start(ours: float = 0.25) -> Figure:
    return figure("start.100", {"sbctl": ours, "circus": 0.5, "s6": 0.75, "limit, C": 0.05}, target=0.3)


def line_with(text: str, words: str) -> str:
    return next(line for line in text.splitlines() if words in line)


def test_the_summary_says_what_was_reached_beside_the_best_peer_and_the_limit() -> None:
    line = line_with(page(kept(a_start())), "100 servers run after")

    cells = [cell.strip() for cell in line.split("|")]
    assert cells[2:-1] == ["<= 0.3 s", "0.25", "circus 0.5 (2x)", "C 0.05 (0.2x)", "reached"]


def test_what_was_not_reached_is_said_and_by_how_much() -> None:
    text = page(kept(a_start(ours=0.6)))

    assert line_with(text, "100 servers run after").endswith("| **over**, 2x of it |")
    assert "0 reached, 1 not, " in text


def test_what_was_not_measured_is_named() -> None:
    text = page(kept(a_start()))

    assert "- restart of 1 of 100 after kill -9 (`restart.100`)" in text
    assert "(`start.100`)" not in text


def test_a_peer_that_is_ahead_is_named() -> None:
    ahead = page(kept(a_start(ours=0.6))).partition("## Where another is ahead")[2]

    assert "| The figure start.100 | s | circus | 0.5 | 0.6 | 0.833x |  |" in ahead
    assert "s6" not in ahead.partition("##")[0]
    assert "No peer is ahead" in page(kept(a_start()))


def test_where_more_is_better_the_faster_peer_is_ahead() -> None:
    one = figure("logs.speed.1", {"sbctl": 900.0, "supervisord": 955.0, "s6": 217.0}, unit="MB/s", better="more")

    text = page(kept(one))
    assert "| supervisord | 955 | 900 | 1.06x |" in text
    assert "1 in all; 1 of them supervisord or APScheduler at the same work, where there should be none.\n" in text
    one.rows[1].wrong = "not exact"
    assert "No peer is ahead" in page(kept(one))


def test_who_is_ahead_for_doing_less_is_shown_and_says_what() -> None:
    rows = {"sbctl": 0.13, "APScheduler, memory": 0.09, "APScheduler, the same work": 0.18, "s6, no loggers": 0.12}

    ahead = page(kept(figure("schedules.commands.200", rows))).partition("## Where another is ahead")[2]

    assert "2 in all; 0 of them supervisord or APScheduler at the same work" in ahead
    assert "; 1 where they do less.\n" in ahead
    assert line_with(ahead, "| APScheduler, memory | 0.09").endswith(
        "| claims nothing, keeps no output, writes nothing down |"
    )
    assert line_with(ahead, "| s6, no loggers | 0.12").endswith("| captures no output |")


def test_who_is_ahead_with_loggers_too_is_not_ahead_for_having_none() -> None:
    with_loggers = {"sbctl": 15.0, "runit": 1.6, "runit, no loggers": 1.5, "s6": 16.0, "s6, no loggers": 14.0}
    one = figure("status.command.100", with_loggers, unit="ms")

    ahead = page(kept(one)).partition("## Where another is ahead")[2]
    assert line_with(ahead, "| runit, no loggers | 1.5").endswith("| 0.1x |  |")
    assert line_with(ahead, "| s6, no loggers | 14").endswith("| captures no output |")

    one.rows[1].wrong = "lost"
    assert lacks.of(one, "runit, no loggers", 15.0) == "captures no output"


def test_each_command_of_a_peer_is_beside_the_same_one_with_loggers() -> None:
    rows = {"sbctl status": 22.0, "runit: sv status": 30.0, "runit, no loggers: sv status": 1.0, "runit": 1.0}

    said = lacks.of(figure("commands.10", rows, unit="ms"), "runit, no loggers: sv status", 22.0)

    assert said == "captures no output"


def test_circus_answers_less_over_an_open_connection_only() -> None:
    def said(key: str) -> str:
        return lacks.of(figure(key, {"sbctl": 1.0, "circus": 0.5}), "circus", 1.0)

    assert said("status.asked.10") == "answers with names and states only"
    assert said("status.command.10") == ""


def test_apscheduler_lacks_in_each_figure_what_ours_does_in_that_one() -> None:
    """And where it does the same, being ahead is not explained away."""

    def said(key: str, who: str = "APScheduler, memory") -> str:
        return lacks.of(figure(key, {"sbctl": 1.0, who: 0.5}), who, 1.0)

    assert said("schedules.load.10000") == "keeps no job for its next start, and has no history to read"
    assert said("schedules.first.10000") == "is told its jobs in code: reads, checks and keeps no file of them"
    assert said("schedules.due.1000.last").endswith("asks no gate, claims nothing")
    assert said("schedules.commands.200") == said("spawn.commands.1000") == lacks.NOTHING_KEPT
    assert said("schedules.memory.10000") == ""
    assert said("schedules.load.10000", "APScheduler, SQLite") == ""
    assert said("schedules.commands.200", "APScheduler, the same work") == ""


def test_each_name_that_lacks_something_is_one_of_a_peer() -> None:
    known = {row.subject.partition(":")[0] for figure in read().figures for row in figure.rows}

    assert {*lacks.OF, *(who for who, _ in lacks.AT)} <= known


def test_a_best_peer_that_does_less_is_marked_in_the_summary() -> None:
    line = line_with(
        page(kept(figure("start.100", {"sbctl": 0.2, "s6": 0.3, "s6, no loggers": 0.1}))), "100 servers run"
    )

    assert "| s6, no loggers 0.1 (0.5x, does less) |" in line


def test_what_went_wrong_is_not_reached() -> None:
    one = Figure("Adoption", "s", key="adopt.100")
    one.add("sbctl", [0.01], target=0.15, wrong="servers were lost")

    assert line_with(page(kept(one)), "scheduler killed").endswith("| WRONG: servers were lost |")


def test_each_part_says_when_it_was_measured_and_under_what_load() -> None:
    line = line_with(page(kept(a_start())), "2026-01-02 03:04:05 UTC, commit 0123456789")

    assert "load 0.5 before and 1.25 after" in line
    assert "0.2 % of the processors stolen" in line


def test_what_was_not_measured_alone_is_said_on_top() -> None:
    assert "not alone" not in page(kept(a_start()))

    disturbed = Results([a_start()], {RUN: {**FACTS, "others_percent": 8.0, "stolen_percent": 3.0}})

    top = page(disturbed).partition("## To reach")[0]
    assert "**not alone**: others used more than 10 % of the processors during start" in top


def test_nothing_kept_is_a_page_too() -> None:
    assert "Nothing has been kept yet" in page(kept())


# charts


def drawn(one: Figure) -> ET.Element:
    return ET.fromstring(chart(one))


def bars(root: ET.Element) -> dict[str, float]:
    found = list(root.iter(f"{SVG}rect"))
    names = [text.text or "" for text in root.iter(f"{SVG}text") if text.get("text-anchor") == "end"]
    return {name: float(bar.get("width") or 0) for name, bar in zip(names, found, strict=True)}


def test_bars_are_as_long_as_their_values() -> None:
    widths = bars(drawn(a_start()))

    assert widths["circus"] == pytest.approx(2 * widths["sbctl"], rel=0.01)
    assert widths["s6"] == pytest.approx(3 * widths["sbctl"], rel=0.01)


def test_values_that_differ_much_are_drawn_by_their_logarithm() -> None:
    widths = bars(drawn(figure("restart.100", {"sbctl": 2.0, "s6": 1000.0, "limit, C": 1.0}, unit="ms")))

    assert widths["s6"] < 20 * widths["limit, C"]
    assert widths["s6"] > widths["sbctl"] > widths["limit, C"] > 10


def test_ours_stands_out_and_the_target_is_marked() -> None:
    root = drawn(a_start())

    assert [bar.get("class") for bar in root.iter(f"{SVG}rect")] == ["ours", "peer", "peer", "limit"]
    assert [line.get("class") for line in root.iter(f"{SVG}line")].count("target") == 1


def test_who_can_not_see_it_gets_the_title_and_every_value() -> None:
    root = drawn(figure("start.100", {"sbctl <&>": 0.25, "circus": 0.5}))

    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert title.text == "The figure start.100"
    assert description.text == "Medians in s, less is better. sbctl <&> 0.25; circus 0.5."
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert root.get("role") == "img"


def test_a_dark_page_has_colours_of_its_own() -> None:
    assert "@media(prefers-color-scheme:dark)" in chart(a_start())


def test_nothing_is_drawn_beyond_the_edge() -> None:
    for rows in ({"sbctl": [0.0, 3.0], "circus": [2.0]}, {"sbctl": [0.001, 5.0], "circus": [900.0]}):
        root = drawn(figure("start.100", dict(rows), target=1200.0))
        width = float(root.get("width") or 0)
        places = [float(line.get(end) or 0) for line in root.iter(f"{SVG}line") for end in ("x1", "x2")]
        assert 0 < min(places) <= max(places) < width


def test_one_row_alone_is_no_chart() -> None:
    assert has_chart(a_start())
    assert not has_chart(figure("adopt.100", {"sbctl": 0.1, "  of it": 0.05}))


@pytest.mark.parametrize("most", [0.004, 0.3, 1.0, 1.9, 5.0, 7.0, 9.99, 1285.0])
def test_an_axis_has_a_few_ticks(most: float) -> None:
    assert 2 <= len(Scale([most, most / 2]).ticks()) <= 6


# what is in the repository


@pytest.mark.parametrize("name", ["docs/benchmarks.md", "benchmarks/RESULTS.md"])
def test_links_and_charts_are_there(name: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text())

    assert links
    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


def test_the_pages_are_what_the_results_make() -> None:
    from benchmarks import kept as writer
    from benchmarks import results

    for file, text in writer.files_of(results.read()).items():
        assert Path(file).read_text() == text, "`python -m benchmarks.kept` makes it again"
