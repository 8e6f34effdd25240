"""The page of states is the one that the table draws."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "states.md"


def test_page_is_up_to_date(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "supervisor.core.diagram", raising=False)
    runpy.run_module("supervisor.core.diagram", run_name="__main__")
    drawn = capsys.readouterr().out
    assert drawn == PAGE.read_text(), "python -m supervisor.core.diagram > docs/states.md"
    assert "running --> starting: Exited" in drawn
