"""Made-up figures of the benchmarks."""

from __future__ import annotations

from typing import Any

from benchmarks.report import Figure
from benchmarks.results import Results

RUN = "2026-01-02T03:04:05Z"
FACTS: dict[str, Any] = {
    "part": "start",
    "processor": "AMD EPYC",
    "cores": 2,
    "kernel": "6.1",
    "python": "3.11.4",
    "version": "0.1.0",
    "commit": "0123456789",
    "seconds": 12.5,
    "load_before": 0.5,
    "load_after": 1.25,
    "stolen_percent": 0.2,
    "others_percent": 3.0,
    "bare_python_ms": 9.8,
}


def figure(
    key: str,
    rows: dict[str, float | list[float]],
    *,
    unit: str = "s",
    better: str = "less",
    target: float | None = None,
) -> Figure:
    """Rows by their names; the target is of the first of ours."""
    made = Figure(f"The figure {key}", unit, key=key, better=better)
    made.part, made.run = key.partition(".")[0], RUN
    for subject, given in rows.items():
        values = given if isinstance(given, list) else [given]
        made.add(subject, values, target=target if subject == "sbctl" else None)
    return made


def kept(*figures: Figure) -> Results:
    return Results(list(figures), {RUN: FACTS})
