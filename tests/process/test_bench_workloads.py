"""The children of the benchmarks do what is said of them, those in C and those that stand in for them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import eventually

from benchmarks import procs, workloads
from benchmarks.figures.logs import BLOCK

HAS_COMPILER = bool(shutil.which("cc") or shutil.which("gcc"))


@pytest.fixture(scope="module", params=["C", "stand-ins"])
def work(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    if request.param == "C":
        if not HAS_COMPILER:
            pytest.skip("no C compiler")
        assert workloads.build(folder) == ""
    return folder


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for child in started:
        child.kill()
        child.wait(10)


def test_a_sleeper_is_seen_under_the_name_of_its_link_and_ends_by_sigterm(
    work: Path, children: list[subprocess.Popen[bytes]]
) -> None:
    child = subprocess.Popen(workloads.command(work, "sleep", link=work / "links" / "sleeper7"))
    children.append(child)
    eventually(lambda: procs.read(f"/proc/{child.pid}/comm") == b"sleeper7\n")
    child.terminate()
    assert child.wait(10) == -signal.SIGTERM


def test_a_deaf_one_outlives_everything_but_sigkill(work: Path, children: list[subprocess.Popen[bytes]]) -> None:
    child = subprocess.Popen(workloads.command(work, "deaf", link=work / "links" / "deaf7"))
    children.append(child)
    eventually(lambda: procs.ignores(child.pid, signal.SIGTERM))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        child.send_signal(number)
    child.send_signal(signal.SIGCONT)
    assert procs.is_alive(child.pid)
    child.kill()
    assert child.wait(10) == -signal.SIGKILL


def test_a_writer_waits_for_its_gate_and_writes_whole_blocks(
    work: Path, tmp_path: Path, children: list[subprocess.Popen[bytes]]
) -> None:
    gate, ready, output = tmp_path / "gate", tmp_path / "ready", tmp_path / "output"
    os.mkfifo(gate)
    with output.open("wb") as file:
        argv = [*workloads.command(work, "writer"), str(ready), str(gate), "300"]
        children.append(subprocess.Popen(argv, stdout=file))
    eventually(ready.exists)
    assert output.stat().st_size == 0
    os.close(os.open(gate, os.O_WRONLY))
    eventually(lambda: output.stat().st_size == 300 * len(BLOCK))
    assert output.read_bytes() == BLOCK * 300
    assert children[0].poll() is None  # a writer that ends would be started again


def test_without_a_compiler_it_says_so_and_nothing_is_half_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert workloads.build(tmp_path) == "no C compiler"
    assert not workloads.is_built(tmp_path)


def test_with_a_compiler_that_fails_it_says_why_and_nothing_is_half_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "cc"
    # Makes the first one, and then can't any more.
    compiler.write_text(
        '#!/bin/sh\nfor last; do :; done\ncase $last in *sleep) echo "no space" >&2; exit 1 ;; esac\n: >"$last"\n'
    )
    compiler.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert workloads.build(tmp_path) == "sleep.c: no space"
    assert not workloads.is_built(tmp_path)
    assert not (tmp_path / "bin").exists()
