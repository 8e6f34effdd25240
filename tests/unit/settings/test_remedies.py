"""What a person is told to do must mend it, and harm nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from unit.settings.settings_files import SettingsFiles


def told(files: SettingsFiles) -> list[tuple[str, str]]:
    return [(finding.message, finding.remedy) for finding in files.check()]


@pytest.mark.root
@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_is_never_to_be_changed(files: SettingsFiles, device: str) -> None:
    (files.path / "etc" / "sbctl.yaml").symlink_to(device)

    found = told(files)

    assert ("is a device, not a file", "remove it, and write etc/sbctl.yaml as a regular file") in found
    assert not any("chmod" in remedy or "chown" in remedy for _, remedy in found)


@pytest.mark.root
def test_a_shared_folder_is_never_to_be_changed(files: SettingsFiles, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "sbctl.yaml").write_text("")
    (files.path / "etc" / "sbctl.yaml").symlink_to(shared / "sbctl.yaml")

    ((message, remedy),) = told(files)

    assert message.startswith("can be written by everybody")
    assert remedy == f"keep what lies in {shared} in the home, not behind a link"


@pytest.mark.parametrize("folder", ["Bad Name", "start"])
def test_a_folder_that_can_be_no_id_is_renamed(files: SettingsFiles, folder: str) -> None:
    files.manifest(folder, {"id": "web"})
    assert told(files) == [("differs from the name of its folder", "rename the folder to web")]


def test_an_id_after_such_a_folder(files: SettingsFiles) -> None:
    files.manifest("Bad Name", {"id": "Bad Name"})
    ((message, remedy),) = told(files)
    assert message == "not an id"
    assert remedy.startswith("rename the folder, and this to the same: small letters")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("config: {port: 0}", "write 1 or more"),
        ("config: {port: 65536}", "write 65535 or less"),
        ("logs: {maxMb: 0}", "write a number above 0"),
        ("a:\n\tb: 1", "indent with blanks"),
        ("a: 1\n...\nb: 1", "a file holds one: remove the line ..."),
        ("{a: 1}\nb: 1", "remove it, or put it into the map before"),
        ("a: 1\n---\nb: 1", "a file holds one: remove the line ---"),
    ],
)
def test_every_error_has_its_remedy(files: SettingsFiles, text: str, remedy: str) -> None:
    files.settings(text)
    assert [remedy for _, remedy in told(files)] == [remedy]


def test_a_command_that_can_not_be_run(files: SettingsFiles) -> None:
    for command, message, remedy in [
        ("/usr", "a folder, not a program: /usr", "name the program in it"),
        ("./serve", "not executable: {0}/serve", "chmod +x {0}/serve"),
        (
            "serve",
            "command not found on PATH: serve",
            "write ./serve: a name without a slash is looked up on PATH only",
        ),
        ("/none/x", "command not found: /none/x", "install it, or correct the command"),
    ]:
        plugin = files.server("web", commands={"server": command}).parent
        (plugin / "serve").write_text("#!/bin/sh\n")
        assert told(files) == [(message.format(plugin), remedy.format(plugin))]


def test_the_tunnel_is_looked_for_too(files: SettingsFiles) -> None:
    files.settings("tunnel:\n  enabled: true\n  command: no-such-program -R 80")
    (finding,) = files.check()
    assert finding.headline() == (
        "etc/sbctl.yaml:3:12: warning: tunnel.command: command not found on PATH: no-such-program"
    )
    files.settings("tunnel: {enabled: true, command: ./serve}")
    (files.path / "serve").write_text("#!/bin/sh\n")
    assert told(files) == [(f"not executable: {files.path}/serve", f"chmod +x {files.path}/serve")]
    os.chmod(files.path / "serve", 0o755)
    assert told(files) == []
