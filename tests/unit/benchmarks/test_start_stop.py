"""Whose starts count as whose."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figures.start_stop import Times, _figures
from benchmarks.ours import Ours, OursByCommand
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
