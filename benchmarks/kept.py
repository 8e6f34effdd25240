"""Writes what is kept: results.json, and the page and the charts that are made from it."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks import results
from benchmarks.charts import chart, file_name, has_chart
from benchmarks.markdown import page
from benchmarks.results import Results

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_name("RESULTS.md")
CHARTS = ROOT / "docs" / "charts"


def files_of(found: Results) -> dict[Path, str]:
    """Every file and its text."""
    charts = {CHARTS / file_name(figure): chart(figure) for figure in found.figures if has_chart(figure)}
    return {results.FILE: found.text(), PAGE: page(found), **charts}


def write(found: Results) -> None:
    """Each file in one step; charts of figures that are no more go."""
    CHARTS.mkdir(parents=True, exist_ok=True)
    files = files_of(found)
    for file, text in files.items():
        fresh = file.with_name(f".{file.name}.new")
        fresh.write_text(text)
        os.replace(fresh, file)
    for old in set(CHARTS.glob("*.svg")) - set(files):
        old.unlink()


if __name__ == "__main__":  # after a change of how they look
    write(results.read())
