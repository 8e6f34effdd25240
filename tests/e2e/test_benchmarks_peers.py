"""The real peers, as far as they were installed by a run of the benchmarks: each starts, answers, and ends."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.imports import ROOT

from benchmarks import procs
from benchmarks.peers import cache, from_pypi

PEERS = {
    "supervisord",
    "supervisord, group",
    "circus",
    "honcho",
    "pm2",
    "s6",
    "s6, no loggers",
    "runit",
    "runit, no loggers",
}
PARTS = "start,deaf,status"


def is_installed() -> bool:
    python = f"peers-py{sys.version_info.major}.{sys.version_info.minor}"
    return cache.is_complete(cache.folder() / python, "\n".join(from_pypi.WANTED) + "\n")


def rows_of(data: dict[str, Any], key: str) -> dict[str, list[float]]:
    figure = next(figure for figure in data["figures"] if figure["key"] == key)
    return {row["subject"]: row["values"] for row in figure["rows"]}


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """The path of a Unix socket has 107 bytes at most; those of the peers are long."""
    with tempfile.TemporaryDirectory(prefix="sb-") as folder:
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(not is_installed(), reason="the peers are not installed; a run of make bench installs them")
def test_each_peer_starts_answers_and_ends_and_nothing_of_it_is_left(short_folder: Path) -> None:
    argv = [sys.executable, "-m", "benchmarks", "--quick", "--n", "2", "--only", PARTS, "--json"]
    env = {**os.environ, "TMPDIR": str(short_folder)}
    with subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            stdout, stderr = run.communicate(timeout=380)
        finally:
            run.terminate()  # it ends all that it has started, and is waited for

    assert run.returncode == 0, stderr
    data = json.loads(stdout)
    missing = [text for run in data["runs"].values() for text in run.get("missing", [])]
    there = {name for name in PEERS if not any(f"left out: {name}:" in text for text in missing)}
    assert silent(data, "start.2", there) == set()
    assert silent(data, "stop.tree.2", there) == set()
    assert silent(data, "deaf.2", there) <= {"honcho"}
    assert silent(data, "status.command.2", there) <= {"honcho", "supervisord, group"}
    assert silent(data, "status.asked.2", there & {"supervisord", "circus", "pm2"}) == set()
    assert list(short_folder.iterdir()) == []
    assert [pid for pid in procs.pids() if is_of(pid, str(short_folder))] == []


def silent(data: dict[str, Any], key: str, names: set[str]) -> set[str]:
    """Who of them has no value of that figure."""
    rows = rows_of(data, key)
    return {name for name in names if not rows.get(name)}


def is_of(pid: int, folder: str) -> bool:
    with contextlib.suppress(OSError):
        if os.readlink(f"/proc/{pid}/cwd").startswith(folder):
            return True
    return folder.encode() in procs.read(f"/proc/{pid}/cmdline")
