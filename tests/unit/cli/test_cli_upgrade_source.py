"""What `sbctl upgrade` takes as a source, and what it makes of it."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from support.versions import write_wheel

from supervisor.base.errors import USAGE, Problem
from supervisor.cli.upgrade_source import digest_of, find, version_of


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "supervisor" / "base").mkdir(parents=True)
    (folder / "supervisor" / "__init__.py").write_text('"""It."""\n\n__version__ = "9.1"\n')
    (folder / "supervisor" / "base" / "loop.py").write_text("pass\n")
    (folder / "setup.cfg").write_text("[options]\ninstall_requires =\n    click>=8.1\n    rich>=13\n")
    return folder


def test_a_folder(project: Path, tmp_path: Path) -> None:
    source = find(str(project), sys.executable, tmp_path)

    assert (source.version, source.needs) == ("9.1", ["click>=8.1", "rich>=13"])
    assert source.checkout is None  # it has no launcher
    (project / "bin").mkdir()
    (project / "bin" / "sbctl").touch()
    assert find(str(project), sys.executable, tmp_path).checkout == project


def test_a_sdist(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "sb_supervisor-9.1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(project, "sb_supervisor-9.1")

    source = find(str(path), sys.executable, tmp_path)

    assert (source.version, source.needs[0], source.checkout) == ("9.1", "click>=8.1", None)
    assert source.digest == digest_of(project / "supervisor")


def test_a_sdist_that_would_write_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "evil.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../evil"), io.BytesIO())

    with pytest.raises(Problem, match="can't be unpacked"):
        find(str(path), sys.executable, tmp_path / "scratch")

    assert not (tmp_path.parent / "evil").exists()


def test_a_wheel_and_what_it_needs_without_its_extras(tmp_path: Path) -> None:
    source = find(str(write_wheel(tmp_path, "9.2")), sys.executable, tmp_path / "scratch")

    assert (source.version, source.needs) == ("9.2", ["click>=8.1", "pydantic>=2.11"])


def test_a_version_alone_is_asked_of_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wheel(tmp_path, "9.3")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    assert find("9.3", sys.executable, tmp_path / "scratch").version == "9.3"
    with pytest.raises(Problem, match=r"sb-supervisor==9\.4 can't be fetched") as caught:
        find("9.4", sys.executable, tmp_path / "other")
    assert "9.4" in caught.value.why


def test_what_is_no_source(tmp_path: Path) -> None:
    wheel = tmp_path / "other-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("other.py", "")
    garbage = tmp_path / "garbage.whl"
    garbage.write_text("garbage")
    for word in (str(tmp_path), str(wheel), str(garbage), str(tmp_path / "none")):
        with pytest.raises(Problem) as caught:
            find(word, sys.executable, tmp_path / "scratch")
        assert caught.value.code == USAGE


def test_the_same_code_has_the_same_digest_wherever_it_lies(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "other")
    other = tmp_path / "other" / "supervisor"
    (other / "base" / "__pycache__").mkdir()
    (other / "base" / "__pycache__" / "loop.pyc").write_text("x")
    assert digest_of(other) == digest_of(project / "supervisor")

    (other / "base" / "loop.py").rename(other / "base" / "pool.py")

    assert digest_of(other) != digest_of(project / "supervisor")


def test_a_package_without_a_version(project: Path) -> None:
    (project / "supervisor" / "__init__.py").write_text("")

    with pytest.raises(Problem, match="does not tell its version"):
        version_of(project / "supervisor")
