"""What `--fix` may remove: files that sbctl writes, and no others of a similar name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.fake_daemon import row

from supervisor.base.errors import Problem
from supervisor.cli.doctor import history, pid_files, residue, temporaries
from supervisor.cli.doctor.check import OK, PROBLEM
from supervisor.cli.doctor.exam import Exam
from supervisor.model.home import Home

GONE = 2**22 + 1


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        (f"etc/.sbctl.yaml.{GONE}.tmp", True),
        (f".pause.flag.{GONE}.tmp", True),
        (f"logs/web/.server.pid.{GONE}.tmp", True),
        (f"logs/web/.server-12.pid.{GONE}.tmp", True),
        (f"logs/run/settings/0001/.start.json.{GONE}.tmp", True),
        (f"logs/run/.doctor.{GONE}.tmp", True),
        (f".notes.{GONE}.tmp", False),
        (f"plugins/web/.manifest.json.{GONE}.tmp", True),
        (f"plugins/web/.cache.{GONE}.tmp", False),
        (f"plugins/web/.sbctl.yaml.{GONE}.tmp", False),
        (f"logs/web/.upload.{GONE}.tmp", False),
        (f"logs/web/.server.log.{GONE}.tmp", False),
    ],
)
def test_half_written_files_that_are_ours(tmp_path: Path, name: str, is_ours: bool) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (1, 1))
    assert temporaries.find(Home(str(tmp_path)), 10_000.0) == ([str(path)] if is_ours else [])


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [("server.pid", True), ("server-2.pid", True), ("server-db.pid", False), ("server_old.pid", False)],
)
def test_pid_files_that_are_ours(tmp_path: Path, name: str, is_ours: bool) -> None:
    path = tmp_path / "logs" / "gone" / name
    path.parent.mkdir(parents=True)
    path.write_text(f"{GONE}\n")
    exam = Exam(Home(str(tmp_path)))
    exam.start.problem = exam.scheduler.problem = Problem("not there")
    assert [check.where for check in pid_files.look(exam) if check.mend] == ([str(path)] if is_ours else [])


def test_a_pid_file_that_is_gone_or_no_file_while_its_service_runs(tmp_path: Path, monkeypatch: Any) -> None:
    home = Home(str(tmp_path))
    os.makedirs(home.plugin_logs("web"))
    path = home.server_pid("web")
    exam = Exam(home)
    exam.start.problem = exam.scheduler.problem = None
    exam.scheduler.rows = [row("web", pid=os.getpid(), instance=0)]
    monkeypatch.setattr(Exam, "is_elsewhere", False)
    monkeypatch.setattr(pid_files, "SETTLED_S", 0.0)
    for make, says in ((None, "is gone"), (os.mkfifo, "is no file")):
        if make is not None:
            os.unlink(path)
            make(path)
        (check,) = pid_files.look(exam)
        assert (says in check.what, check.where) == (True, path)
        assert check.mend is not None
        check.mend()
        assert Path(path).read_text() == f"{os.getpid()}\n"
    assert [check.level for check in pid_files.look(exam)] == [OK]
    monkeypatch.setattr(pid_files, "SETTLED_S", 1e9)
    os.unlink(path)
    assert [check.level for check in pid_files.look(exam)] == [OK]  # it has just begun


def test_a_fifo_in_place_of_a_file(tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")
    assert residue.judge_kind(path) == []
    os.mkfifo(path)
    assert [check.level for check in residue.judge_kind(path)] == [PROBLEM]
    os.unlink(path)
    Path(path).touch()
    assert residue.judge_kind(path) == []


def test_what_waits_for_the_history_of_a_stopped_home() -> None:
    (check,) = history.judge_waiting(2048, "/h/logs/history.db.waiting", runs=False)
    assert "2K" in check.what
    assert check.next.startswith("sbctl start")
    assert history.judge_waiting(2048, "x", runs=True) == history.judge_waiting(0, "x", runs=False) == []
