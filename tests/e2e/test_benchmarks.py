"""The benchmarks as `make bench` and `make bench-check` call them, with the smallest figure there is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.imports import ROOT

SMALL = ("--only", "launcher", "--no-peers", "--n", "2")
KEY = "launcher"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)


def files() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (ROOT / "benchmarks").glob("[Rr][Ee][Ss]*.[mj]*")}


def figure_of(data: dict[str, Any]) -> dict[str, Any]:
    return next(figure for figure in data["figures"] if figure["key"] == KEY)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_quick_run_keeps_nothing_and_the_check_finds_what_got_worse(tmp_path: Path) -> None:
    before = files()
    measured = run("benchmarks", *SMALL, "--quick", "--json")
    assert measured.returncode == 0, measured.stderr
    assert "not kept: with --quick, --no-peers, --n" in measured.stderr
    assert files() == before
    data = json.loads(measured.stdout)
    assert data["runs"][figure_of(data)["run"]]["bare_python_ms"] > 0

    kept = tmp_path / "results.json"
    kept.write_text(measured.stdout)
    same = run("benchmarks.check", *SMALL, "--against", str(kept), "--slack", "100")
    assert same.returncode == 0, same.stdout + same.stderr
    assert "2 rows compared, 0 worse" in same.stdout

    for row in figure_of(data)["rows"]:
        if "sbctl" in row["subject"]:
            row["values"] = [value / 4 for value in row["values"]]
    kept.write_text(json.dumps(data))
    worse = run("benchmarks.check", *SMALL, "--against", str(kept), "--retries", "1")
    assert worse.returncode == 1, worse.stdout + worse.stderr
    assert "over or disturbed, once more (1 of 1): launcher" in worse.stderr
    assert worse.stdout.count("WORSE") == 2
    assert "2 rows compared, 2 worse by more than 25%" in worse.stdout
