"""Environments beside each other, and the name that leads to one of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from supervisor.base.errors import MISSING_PROGRAM, Problem
from supervisor.cli import upgrade_environment
from supervisor.cli.upgrade_environment import MADE, RECORD, Environment, Place


def make(folder: Path, *, version: str = "", made: bool = False) -> Environment:
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    if version:
        (folder / RECORD).write_text(json.dumps({"version": version, "name": "env", "digest": version * 8}))
    if made:
        (folder / MADE).touch()
    return Environment(folder)


@pytest.mark.parametrize("can_swap", [True, False])
def test_a_folder_becomes_a_link_and_stays_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_swap: bool
) -> None:
    if not can_swap:
        monkeypatch.setattr(upgrade_environment, "ctypes", SimpleNamespace(CDLL=lambda *_, **__: object()))
    make(tmp_path / "env")
    (tmp_path / "env" / "old").touch()
    place = Place(tmp_path / "env")

    before = place.switch(make(tmp_path / "env-2", version="2"), "1")

    assert before == tmp_path / "env-1"
    assert (before / "old").exists()
    assert os.readlink(tmp_path / "env") == "env-2"
    assert sorted(os.listdir(tmp_path)) == ["env", "env-1", "env-2"]


def test_a_switch_that_was_killed_in_between_does_not_stop_the_next(tmp_path: Path) -> None:
    """The names were swapped, and the old environment had not got its new one yet."""
    make(tmp_path / "env.next")
    (tmp_path / "env.next" / "old").touch()
    make(tmp_path / "env-2", version="2")
    (tmp_path / "env").symlink_to("env-2")

    Place(tmp_path / "env").switch(make(tmp_path / "env-3", version="3"), "2")

    assert os.readlink(tmp_path / "env") == "env-3"
    assert (tmp_path / "env-before" / "old").exists()
    assert sorted(os.listdir(tmp_path)) == ["env", "env-2", "env-3", "env-before"]


def test_a_name_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    make(tmp_path / "env")
    make(tmp_path / "env-1", version="1")

    assert Place(tmp_path / "env").switch(make(tmp_path / "env-2", version="2"), "1") == tmp_path / "env-1.1"


def test_a_link_leads_elsewhere_and_older_ones_go(tmp_path: Path) -> None:
    for version in "123":
        make(tmp_path / f"env-{version}", version=version)
    make(tmp_path / "env-pip")
    (tmp_path / "env-notes").mkdir()
    (tmp_path / "env").symlink_to("env-2")
    place = Place(tmp_path / "env")

    before = place.switch(Environment(tmp_path / "env-3"), "2")
    left = place.tidy(before)

    assert (before, os.readlink(tmp_path / "env")) == (tmp_path / "env-2", "env-3")
    assert left == [tmp_path / "env-pip"]  # not ours to remove
    assert sorted(os.listdir(tmp_path)) == ["env", "env-2", "env-3", "env-notes", "env-pip"]
    assert place.switch(Environment(tmp_path / "env-3"), "3") is None


def test_one_that_somebody_runs_from_is_not_removed(tmp_path: Path) -> None:
    make(tmp_path / "env-1", version="1")
    make(tmp_path / "env-2", version="2")
    (tmp_path / "env").symlink_to("env-2")
    python = tmp_path / "env-1" / "bin" / "python"
    python.symlink_to(sys.executable)
    place = Place(tmp_path / "env")
    with subprocess.Popen([python, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert place.tidy(None) == []  # nor is anybody told that it is not needed
        assert (tmp_path / "env-1").exists()
        process.kill()

    assert place.tidy(None) == []
    assert not (tmp_path / "env-1").exists()


@pytest.mark.parametrize(("folder", "why"), [("system", "Python of the system"), ("venv", "has no sbctl in it")])
def test_where_nothing_can_be_put_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, why: str
) -> None:
    (tmp_path / "system" / "bin").mkdir(parents=True)
    make(tmp_path / "venv")
    monkeypatch.setattr(sys, "executable", str(tmp_path / folder / "bin" / "python"))

    with pytest.raises(Problem) as caught:
        Place.of_this_program()

    assert caught.value.code == MISSING_PROGRAM
    assert why in caught.value.why


def test_one_that_is_called_by_its_own_name_knows_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "env-2", version="2")
    (tmp_path / "env").symlink_to("env-2")
    for name in ("env", "env-2"):
        monkeypatch.setattr(sys, "executable", str(tmp_path / name / "bin" / "python"))
        assert Place.of_this_program().link == tmp_path / "env"
