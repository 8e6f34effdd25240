"""A history in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.history import History


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "history.db"


@pytest.fixture
def history(file: Path) -> Iterator[History]:
    """Open; what its defects report fails the test, unless the test has looked at them."""
    history = History(file)
    history.writer.open()
    yield history
    history.end()
    assert history.errors == []
