"""The table of faults and the tests say the same."""

from __future__ import annotations

import pytest
from support.fault_rows import ROWS, TESTS, Row, files_of

FILES = files_of()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.ids.replace(" ", "-"))
def test_each_number_is_named_by_a_test_or_waits_for_a_reason(row: Row) -> None:
    for id in row.ids.split():
        assert FILES.get(id) or row.waiting, f"no test names {id} in its first lines ({row.fault})"


def test_each_file_of_faults_is_about_a_row_of_the_table() -> None:
    known = {name for row in ROWS for id in row.ids.split() for name in FILES.get(id, ())}
    files = {f"faults/{path.name}" for path in (TESTS / "faults").glob("test_*.py")}
    assert files - known == {"faults/test_rows.py"}


def test_people_can_read_of_each_row() -> None:
    text = (TESTS.parent / "docs" / "faults.md").read_text()
    assert [row.ids for row in ROWS if f"| {row.ids} |" not in text] == []
    assert [row.ids for row in ROWS if row.waiting and "not built yet" not in text] == []
