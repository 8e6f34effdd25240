"""What the doctor makes of a tree whose files were taken from it: no file tells of it, only its title does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import eventually

from supervisor.base import proc
from supervisor.base.errors import TIMED_OUT, Problem
from supervisor.base.files import write_pid_file
from supervisor.cli.doctor import exam, pid_files, strays, tree
from supervisor.cli.doctor.check import PROBLEM
from supervisor.cli.doctor.exam import Exam
from supervisor.cli.unreached import role_of
from supervisor.model.home import Home
from supervisor.model.identity import id_line

MARK = "0123456789abcdef"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(str(tmp_path))
    os.makedirs(made.run, 0o700)
    Path(made.id_file).write_bytes(id_line(made, MARK))
    return made


@pytest.fixture
def start(home: Home) -> Iterator[int]:
    """As `start` is named, and with none of its files."""
    with subprocess.Popen([f"sbctl: start {home}"], executable="/bin/cat", stdin=subprocess.PIPE) as process:
        eventually(lambda: role_of(process.pid, home) == "start")
        yield process.pid
        process.kill()


@pytest.fixture
def server() -> Iterator[int]:
    env = {"SB_HOME_ID": MARK, "SB_KEY": "web.0"}
    with subprocess.Popen(["/bin/sleep", "1000"], env=env) as process:
        eventually(lambda: proc.environment_of(process.pid).get(b"SB_KEY") == b"web.0")
        yield process.pid
        process.kill()


def test_nothing_is_ended_while_a_start_without_files_lives(home: Home, server: int, start: int) -> None:
    seen = Exam(home).look()
    assert (seen.holder, seen.trees, seen.runs) == (None, [start], True)
    lock = tree.look(seen)[0]
    assert f"pid {start}" in lock.what
    assert "stopped" not in lock.what
    (left,) = strays.look(seen)
    assert f"(pid {server}," in left.what
    assert left.mend is None
    write_pid_file(home.pid_file("scheduler"), 999_999_999)
    assert not any(check.mend for check in pid_files.look(seen))


def test_what_is_left_is_not_ended_if_a_start_has_begun_meanwhile(home: Home, server: int) -> None:
    (left,) = strays.look(Exam(home).look())
    assert (left.level, left.mend is None) == (PROBLEM, False)
    assert left.mend is not None
    with subprocess.Popen([f"sbctl: start {home}"], executable="/bin/cat", stdin=subprocess.PIPE) as process:
        eventually(lambda: role_of(process.pid, home) == "start")
        with pytest.raises(Problem, match="has begun meanwhile"):
            left.mend()
        process.kill()
    assert proc.is_alive(server)


def test_a_tree_that_is_not_to_be_seen_is_elsewhere(home: Home) -> None:
    """Suspended, and in another PID namespace: its sockets are all there is to know."""
    seen = Exam(home)
    seen.start.problem = Problem("no answer", code=TIMED_OUT)
    write_pid_file(home.pid_file("start"), 999_999_999)
    assert seen.is_elsewhere
    assert pid_files.look(seen) == []
    assert strays.look(seen) == []
    (lock,) = tree.look(seen)
    assert "no process of it is to be seen here" in lock.what
    assert lock.level == PROBLEM


def test_below_a_start_that_is_process_1(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = {9: 5, 5: 1, 1: 0, 7: 0}
    monkeypatch.setattr(exam.proc, "parent_of", parents.get)
    assert exam.descends(9, 1)
    assert not exam.descends(7, 1)
