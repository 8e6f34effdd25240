"""Which home is meant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from supervisor.base.errors import BAD_SETTINGS, Problem
from supervisor.cli import home as finder
from supervisor.cli.home import find_home


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SB_HOME", raising=False)
    monkeypatch.setattr(finder, "ROOT", str(tmp_path / "no-checkout"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


def make(path: Path) -> Path:
    (path / "etc").mkdir(parents=True)
    (path / "etc" / "sbctl.yaml").write_text("format: 1\n")
    return path


def test_the_option_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SB_HOME", str(make(tmp_path / "one")))
    assert find_home(str(make(tmp_path / "two"))).path == str(tmp_path / "two")


def test_then_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SB_HOME", str(make(tmp_path / "one")))
    monkeypatch.chdir(make(tmp_path / "two"))
    assert find_home(None).path == str(tmp_path / "one")


def test_then_upward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = make(tmp_path / "one") / "plugins" / "a"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert find_home(None).path == str(tmp_path / "one")


def test_then_the_launchers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "ROOT", str(make(tmp_path / "checkout")))
    assert find_home(None).path == str(tmp_path / "checkout")


def test_none_at_all_says_how_to_make_one() -> None:
    with pytest.raises(Problem) as caught:
        find_home(None)
    assert caught.value.code == BAD_SETTINGS
    assert "sbctl init DIR" in caught.value.remedy


@pytest.mark.parametrize("where", ["etc/sbctl.yaml", "."])
def test_what_others_can_write_is_not_picked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    home = make(tmp_path / "one")
    os.chmod(home / where, 0o777)
    monkeypatch.chdir(home)
    monkeypatch.setattr(finder, "ROOT", str(make(tmp_path / "checkout")))  # never instead of the one we stand in
    with pytest.raises(Problem, match="is a home, but is not used") as caught:
        find_home(None)
    assert "everybody can write" in caught.value.why
    assert "chmod o-w" in caught.value.remedy
    assert f"--home '{home}'" in caught.value.remedy
    assert caught.value.code == BAD_SETTINGS
    assert find_home(str(home)).path == str(home)


def test_what_belongs_to_somebody_else_is_not_picked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make(tmp_path / "one"))
    monkeypatch.setattr(finder, "ROOT", str(make(tmp_path / "checkout")))
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(Problem, match="is a home, but is not used") as caught:
        find_home(None)
    assert "not to you" in caught.value.why


@pytest.mark.parametrize("sign", ["etc/scheduler.json", "etc/scheduler.yaml", "plugins/web/manifest.json"])
def test_settings_or_a_plugin_make_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sign: str) -> None:
    file = tmp_path / "one" / sign
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    monkeypatch.chdir(file.parent)
    monkeypatch.setattr(finder, "ROOT", str(make(tmp_path / "checkout")))
    assert find_home(None).path == str(tmp_path / "one")
    assert find_home(str(tmp_path / "one")).path == str(tmp_path / "one")


def test_a_verb_that_changes_something_says_which_home_it_is_when_that_is_not_plain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    checkout = str(make(tmp_path / "checkout"))
    monkeypatch.setattr(finder, "ROOT", checkout)
    find_home(None)
    find_home(checkout, changing=True)
    assert capfd.readouterr() == ("", "")
    find_home(None, changing=True)
    assert capfd.readouterr() == ("", f"home: {checkout}\n")


def test_a_folder_without_etc_is_no_home(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="is no home") as caught:
        find_home(str(tmp_path))
    assert caught.value.remedy == f"sbctl init {tmp_path}"


def test_a_link_and_its_target_are_one_home(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(make(tmp_path / "one"))
    assert find_home(str(tmp_path / "link")).path == str(tmp_path / "one")


def test_a_working_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(Problem, match="no home found"):
        find_home(None)
