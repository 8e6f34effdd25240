"""Revisions: all or nothing, whatever is wrong and whatever dies when."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.base import files as base_files
from supervisor.base.errors import Problem
from supervisor.model.home import Home
from supervisor.model.identity import read_home_id
from supervisor.model.inputs import look, stale
from supervisor.settings import revisions
from supervisor.settings.api import compile_home


def start_json(files: SettingsFiles, revision: str = "current") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(files.home.compiled_file("start", revision)).read_text())
    return found


def test_the_first_revision(files: SettingsFiles) -> None:
    files.server()

    result = compile_home(files.home)

    assert (result.revision, result.written, result.ok, result.findings) == ("0001", True, True, [])
    assert os.readlink(os.path.join(files.home.revisions, "current")) == "0001"
    start = start_json(files)
    scheduler = json.loads(Path(files.home.compiled_file("scheduler")).read_text())
    assert start["format"] == scheduler["format"] == 1
    assert start["revision"] == scheduler["revision"] == "0001"
    assert re.fullmatch(r"[0-9a-f]{64}", start["fingerprint"])
    assert start["fingerprint"] == scheduler["fingerprint"]
    assert re.fullmatch(r"[0-9a-f]{16}", start["home_id"])
    assert start["compiled_at"].endswith("Z")


def test_modes_whatever_the_umask(files: SettingsFiles) -> None:
    os.umask(0)
    compile_home(files.home)

    for path in Path(files.home.run).rglob("*"):
        if not path.is_symlink():
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_same_settings_write_nothing(files: SettingsFiles) -> None:
    files.server()
    compile_home(files.home)
    before = files.snapshot()

    result = compile_home(files.home)

    assert (result.revision, result.written) == ("0001", False)
    assert files.snapshot() == before


def test_an_edit_without_effect_makes_no_revision_and_is_not_stale(files: SettingsFiles) -> None:
    files.settings("config: {port: 4000}\n")
    compile_home(files.home)
    files.settings("# a comment\nconfig: {port: 4000}\n")
    assert stale(start_json(files), files.home)

    result = compile_home(files.home)

    assert (result.revision, result.written) == ("0001", False)
    assert not stale(start_json(files), files.home)


def test_the_same_settings_compile_to_the_same_bytes(files: SettingsFiles) -> None:
    files.server("web")
    compile_home(files.home)
    files.server("api")
    compile_home(files.home)
    shutil.rmtree(files.path / "plugins" / "api")
    compile_home(files.home)

    first, third = (start_json(files, revision) for revision in ("0001", "0003"))
    for passing in ("revision", "compiled_at", "inputs", "sums"):
        assert first.pop(passing) != third.pop(passing)
    assert json.dumps(first) == json.dumps(third)


def test_only_what_changed_differs(files: SettingsFiles) -> None:
    files.server("web")
    files.server("api")
    compile_home(files.home)
    files.server("api", env={"A": "1"})
    compile_home(files.home)

    old, new = (
        {service["name"]: service for service in revisions.read_compiled(files.home, "scheduler", revision)["services"]}
        for revision in ("0001", "0002")
    )

    assert old["web"] == new["web"]
    assert [key for key in old["api"] if old["api"][key] != new["api"][key]] == ["launch"]
    assert start_json(files, "0001")["services"] == start_json(files, "0002")["services"]


def test_an_error_anywhere_changes_nothing(files: SettingsFiles) -> None:
    files.server("web")
    compile_home(files.home)
    before = files.snapshot()
    files.server("api")
    files.manifest("bad", "{")

    for tolerant in (False, True):
        result = compile_home(files.home, tolerant=tolerant)

        assert (result.revision, result.written, result.ok) == ("0001", False, False)
        assert [finding.file for finding in result.findings] == ["plugins/bad/manifest.json"]
        if not tolerant:
            assert files.snapshot() == before
    # A start goes on with that revision, and what was wrong is noted there for those who look.
    noted = start_json(files)
    assert noted["errors"] == noted["problems"] == [result.findings[0].headline()]
    assert stale(noted, files.home)

    shutil.rmtree(os.path.join(files.path, "plugins", "bad"))
    shutil.rmtree(os.path.join(files.path, "plugins", "api"))
    assert compile_home(files.home).revision == "0001"
    assert start_json(files)["errors"] == []


def test_a_first_start_leaves_bad_plugins_out(files: SettingsFiles) -> None:
    files.server("web")
    files.manifest("bad", "{")

    assert compile_home(files.home).ok is False
    result = compile_home(files.home, tolerant=True)

    assert (result.revision, result.written, result.ok) == ("0001", True, True)
    assert [service["name"] for service in revisions.read_compiled(files.home, "scheduler")["services"]] == ["web"]
    assert start_json(files)["problems"] == [finding.headline() for finding in result.findings]
    assert start_json(files)["problems"][0].startswith("plugins/bad/manifest.json:1:2: ")
    assert not stale(start_json(files), files.home)


@pytest.mark.parametrize("name", ["etc/sbctl.yaml", "etc/scheduler.json"])
def test_a_first_start_does_not_forgive_the_common_files(files: SettingsFiles, name: str) -> None:
    files.write(name, "[")

    result = compile_home(files.home, tolerant=True)

    assert (result.revision, result.ok) == ("", False)
    assert files.snapshot() == {}


def test_a_manifest_cut_anywhere(files: SettingsFiles) -> None:
    whole = files.server("web", server={"stop": {"signal": "INT"}}, env={"A": "ü"}).read_bytes()
    compile_home(files.home)
    before = files.snapshot()

    for length in range(len(whole)):
        files.manifest("web", whole[:length])
        result = compile_home(files.home)
        assert (result.ok, result.written) == (False, False), length
        assert all(finding.line and finding.remedy for finding in result.findings), length
    assert files.snapshot() == before


def test_the_last_twenty_revisions_are_kept(files: SettingsFiles) -> None:
    for port in range(4000, 4025):
        files.settings({"config": {"port": port}})
        compile_home(files.home)

    names = sorted(name for name in os.listdir(files.home.revisions) if name.isdigit())
    assert (names[0], names[-1], len(names)) == ("0006", "0025", revisions.KEPT)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 99}', b"\xff" * 100, b"[" * 100_000])
@pytest.mark.parametrize("role", ["start", "scheduler"])
def test_a_damaged_revision_is_made_anew(files: SettingsFiles, role: str, content: bytes) -> None:
    compile_home(files.home)
    Path(files.home.compiled_file(role)).write_bytes(content)

    result = compile_home(files.home)

    assert (result.revision, result.written, result.ok) == ("0002", True, True)


@pytest.mark.parametrize("target", ["nowhere", "..", "/etc", "0009", ""])
def test_a_damaged_link_is_made_anew(files: SettingsFiles, target: str) -> None:
    compile_home(files.home)
    link = Path(files.home.revisions) / "current"
    link.unlink()
    if target:
        link.symlink_to(target)
    else:
        link.write_text("0001")

    assert compile_home(files.home).written
    assert revisions.current(files.home) == "0002"


def test_the_home_keeps_its_id(files: SettingsFiles) -> None:
    compile_home(files.home)
    made = start_json(files)["home_id"]
    files.settings("config: {port: 4000}")
    compile_home(files.home)
    assert start_json(files)["home_id"] == made
    file = Path(files.home.run) / "home_id"
    file.write_text("nonsense")
    compile_home(files.home)
    assert start_json(files)["home_id"] == read_home_id(files.home) == made  # the settings in force name it
    file.unlink()
    Path(files.home.compiled_file("start")).unlink()
    compile_home(files.home)
    assert re.fullmatch(r"[0-9a-f]{16}", start_json(files)["home_id"])
    assert start_json(files)["home_id"] == read_home_id(files.home) != made


def test_a_moved_home_keeps_its_id(files: SettingsFiles, tmp_path: Path) -> None:
    compile_home(files.home)
    made, moved = read_home_id(files.home), Home(str(tmp_path / "moved"))
    os.rename(files.path, moved.path)
    assert stale(json.loads(Path(moved.compiled_file("start")).read_text()), moved)

    assert compile_home(moved).written

    assert read_home_id(moved) == made


def copied(files: SettingsFiles, tmp_path: Path) -> Home:
    shutil.copytree(files.path, tmp_path / "copy", symlinks=True)
    return Home(str(tmp_path / "copy"))


def test_a_copied_home_gets_an_id_of_its_own(files: SettingsFiles, tmp_path: Path) -> None:
    compile_home(files.home)
    copy = copied(files, tmp_path)
    assert read_home_id(copy) == ""
    assert revisions.current(copy) == ""

    assert compile_home(copy).written

    compiled = json.loads(Path(copy.compiled_file("start")).read_text())
    assert compiled["home_id"] == read_home_id(copy) not in ("", read_home_id(files.home))
    assert not stale(compiled, copy)
    assert not stale(start_json(files), files.home)


def test_a_home_put_in_the_place_of_the_one_it_was_copied_from(files: SettingsFiles, tmp_path: Path) -> None:
    """The same paths, the same settings, and yet another home: the original may be running where it went."""
    compile_home(files.home)
    made, copy = read_home_id(files.home), copied(files, tmp_path)
    os.rename(files.path, tmp_path / "original")
    os.rename(copy.path, files.path)
    compiled = start_json(files)
    compiled["inputs"] = [look(entry[0]) for entry in compiled["inputs"]]
    assert stale(compiled, files.home)

    assert compile_home(files.home).written

    assert start_json(files)["home_id"] == read_home_id(files.home) != made
    assert read_home_id(Home(str(tmp_path / "original"))) == made


def test_a_copy_with_errors_does_not_run_on_the_originals_settings(files: SettingsFiles, tmp_path: Path) -> None:
    compile_home(files.home)
    copy = copied(files, tmp_path)
    Path(copy.settings_file).write_text("prot: 1")

    result = compile_home(copy, tolerant=True)

    assert (result.ok, result.revision) == (False, "")


class Killed(BaseException):
    """What a SIGKILL is here: nothing that comes after the line is done."""


CALLS = ("mkdir", "open", "write", "fsync", "rename", "symlink", "unlink", "fchmod")


def die_at(number: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Every call that changes the disk from the given one on is refused, as after a death."""
    seen = 0

    def wrap(call: Callable[..., Any]) -> Callable[..., Any]:
        def inner(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen > number:
                raise Killed
            return call(*args, **kwargs)

        return inner

    for name in CALLS:
        monkeypatch.setattr(os, name, wrap(getattr(os, name)))
    monkeypatch.setattr(base_files, "remove_quietly", lambda path: None)
    return lambda: seen > number


def test_a_death_between_any_two_steps_leaves_a_whole_revision(
    files: SettingsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.settings({"config": {"port": 3999}})
    files.server()
    compile_home(files.home)
    for number in range(200):
        before = revisions.current(files.home)
        port = start_json(files)["port"]
        files.settings({"config": {"port": 4000 + number}})
        with monkeypatch.context() as context:
            died = die_at(number, context)
            try:
                compile_home(files.home)
            except Killed:
                pass
        current = revisions.current(files.home)
        found = [revisions.read_compiled(files.home, role) for role in ("start", "scheduler")]
        assert {each["revision"] for each in found} == {current}, number
        assert (current, found[0]["port"]) in [(before, port), (found[0]["revision"], 4000 + number)], number
        if not died():
            break
    else:
        pytest.fail("more steps than expected")
    assert number > 10
    assert not [name for name in os.listdir(files.home.revisions) if name.startswith(".new")]


def test_a_folder_of_somebody_else_is_not_used(files: SettingsFiles) -> None:
    (files.path / "logs").mkdir()
    (files.path / "elsewhere").mkdir()
    (files.path / "logs" / "run").symlink_to(files.path / "elsewhere")

    with pytest.raises(Problem, match="not our own folder"):
        compile_home(files.home)
    assert list((files.path / "elsewhere").iterdir()) == []


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="there is no folder"):
        compile_home(Home(str(tmp_path / "none")))
    assert not (tmp_path / "none").exists()


Change = Callable[[SettingsFiles], object]
CHANGES: dict[str, Change] = {
    "settings": lambda files: files.settings("config: {port: 5000}"),
    "scheduler json": lambda files: files.scheduler("{}"),
    "scheduler yaml": lambda files: files.write("etc/scheduler.yaml", ""),
    "manifest": lambda files: files.server("web", cwd="home"),
    "new plugin": lambda files: files.server("new"),
    "manifest in a folder without": lambda files: files.server("empty"),
    "manifest gone": lambda files: (files.path / "plugins/web/manifest.json").unlink(),
    "mode": lambda files: (files.path / "plugins/web/manifest.json").chmod(0o600),
    "venv": lambda files: (files.path / "plugins/web/.venv/bin").mkdir(parents=True),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_makes_compiled_settings_stale(files: SettingsFiles, name: str) -> None:
    files.settings("config: {port: 4000}")
    files.server("web")
    (files.path / "plugins" / "empty").mkdir()
    compile_home(files.home)
    compiled = start_json(files)
    assert not stale(compiled, files.home)
    (files.path / "plugins" / "web" / "data.db").write_text("a server may write beside its manifest")
    (files.path / "logs" / "web").mkdir()
    assert not stale(compiled, files.home)

    CHANGES[name](files)

    assert stale(compiled, files.home)


def test_settings_of_another_version_or_place_are_stale(files: SettingsFiles, tmp_path: Path) -> None:
    compile_home(files.home)
    compiled = start_json(files)

    assert stale({**compiled, "version": "0.0.1"}, files.home)
    assert stale({**compiled, "format": 2}, files.home)
    assert stale({**compiled, "inputs": []}, files.home)
    assert stale({}, files.home)
    files.path.rename(tmp_path / "moved")
    assert stale(compiled, type(files.home)(str(tmp_path / "moved")))


def test_what_is_not_there_looks_like_nothing() -> None:
    assert look("/nowhere/at all") == ["/nowhere/at all", -1, -1, -1, -1]
    assert look("/nowhere\0") == ["/nowhere\0", -1, -1, -1, -1]
