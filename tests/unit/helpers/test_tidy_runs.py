"""Logs and work folders of runs go with what the history knows of them."""

from __future__ import annotations

import _sqlite3
import json
import os
from pathlib import Path

import pytest

from supervisor.helpers.tidy import prepare
from supervisor.model.home import Home
from supervisor.runs.spare import NAMES
from supervisor.store.schema import migrate

NOW = 1_800_000_000.0
DAY_S = 86_400.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(str(tmp_path))
    os.makedirs(home.run)
    return home


def write(path: str, *, days: float, size: int = 10) -> str:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Path(path).write_bytes(b"x" * size)
    os.utime(path, (NOW - days * DAY_S,) * 2)
    return path


def make_work(home: Home, run: str, *, days: float) -> str:
    folder = home.run_work("web", run)
    os.makedirs(folder)
    Path(folder, "left").write_text("something")
    os.utime(folder, (NOW - days * DAY_S,) * 2)
    return folder


def remember(home: Home, **runs: str) -> None:
    db = _sqlite3.connect(home.history_file, isolation_level=None)
    migrate(db)
    for run, state in runs.items():
        db.execute(
            "INSERT INTO runs (id, plugin, trigger, state, claimed) VALUES (?, 'web', 'manual', ?, 1)", (run, state)
        )
    db.close()


def there(*paths: str) -> list[bool]:
    return [os.path.exists(path) for path in paths]


def test_a_log_goes_with_its_run(home: Home) -> None:
    remember(home, r1="succeeded")
    kept = write(home.run_log("web", "r1"), days=50)
    gone = [write(home.run_log("web", "r2") + form, days=2) for form in ("", ".head", ".1")]
    young = write(home.run_log("web", "r3"), days=0.5)
    foreign = write(os.path.join(home.plugin_logs("web"), "runs", "notes.txt"), days=500)
    answer = prepare(home, NOW)
    assert there(kept, young, foreign, *gone) == [True, True, True, False, False, False]
    assert (answer["removed"], answer["freed"], answer["steps"]) == (3, 30, [])


def test_without_a_history_that_can_be_read_nothing_goes(home: Home) -> None:
    log, work = write(home.run_log("web", "r2"), days=50), make_work(home, "r2", days=50)
    prepare(home, NOW)
    assert there(log) == [True]
    Path(home.history_file).write_bytes(b"no database at all, but long enough to be looked at" * 100)
    prepare(home, NOW)
    assert there(log, work) == [True, False]  # no file at all: then nothing can be going on


def test_work_folders_of_runs_that_go_on_stay(home: Home) -> None:
    remember(home, r1="running", r2="lost")
    folders = [make_work(home, run, days=5) for run in ("r1", "r2")]
    folders.append(make_work(home, "r4", days=0.5))
    prepare(home, NOW)
    assert there(*folders) == [True, False, True]


def test_a_spare_folder_that_nobody_needs_any_more_goes(home: Home) -> None:
    remember(home)
    old, young = make_work(home, NAMES[0], days=2), make_work(home, NAMES[1], days=0.5)
    prepare(home, NOW)
    assert there(old, young) == [False, True]


def test_the_budget_of_all_logs_takes_the_oldest_runs_and_packs_none(home: Home) -> None:
    remember(home, r1="succeeded", r2="failed")
    settings = {"services": [], "logs": {"gzip": True, "total_budget": 150}}
    os.makedirs(os.path.dirname(home.compiled_file("scheduler")))
    Path(home.compiled_file("scheduler")).write_text(json.dumps(settings))
    older, newer = (write(home.run_log("web", run), days=days, size=100) for run, days in (("r1", 9), ("r2", 3)))
    prepare(home, NOW)
    assert there(older, newer, newer + ".gz") == [False, True, False]
