"""What `--fix` may remove: files that sbctl writes, and no others of a similar name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from supervisor.base.errors import Problem
from supervisor.cli.doctor import pid_files, temporaries
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
