"""One run: everybody is made ready, and part after part measured, with what the machine did meanwhile."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import procs
from benchmarks.conditions import Watch, machine
from benchmarks.everybody import everybody
from benchmarks.parts import FIGURES
from benchmarks.peers import versions
from benchmarks.plan import Plan
from benchmarks.report import Figure
from benchmarks.results import Results


class Taken(NamedTuple):
    """What one part gave."""

    part: str
    figures: list[Figure]
    run: str
    facts: dict[str, Any]
    failed: str  # why it gave nothing

    def results(self) -> Results:
        return Results(self.figures, {self.run: self.facts})


class Run:
    def __init__(self, plan: Plan, missing: list[str]) -> None:
        self.plan = plan
        self.missing = missing
        self.machine = machine() | {"peers": versions(plan.subjects)}

    def take(self, part: str) -> Taken:
        watch, figures, failed = Watch(), [], ""
        try:
            figures = distinct(FIGURES[part](self.plan))
        except (procs.TookTooLong, OSError, subprocess.SubprocessError) as error:
            failed = f"{part} could not be measured: {error}"
        except Exception:  # a defect of ours: the other parts are worth having nevertheless
            failed = f"{part} could not be measured, by a defect of the benchmark:\n{traceback.format_exc()}"
        finally:
            procs.end_everything()
        facts: dict[str, Any] = {"part": part, **self.machine, **watch.facts()}
        if self.plan.quick:
            facts["quick"] = True
        if self.missing:
            facts["missing"] = self.missing
        for figure in figures:
            figure.part, figure.run = part, watch.when
        return Taken(part, figures, watch.when, facts, failed)

    def take_all(self, parts: list[str]) -> Iterator[Taken]:
        return (self.take(part) for part in parts)


def distinct(figures: list[Figure]) -> list[Figure]:
    """What is kept is found by its key, so no two may have the same."""
    keys = [figure.key for figure in figures]
    twice = [key for key in keys if keys.count(key) > 1]
    if twice:
        raise ValueError(f"two figures are called {twice[0]}")
    return figures


@contextmanager
def prepared(found: argparse.Namespace) -> Iterator[Run]:
    """A folder, the subjects in it; and nothing that was started outlives this."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _interrupted)
    os.environ.pop("SB_HOME", None)
    procs.adopt_orphans()
    procs.allow_many_files()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=found.folder) as folder:
        try:
            mark = f"sb{secrets.token_hex(3)}"
            subjects, missing = everybody(Path(folder), mark, with_peers=not found.no_peers)
            yield Run(Plan(Path(folder), mark, subjects, found.counts, found.quick), missing)
        finally:
            procs.end_everything()


def _interrupted(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)
