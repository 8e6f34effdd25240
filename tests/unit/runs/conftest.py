"""Each test has a home of its own, at 09:00 UTC on a Thursday."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.desk import DeskWorld, desk_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DeskWorld]:
    with desk_world(tmp_path) as world:
        yield world
