"""What lies where a settings file is expected, and the order in which all is told."""

from __future__ import annotations

import os

import pytest
from unit.settings.settings_files import SettingsFiles


def test_a_folder_without_a_manifest_is_a_warning(files: SettingsFiles) -> None:
    (files.path / "plugins" / "web").mkdir()

    assert files.lines() == [
        "plugins/web: warning: there is no manifest.json in this folder: it is not taken for a plugin"
    ]
    assert files.check()[0].remedy.startswith("write one, or rename the folder to _web")


def test_errors_come_before_warnings(files: SettingsFiles) -> None:
    files.settings("tunnel: {enabled: true}")
    files.manifest("web", "{")

    assert [line.split(": ")[1] for line in files.lines()] == ["error", "warning"]


@pytest.mark.parametrize("name", ["etc/sbctl.yaml", "etc/scheduler.json", "plugins/web/manifest.json"])
def test_what_is_not_a_regular_file_is_not_even_opened(files: SettingsFiles, name: str) -> None:
    path = files.path / name
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    assert [line for line in files.lines() if "error" in line] == [f"{name}:1:1: error: is a FIFO, not a file"]

    path.unlink()
    for device in ("/dev/null", "/dev/zero"):
        path.symlink_to(device)
        assert f"{name}:1:1: error: is a device, not a file" in files.lines()
        path.unlink()
