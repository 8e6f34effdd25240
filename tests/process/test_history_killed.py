"""R13: the writer of the history is killed at any moment: what it called durable is there, and all counts once."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path

import pytest
from support.children import child
from support.history import query

from supervisor.store import backup


def life(file: Path, first: int, moment: int) -> list[list[str]]:
    """What one child says until it is killed, `moment` lines after its beginning."""
    process = subprocess.Popen(child("history_writer", file, first), stdout=subprocess.PIPE)
    assert process.stdout is not None
    lines = [next(process.stdout) for _ in range(moment)]
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.read().splitlines(keepends=True)
    process.stdout.close()
    process.wait()
    return [line.decode().split() for line in lines if line.endswith(b"\n")]


def check(file: Path, claimed: set[str], ended: set[str]) -> int:
    """The newest number in the file."""
    assert backup.check(str(file)) == []
    states = dict(query(file, "SELECT id, state FROM runs"))
    assert claimed - states.keys() == set()
    assert {run for run in ended if states[run] != "succeeded"} == set()
    over = sum(state == "succeeded" for state in states.values())
    assert query(file, "SELECT total, succeeded FROM schedules") == [(over, over)]
    assert query(file, "SELECT count(*) FROM slots WHERE outcome = 'run'") == [(over,)]
    assert query(file, "SELECT count(*) FROM slots") == [(len(states),)]
    return max(int(run[1:]) for run in states)


@pytest.mark.parametrize("kills", [10, pytest.param(300, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_what_was_called_durable_outlives_every_kill(tmp_path: Path, kills: int) -> None:
    file = tmp_path / "history.db"
    claimed: set[str] = set()
    ended: set[str] = set()
    chance = random.Random(kills)
    newest = 0
    for _ in range(kills):
        said = life(file, newest, chance.randint(1, 400))
        assert {words[0] for words in said} <= {"loaded", "claimed", "ended"}
        assert said[0] == ["loaded"]  # without trouble
        claimed |= {words[1] for words in said if words[0] == "claimed"}
        ended |= {words[1] for words in said if words[0] == "ended"}
        newest = check(file, claimed, ended) if claimed else 0

    assert len(ended) > kills * 10
    assert [each.name for each in tmp_path.iterdir() if "broken" in each.name] == []
