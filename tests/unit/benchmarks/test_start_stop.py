"""Whose starts count as whose, and how often those are stopped who take long for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.figures import start_stop
from benchmarks.figures.start_stop import Times, _figures
from benchmarks.ours import Ours, OursByCommand
from benchmarks.peers.supervisord import Supervisord
from benchmarks.plan import Plan


def test_starts_by_the_same_command_are_one_row(tmp_path: Path) -> None:
    """However their trees were stopped afterwards; stops are rows of their own."""
    subjects = [Ours(tmp_path, "x"), OursByCommand(tmp_path, "x")]
    plan = Plan(tmp_path, "x", list(subjects), [100], quick=True)
    times = {subject.name: Times() for subject in subjects}
    for number, found in enumerate(times.values()):
        found.start, found.children_gone, found.tree_gone = [number + 0.1], [number + 0.2], [number + 0.3]

    start, stop, tree = _figures(plan, 100, list(subjects), times)

    assert [(row.subject, row.values) for row in start.rows] == [("sbctl", [0.1, 1.1])]
    assert [(row.subject, row.values) for row in stop.rows] == [("sbctl", [0.2]), ("sbctl, by command", [1.2])]
    assert len(tree.rows) == 2


def rounds(plan: Plan, subject: Supervisord, count: int, took: list[float], monkeypatch: pytest.MonkeyPatch) -> Times:
    """As many as there are, where the stops take so long."""
    stops = iter(took)

    def stop(_subject: object) -> tuple[float, float]:
        seconds = next(stops)
        return seconds, seconds

    monkeypatch.setattr(subject, "start", lambda _count: 1.0)
    monkeypatch.setattr(start_stop, "stop", stop)
    times = Times()
    for turn in range(plan.rounds + 1):
        start_stop._one(plan, subject, count, turn, times)
    return times


@pytest.mark.parametrize(
    ("took", "counted", "note"),
    [
        ([0.9, 4.0, 1.0], 3, "3 rounds"),
        ([0.9, 22.0, 9.0], 3, "3 rounds"),
        ([9.0, 22.0], 2, "2 rounds"),
        ([35.0], 1, "one round"),
    ],
)
def test_a_stop_that_may_take_long_is_taken_three_times_while_there_is_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, took: list[float], counted: int, note: str
) -> None:
    plan = Plan(tmp_path, "x", [], [100], quick=False)
    subject = Supervisord(tmp_path, "x", tmp_path)

    times = rounds(plan, subject, 100, took, monkeypatch)

    assert len(times.start) == 5
    assert times.children_gone == took[:counted]
    assert start_stop._stop_note(plan, subject, 100, len(times.tree_gone)) == note


def test_of_a_stop_that_is_left_out_no_seconds_are_told(tmp_path: Path) -> None:
    """What it takes supervisord is chance, a hundred times less or more."""
    plan = Plan(tmp_path, "x", [], [100], quick=False)

    said = start_stop._stop_note(plan, Supervisord(tmp_path, "x", tmp_path), 500, 0)

    assert said == "left out: it does not stop all at once, and may take minutes"
