"""A folder of settings files, and what is found in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.settings.settings_files import SettingsFiles


@pytest.fixture(autouse=True)
def ordinary_umask() -> Iterator[None]:
    """As root, files that a group can write are refused: these must come from the test, not from the shell."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def files(tmp_path: Path) -> SettingsFiles:
    return SettingsFiles(tmp_path / "home")
