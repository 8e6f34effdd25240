"""The code of a checkout is kept as it was when a tree was started from it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from supervisor.base.where import own_program
from supervisor.cli import kept_code as keeping
from supervisor.cli.kept_code import keep_code, kept_code
from supervisor.model.home import Home

PID = 4711
MAIN = own_program()[1]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of two files, written a minute ago."""
    root = tmp_path / "checkout"
    (root / "supervisor" / "base" / "__pycache__").mkdir(parents=True)
    for name in ("__init__.py", "base/loop.py", "base/__pycache__/loop.pyc"):
        path = root / "supervisor" / name
        path.write_text("old")
        os.utime(path, (time.time() - 60,) * 2)
    monkeypatch.setattr(keeping, "ROOT", str(root))
    monkeypatch.setattr(keeping, "checkout", lambda: str(root))
    return root


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(str(tmp_path / "home"))


def texts(package: str) -> dict[str, str]:
    return {str(path.relative_to(package)): path.read_text() for path in Path(package).rglob("*") if path.is_file()}


@pytest.mark.parametrize("replaced", [True, False])
def test_a_pull_takes_nothing_away(root: Path, home: Home, replaced: bool) -> None:
    keep_code(home, PID)
    loaded = time.time()
    for name in ("__init__.py", "base/loop.py"):
        path = root / "supervisor" / name
        if replaced:
            path.unlink()
        path.write_text("new")

    package = kept_code(home, PID, MAIN, loaded)

    assert texts(package) == {"__init__.py": "old", "base/loop.py": "old"}


def test_another_owner_of_the_home_is_none_of_the_program(root: Path, home: Home) -> None:
    keep_code(home, PID)

    os.chmod(Path(home.kept_code) / "supervisor" / "__init__.py", 0o666)

    assert (root / "supervisor" / "__init__.py").stat().st_mode & 0o777 == 0o644


def test_it_is_brought_up_to_date(root: Path, home: Home) -> None:
    keep_code(home, PID)
    (root / "supervisor" / "base" / "loop.py").unlink()
    (root / "supervisor" / "base").joinpath("__pycache__", "loop.pyc").unlink()
    (root / "supervisor" / "base" / "__pycache__").rmdir()
    (root / "supervisor" / "base").rmdir()
    (root / "supervisor" / "new.py").write_text("new")

    keep_code(home, PID)

    assert texts(f"{home.kept_code}/supervisor") == {"__init__.py": "old", "new.py": "new"}


def test_what_came_while_it_was_loaded_is_no_way_back(root: Path, home: Home) -> None:
    loaded = time.time() - 30
    (root / "supervisor" / "base" / "loop.py").write_text("new")
    keep_code(home, PID)

    assert kept_code(home, PID, MAIN, loaded) == ""


def test_only_of_the_start_that_it_was_kept_for(root: Path, home: Home) -> None:
    keep_code(home, PID)
    keep_code(home, PID + 1)

    assert kept_code(home, PID, MAIN, time.time()) == ""
    assert kept_code(home, PID + 1, MAIN, time.time())
    assert kept_code(home, PID + 1, "/elsewhere/__main__.py", time.time()) == "", "it has been upgraded since"


def test_what_is_installed_is_not_kept(root: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "checkout", lambda: "")

    keep_code(home, PID)

    assert not os.path.exists(home.kept_code)
    assert kept_code(home, PID, MAIN, time.time()) == ""
