"""Going back: what each revision changed, and undoing it, which can be undone."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.base.errors import Problem
from supervisor.settings import api, revisions
from supervisor.settings.history import FileChange


def texts(files: SettingsFiles) -> dict[str, bytes]:
    found = [*files.path.glob("etc/*"), *files.path.glob("plugins/*/manifest.json")]
    return {str(path.relative_to(files.path)): path.read_bytes() for path in found}


def changes(undo: api.Undo) -> list[tuple[str, str]]:
    return [(change.action, change.file) for change in undo.files]


def three_revisions(files: SettingsFiles) -> list[dict[str, bytes]]:
    states = []
    files.server("web")
    api.compile_home(files.home)
    states.append(texts(files))
    files.settings("config: {port: 4000}")
    files.server("api")
    api.compile_home(files.home)
    states.append(texts(files))
    files.server("web", env={"A": "1"})
    (files.path / "plugins/api/manifest.json").unlink()
    api.compile_home(files.home)
    states.append(texts(files))
    return states


def test_nothing_has_no_history(files: SettingsFiles) -> None:
    assert api.history(files.home) == []


def test_what_each_revision_changed(files: SettingsFiles) -> None:
    three_revisions(files)

    first, second, third = api.history(files.home)

    assert (first.number, first.added, first.current) == ("0001", ["config", "scheduler", "web"], False)
    assert (second.added, second.removed, second.changed) == (["api"], [], ["config"])
    assert second.files == ["etc/sbctl.yaml", "plugins/api/manifest.json"]
    assert (third.added, third.removed, third.changed, third.current) == ([], ["api"], ["web"], True)
    assert third.at.endswith("Z")
    assert json.dumps(third.as_dict())


def test_an_undo_and_its_undo(files: SettingsFiles) -> None:
    states = three_revisions(files)

    assert changes(api.plan_undo(files.home, "0002")) == [
        ("create", "plugins/api/manifest.json"),
        ("write", "plugins/web/manifest.json"),
    ]
    assert changes(api.plan_undo(files.home, 1)) == [
        ("remove", "etc/sbctl.yaml"),
        ("write", "plugins/web/manifest.json"),
    ]
    assert texts(files) == states[2]

    api.undo(files.home, "0001")
    assert texts(files) == states[0]
    assert revisions.current(files.home) == "0004"

    api.undo(files.home, "0003")
    assert texts(files) == states[2]
    assert [(each.number, each.current) for each in api.history(files.home)][-1] == ("0005", True)


def test_an_undo_keeps_what_was_never_compiled(files: SettingsFiles) -> None:
    states = three_revisions(files)
    files.write("etc/sbctl.yaml", b"config: {port: \xff\n")
    broken = texts(files)

    api.undo(files.home, 3)

    assert texts(files) == states[2]
    kept = api.history(files.home)[-1]
    assert (kept.number, kept.kept, kept.current, kept.files) == ("0004", True, False, ["etc/sbctl.yaml"])
    assert revisions.current(files.home) == "0003"
    with pytest.raises(Problem, match="not good any more: nothing was changed"):
        api.undo(files.home, 4)  # it has errors, and so would the home
    assert texts(files) == states[2] != broken


def test_edits_without_effect_are_gone_back_to_as_well(files: SettingsFiles) -> None:
    files.settings("config: {port: 4000}")
    api.compile_home(files.home)
    files.settings("# why\nconfig: {port: 4000}")
    api.compile_home(files.home)
    files.settings("config: {port: 4001}")
    api.compile_home(files.home)

    api.undo(files.home, 1)

    assert Path(files.home.settings_file).read_text() == "# why\nconfig: {port: 4000}"


def test_a_link_stays_a_link_and_a_mode_a_mode(files: SettingsFiles) -> None:
    real = files.write("plugins/sbctl.yaml", "config: {port: 4000}")
    real.chmod(0o640)
    os.symlink(real, files.home.settings_file)
    api.compile_home(files.home)
    real.write_text("config: {port: 4001}")
    api.compile_home(files.home)

    api.undo(files.home, 1)

    assert os.path.islink(files.home.settings_file)
    assert real.read_text() == "config: {port: 4000}"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@pytest.mark.parametrize("number", ["9", "x", "-1", "../0001", "1" * 40])
def test_a_revision_that_is_not_there(files: SettingsFiles, number: str) -> None:
    api.compile_home(files.home)
    with pytest.raises(Problem, match="there is no revision") as caught:
        api.plan_undo(files.home, number)
    assert "sbctl config history" in caught.value.remedy


@pytest.mark.parametrize("content", ["", "{", '{"format": 1}', '{"format": 1, "revision": 1, "at": 1, "files": []}'])
def test_a_damaged_copy_is_said(files: SettingsFiles, content: str) -> None:
    api.compile_home(files.home)
    Path(files.home.compiled_file("sources")).write_text(content)

    assert [each.has_files for each in api.history(files.home)] == [False]
    with pytest.raises(Problem, match="holds no files"):
        api.undo(files.home, 1)


def test_the_revision_in_force_is_never_forgotten(files: SettingsFiles) -> None:
    files.settings("config: {port: 4000}")
    api.compile_home(files.home)
    for number in range(revisions.KEPT + 2):
        files.settings(f"# {number}\nconfig: {{port: 4000}}")
        api.undo(files.home, 1)

    assert revisions.current(files.home) == "0001"
    assert len(api.history(files.home)) == revisions.KEPT + 1
    assert api.history(files.home)[0].current
    assert FileChange("etc/sbctl.yaml", "write") in api.plan_undo(files.home, api.history(files.home)[3].number).files
