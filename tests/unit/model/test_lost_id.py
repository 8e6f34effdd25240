"""A home whose id was lost gets the same one again; a copy of a home does not get the original's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from supervisor.model.home import Home
from supervisor.model.identity import read_home_id
from supervisor.model.lost_id import known_id, lost_id
from supervisor.settings import revisions
from supervisor.settings.api import compile_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(str(tmp_path / "home"))
    for folder in (made.etc, made.plugins, made.run):
        Path(folder).mkdir(parents=True, exist_ok=True)
    assert compile_home(made).ok
    return made


@pytest.mark.parametrize("spoilt", [None, b"", b"\0" * 33, b"0123"])
def test_it_is_written_again(home: Home, spoilt: bytes | None) -> None:
    before = read_home_id(home)
    assert before
    Path(home.id_file).unlink()
    if spoilt is not None:
        Path(home.id_file).write_bytes(spoilt)
    assert known_id(home) == lost_id(home) == before
    assert compile_home(home).ok
    assert read_home_id(home) == before


@pytest.mark.parametrize("with_file", [True, False])
@pytest.mark.parametrize("place", ["beside", "instead"])
def test_a_copy_gets_its_own(home: Home, tmp_path: Path, with_file: bool, place: str) -> None:
    before = read_home_id(home)
    copy = Home(str(tmp_path / "copy"))
    shutil.copytree(home.path, copy.path, symlinks=True)
    if place == "instead":  # as a backup that is put back in its place, while the original lies beside it
        Path(home.path).rename(tmp_path / "original")
        Path(copy.path).rename(home.path)
        copy = home
    if not with_file:
        Path(copy.id_file).unlink()
    assert known_id(copy) == ""
    assert revisions.home_id(copy) != before


def test_settings_that_are_spoilt_name_none(home: Home) -> None:
    Path(home.id_file).unlink()
    Path(home.compiled_file("start")).write_text('{"home_id": "0123456789abcdef", "inputs": 3}')
    assert known_id(home) == ""
