"""As root, nothing is read that somebody else could have written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.model.home import Home
from supervisor.settings.api import compile_home
from supervisor.settings.permissions import Permissions
from supervisor.settings.revisions import read_compiled

pytestmark = pytest.mark.root

NOBODY = 65534
FULL = ["etc/sbctl.yaml", "etc/scheduler.json", "etc", "plugins", "plugins/web", "plugins/web/manifest.json", "."]


@pytest.fixture
def full(files: SettingsFiles) -> SettingsFiles:
    files.settings("config: {port: 4000}")
    files.scheduler("{}")
    files.server("web")
    assert files.lines() == []
    return files


@pytest.mark.parametrize("name", FULL)
def test_owned_by_somebody_else(full: SettingsFiles, name: str) -> None:
    culprit = os.path.normpath(full.path / name)
    os.chown(culprit, NOBODY, -1)

    (finding,) = full.check()

    assert finding.is_error
    assert finding.file == (culprit if name == "." else name)
    assert finding.message == "belongs to user 65534, who could change what root runs"
    assert finding.remedy == f"chown root {culprit}"


@pytest.mark.parametrize(
    ("mode", "who"), [(0o777, "everybody"), (0o775, "its group"), (0o757, "everybody"), (0o1777, "everybody")]
)
@pytest.mark.parametrize("name", FULL)
def test_writable_by_others(full: SettingsFiles, name: str, mode: int, who: str) -> None:
    culprit = os.path.normpath(full.path / name)
    os.chmod(culprit, mode)

    (finding,) = full.check()

    assert finding.message == f"can be written by {who}, who could change what root runs"
    assert finding.remedy == f"chmod go-w {culprit}"


def test_above_the_home_a_sticky_folder_is_fine(tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    files = SettingsFiles(above / "home")
    above.chmod(0o1777)
    assert files.lines() == []
    above.chmod(0o777)
    assert files.lines() == [f"{above}: error: can be written by everybody, who could change what root runs"]
    above.chmod(0o755)
    os.chown(above, NOBODY, -1)
    assert files.lines() == []


def test_behind_a_link(full: SettingsFiles, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (full.path / "plugins" / "web").rename(elsewhere)
    (full.path / "plugins" / "web").symlink_to(elsewhere)
    assert full.lines() == []
    os.chown(elsewhere, NOBODY, -1)

    assert {finding.file for finding in full.check()} == {"plugins/web", str(elsewhere)}


def test_a_first_start_leaves_such_a_plugin_out(full: SettingsFiles) -> None:
    full.server("api")
    os.chmod(full.path / "plugins" / "web", 0o777)

    result = compile_home(full.home, tolerant=True)

    assert (result.ok, [finding.file for finding in result.findings]) == (True, ["plugins/web"])
    assert [service["name"] for service in full_services(full)] == ["api"]


def full_services(files: SettingsFiles) -> list[dict[str, object]]:
    services: list[dict[str, object]] = read_compiled(files.home, "scheduler")["services"]
    return services


def test_nobody_but_root_is_refused_anything(full: SettingsFiles) -> None:
    os.chmod(full.path, 0o777)
    assert Permissions(Home(str(full.path)), uid=NOBODY).findings(full.home.settings_file) == []
