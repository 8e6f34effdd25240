"""What is kept of the benchmarks, and how a later run changes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.figures import RUN, figure, kept

from benchmarks import results
from benchmarks.results import Results, Unreadable, merged

LATER = "2026-01-03T00:00:00Z"
PARTS = ("start", "restart", "status")


def later(*keys: str) -> Results:
    figures = [figure(key, {"sbctl": 7.0}) for key in keys]
    for one in figures:
        one.run = LATER
    return Results(figures, {LATER: {"commit": "later"}})


def test_what_is_written_is_read_again() -> None:
    one = figure("start.100", {"sbctl": [0.25, 0.123456789], "limit, C": [0.05]}, target=0.3)
    one.waits = 1.0
    one.add("circus", [], note="left out: no network")
    one.add("runit", [1.0], wrong="servers were lost")

    found = results.parse(kept(one).text())

    assert found.text() == kept(one).text()
    assert found.figures[0].waits == 1.0
    assert found.figures[0].rows[0].values == [0.25, 0.12346]
    assert found.figures[0].rows[0].target == 0.3
    assert found.figures[0].rows[2].note == "left out: no network"
    assert found.figures[0].rows[3].wrong == "servers were lost"
    assert found.runs[RUN]["commit"] == "0123456789"


def test_a_row_is_a_line_so_that_differences_can_be_read() -> None:
    lines = kept(figure("start.100", {"sbctl": [0.25, 0.5]})).text().splitlines()

    assert '   {"subject": "sbctl", "values": [0.25, 0.5]}' in lines


def test_a_run_of_one_part_leaves_the_others_as_they_were() -> None:
    old = kept(figure("start.100", {"sbctl": 1.0}), figure("restart.100", {"sbctl": 2.0}))

    found = merged(old, later("restart.100"), order=PARTS)

    assert [(one.key, one.run, one.rows[0].median) for one in found.figures] == [
        ("start.100", RUN, 1.0),
        ("restart.100", LATER, 7.0),
    ]
    assert set(found.runs) == {RUN, LATER}


def test_another_count_is_another_figure() -> None:
    old = kept(figure("start.100", {"sbctl": 1.0}), figure("start.500", {"sbctl": 2.0}))

    found = merged(old, later("start.500", "start.10"), order=PARTS)

    assert [(one.key, one.run) for one in found.figures] == [
        ("start.100", RUN),
        ("start.500", LATER),
        ("start.10", LATER),
    ]


def test_a_whole_run_of_a_part_leaves_nothing_of_an_old_one() -> None:
    old = kept(figure("start.100", {"sbctl": 1.0}), figure("start.77", {"sbctl": 2.0}))

    found = merged(old, later("start.100"), order=PARTS, whole=["start"])

    assert [one.key for one in found.figures] == ["start.100"]
    assert set(found.runs) == {LATER}


def test_parts_come_in_their_order_and_one_that_is_no_more_goes() -> None:
    old = kept(figure("status.100", {"sbctl": 1.0}), figure("telepathy.1", {"sbctl": 1.0}))

    found = merged(old, later("start.100"), order=PARTS)

    assert [one.key for one in found.figures] == ["start.100", "status.100"]


def test_nothing_kept_yet_is_empty(tmp_path: Path) -> None:
    assert results.read(tmp_path / "results.json").figures == []


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', '{"format": 99, "figures": []}', "{"])
def test_what_can_not_be_read_is_said_with_a_way_out(tmp_path: Path, text: str) -> None:
    file = tmp_path / "results.json"
    file.write_text(text)

    with pytest.raises(Unreadable, match=r"results\.json can't be used: .*make bench ARGS='--json'"):
        results.read(file)


def test_only_of_the_kept_file_git_has_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path.resolve() / "results.json"
    file.write_text("{")
    monkeypatch.setattr(results, "FILE", file)

    with pytest.raises(Unreadable, match=r"`git checkout -- .*results\.json` brings the kept one back"):
        results.read(file)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("[0.25, 0.5]", "[null, 0.5]", "a value of 'sbctl' of 'start.100' is null, not a number"),
        ("[0.25, 0.5]", '["0.25", 0.5]', "a value of 'sbctl' of 'start.100' is \"0.25\", not a number"),
        ("[0.25, 0.5]", "[NaN]", "a value of 'sbctl' of 'start.100' is NaN, not a number"),
        ("[0.25, 0.5]", "[true]", "a value of 'sbctl' of 'start.100' is true, not a number"),
        ("[0.25, 0.5]", "0.25", "the values of 'sbctl' of 'start.100' are 0.25, not a list"),
        ('"target": 0.3', '"target": "x"', "the target of 'sbctl' of 'start.100' is \"x\", not a number"),
        ('"unit": "s"', '"unit": null', "unit of 'start.100' is null, not a text"),
        ('"better": "less"', '"better": 1', "better of 'start.100' is 1, not less or more"),
        ('"bare_python_ms": 9.8', '"bare_python_ms": "x"', 'bare_python_ms of the run .* is "x", not a number'),
        ('"subject"', '"subjekt"', "KeyError: 'subject'"),
    ],
)
def test_damage_is_found_before_anything_is_measured(tmp_path: Path, was: str, now: str, said: str) -> None:
    text = kept(figure("start.100", {"sbctl": [0.25, 0.5]}, target=0.3)).text()
    assert was in text
    (tmp_path / "results.json").write_text(text.replace(was, now))

    with pytest.raises(Unreadable, match=said):
        results.read(tmp_path / "results.json")
