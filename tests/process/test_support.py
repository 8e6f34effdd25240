"""The harness itself: a test that waits for the wrong thing, or leaves processes behind, proves nothing."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import MakeHome
from support import journal
from support.children import child
from support.home import TemporaryHome
from support.ports import free_port
from support.processes import alive, kill, pids_of_home
from support.waiting import eventually

Run = Any


@pytest.fixture
def run(home: TemporaryHome) -> Iterator[Run]:
    """Start a child program as if it belonged to the home, and read its output line by line."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            child(name, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=home.environment(),
            cwd=home.path,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    home.end()
    for process in started:
        process.wait(10)
        if process.stdout:
            process.stdout.close()


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout
    return [process.stdout.readline().rstrip("\n") for _ in range(count)]


def test_eventually_returns_what_it_waited_for() -> None:
    values = iter([0, "", "there"])

    assert eventually(lambda: next(values)) == "there"


def test_eventually_says_what_it_saw_last() -> None:
    with pytest.raises(AssertionError, match=r"the light turns green \(last seen: \[\]\)"):
        eventually(list, timeout=0.01, message="the light turns green")


def test_crash_after_ends_with_its_code(run: Run) -> None:
    process = run("crash_after", 0, 7)

    assert (lines(process, 2), process.wait(5)) == (["ready", "ending with 7"], 7)


def test_crash_after_can_die_by_a_signal(run: Run) -> None:
    assert run("crash_after", 0, -9).wait(5) == -9


def test_ignore_term_outlives_every_polite_signal(run: Run) -> None:
    process = run("ignore_term")
    assert lines(process, 1) == ["ready"]

    process.send_signal(signal.SIGTERM)

    assert lines(process, 1) == ["ignored SIGTERM"]
    assert alive(process.pid)


def test_grandchild_leaves_a_helper_in_its_group(run: Run) -> None:
    process = run("grandchild", 0.01)
    helper = int(lines(process, 2)[0].split()[1])

    assert process.wait(5) == 3
    assert alive(helper)


@pytest.mark.parametrize("how", [[], ["bare"]])
def test_escape_leaves_a_helper_in_another_session(run: Run, how: list[str]) -> None:
    process = run("escape", *how)
    helper = int(lines(process, 2)[0].split()[1])

    session = int(Path(f"/proc/{helper}/stat").read_text().rpartition(")")[2].split()[3])
    assert session not in (process.pid, helper)
    assert kill(helper)


def test_spew_counts_its_lines(run: Run) -> None:
    out = run("spew", 1234, 0, 40).communicate(timeout=10)[0].splitlines()[1:]

    assert [int(line[:10]) for line in out] == list(range(1234))
    assert {len(line) for line in out} == {39}


def test_print_signals_names_what_it_gets(run: Run) -> None:
    process = run("print_signals")
    assert lines(process, 1) == [f"ready (pid: {process.pid})"]

    process.send_signal(signal.SIGUSR1)
    process.send_signal(signal.SIGTERM)

    assert set(lines(process, 2)) == {"got SIGUSR1", "got SIGTERM"}
    assert process.wait(5) == 0


def test_ready_ends_well_when_asked(run: Run) -> None:
    process = run("ready")
    assert lines(process, 1) == ["ready"]

    process.send_signal(signal.SIGTERM)

    assert (lines(process, 1), process.wait(5)) == (["bye"], 0)


def test_a_home_ends_its_processes_and_no_others(make_home: MakeHome, run: Run, home: TemporaryHome) -> None:
    other = make_home(f"{home.path.name}10")
    process = run("grandchild")
    helper = int(lines(process, 2)[0].split()[1])
    stranger = subprocess.Popen(child("ready"), env=other.environment(), stdout=subprocess.DEVNULL)

    assert pids_of_home(str(home)) == sorted([process.pid, helper])
    home.end()

    assert not alive(process.pid)
    assert not alive(helper)
    assert alive(stranger.pid)
    other.end()
    stranger.wait(5)


def test_ports_differ() -> None:
    assert len({free_port() for _ in range(20)}) == 20


def test_a_journal_may_be_torn_where_its_writer_was_killed_and_nowhere_else() -> None:
    whole = '{"seq":"1.1","kind":"tick"}\n'
    torn = '{"seq":"1.2","ki\n'
    assert [event["seq"] for event in journal.read(whole + torn + '{"seq":"2.1"}\n{"seq":"2.')] == ["1.1", "2.1"]
    with pytest.raises(AssertionError, match="whose writer went on"):
        journal.read(whole + torn + '{"seq":"1.3"}\n')
