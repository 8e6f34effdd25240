"""The table of faults says the truth about the files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.fault_rows import ROWS, Row

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.ids.replace(" ", "-"))
def test_each_row_has_tests_that_name_it_or_a_reason(row: Row) -> None:
    assert row.files or row.waiting
    for name in row.files:
        text = (TESTS / name).read_text()
        assert "def test_" in text
        named = set(re.findall(r"\bR\d\d\b", text.partition('"""')[2].partition('"""')[0]))
        assert named & set(row.ids.split()), f"{name} does not say which row it is about"
    named_by_files = {id for name in row.files for id in re.findall(r"\bR\d\d\b", (TESTS / name).read_text())}
    assert row.waiting or set(row.ids.split()) <= named_by_files


def test_each_file_of_faults_is_in_the_table() -> None:
    known = {name for row in ROWS for name in row.files}
    files = {f"faults/{path.name}" for path in (TESTS / "faults").glob("test_*.py")}
    assert files - known == {"faults/test_rows.py"}
