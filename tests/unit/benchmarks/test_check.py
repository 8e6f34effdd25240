"""What is over is measured again; and what the check then says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.figures import FACTS, RUN, figure, kept

from benchmarks import check
from benchmarks.check import Check
from benchmarks.measuring import Taken
from benchmarks.report import Figure

KEPT = kept(
    figure("restart.100", {"sbctl": 20.0, "limit, C": 1.0}, unit="ms"),
    figure("start.100", {"sbctl": 0.3, "limit, C": 0.1}),
    figure("start.500", {"sbctl": 0.6, "limit, C": 0.3}),
)
SLOW, FINE = 60.0, 21.0


DISTURBED = (27.0, 7.2)  # ours, beside a limit that took so many times as long


def answers(restarts: list[float | str | tuple[float, float]], asked: list[str]) -> Callable[[str], Taken]:
    """Start is always fine; restart is what is given, one after the other; a text is why it failed."""

    def take(part: str) -> Taken:
        asked.append(part)
        value = restarts.pop(0) if part == "restart" else 0.3
        if isinstance(value, str):
            return Taken(part, [], RUN, FACTS, value)
        key, unit = ("restart.100", "ms") if part == "restart" else ("start.100", "s")
        limit = 1.0 if part == "restart" else 0.1
        value, limit = value if isinstance(value, tuple) else (value, limit)
        return Taken(part, [figure(key, {"sbctl": value, "limit, C": limit}, unit=unit)], RUN, FACTS, "")

    return take


def checked(restarts: list[float | str | tuple[float, float]], retries: int = 3) -> tuple[Check, list[str]]:
    asked: list[str] = []
    made = Check(KEPT, answers(restarts, asked), 0.25)
    made.run(["start", "restart"], retries)
    return made, asked


def test_all_fine_is_asked_once() -> None:
    made, asked = checked([FINE])

    assert asked == ["start", "restart"]
    assert made.is_good
    assert made.lines(every=False)[-1] == "2 rows compared, 0 worse by more than 25%"


def test_only_the_part_that_is_over_is_measured_again_and_the_best_counts() -> None:
    made, asked = checked([SLOW, SLOW - 10, FINE])

    assert asked == ["start", "restart", "restart", "restart"]
    assert made.is_good
    said = "  better when measured again: restart.100 (sbctl): 3x, then 2.5x, then 1.05x; the best counts"
    assert said in made.lines(every=False)


def test_what_stays_over_is_worse_by_its_best_try() -> None:
    made, asked = checked([SLOW, SLOW - 10, SLOW, SLOW])

    assert asked.count("restart") == 4
    assert not made.is_good
    lines = made.lines(every=False)
    assert lines[1].split()[:5] == ["restart.100", "sbctl", "20", "ms", "50"]
    assert lines[1].endswith("2.5x         WORSE")
    assert not any("start.100" in line.split()[0] for line in lines[2:-1])


def test_a_disturbed_try_is_measured_again_and_does_not_count() -> None:
    made, asked = checked([DISTURBED, FINE])
    assert asked.count("restart") == 2
    assert made.is_good
    said = "restart.100 (sbctl): 0.188x (disturbed), then 1.05x; the best that was not disturbed counts"
    assert f"  better when measured again: {said}" in made.lines(every=False)

    made, asked = checked([SLOW, DISTURBED, SLOW, SLOW])
    assert asked.count("restart") == 4
    assert not made.is_good
    assert made.lines(every=False)[1].endswith("3x           WORSE")


def test_what_is_disturbed_each_time_is_told_and_is_not_good() -> None:
    made, asked = checked([DISTURBED] * 4)

    assert asked.count("restart") == 4
    assert not made.is_good
    lines = made.lines(every=False)
    assert lines[1].startswith("  restart.100")
    assert lines[1].endswith("disturbed: cannot tell")
    assert any("Try again when the machine does nothing else" in line for line in lines)
    assert lines[-1] == "2 rows compared, 0 worse by more than 25%, 1 disturbed"


def test_a_part_that_can_not_be_measured_is_tried_again_and_then_bad() -> None:
    made, _ = checked(["no such thing", FINE])
    assert made.is_good

    made, _ = checked(["no such thing"] * 4)
    assert not made.is_good
    assert "  no such thing" in made.lines(every=False)
    assert made.lines(every=False)[-1].endswith(", 1 parts not measured")


def test_lost_data_is_not_tried_again_until_it_is_gone() -> None:
    def take(part: str) -> Taken:
        made = Figure("Restart", "ms", key="restart.100")
        made.add("sbctl", [1.0], wrong="servers were lost")
        asked.append(part)
        return Taken(part, [made], RUN, FACTS, "")

    asked: list[str] = []
    made = Check(KEPT, take, 0.25)
    made.run(["restart"], 3)

    assert asked == ["restart"]
    assert not made.is_good
    assert "WRONG: servers were lost" in made.lines(every=False)[1]


def test_what_was_kept_of_the_parts_and_not_measured_is_named_once() -> None:
    made, _ = checked([SLOW, FINE])

    assert made.missing == ["start.500"]
    assert "  kept, but not measured now: start.500" in made.lines(every=False)


def test_what_is_not_kept_yet_is_named() -> None:
    made = Check(kept(), answers([FINE], []), 0.25)
    made.run(["restart"], 3)

    assert made.is_good
    assert any("not among what is kept" in line and "restart.100" in line for line in made.lines(every=False))


def test_every_row_can_be_seen() -> None:
    made, _ = checked([FINE])

    assert [line.split()[0] for line in made.lines(every=True)[:3]] == ["figure", "restart.100", "start.100"]


def test_a_quick_run_of_all_counts_is_what_is_compared() -> None:
    found = check.wanted([])

    assert found.quick
    assert {100, 500} <= set(found.counts)
    assert not check.wanted(["--whole"]).quick


def test_parts_of_minutes_are_left_out_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "LONG", ("start",))

    assert check.wanted([]).left_out == ["start"]
    assert "start" not in check.wanted([]).parts
    for asked in (["--whole"], ["--only", "start"]):
        assert check.wanted(asked).left_out == []
        assert "start" in check.wanted(asked).parts


def test_nothing_kept_is_said_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["--against", str(tmp_path / "none.json")]) == 2
    assert "`make bench`" in capsys.readouterr().err

    (tmp_path / "broken.json").write_text("{")
    assert check.main(["--against", str(tmp_path / "broken.json")]) == 2
    assert "can't be used" in capsys.readouterr().err
