"""Where a path leads, without asking a disk that may never answer."""

from __future__ import annotations

import os
from pathlib import Path

from supervisor.engine.local_disk import Mounts, kinds

ROOT = "1 0 8:1 / / rw - ext4 /dev/sda1 rw"


def mounts(*remote: Path) -> Mounts:
    lines = [f"2 1 0:9 / {str(path).replace(' ', chr(92) + '040')} rw - nfs4 far:/x rw" for path in remote]
    return Mounts([ROOT, *lines, ""])


def test_links_are_followed_on_disks_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "abs").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "up").symlink_to("../abs/b")
    (tmp_path / "loop").symlink_to("loop")

    for path in ("a", "abs", "abs/b", "a/up", "a/../abs/./b/", "a/up/..", ""):
        assert mounts().real(f"{tmp_path}/{path}") == os.path.realpath(tmp_path / path)
    assert mounts().real("/") == "/"
    assert mounts().real(f"{tmp_path}/none") == ""
    assert mounts().real(f"{tmp_path}/loop") == ""


def test_a_disk_elsewhere_is_not_asked(tmp_path: Path) -> None:
    far = tmp_path / "far away"
    (far / "here").mkdir(parents=True)
    (tmp_path / "link").symlink_to(far / "here")
    (tmp_path / "far away too").mkdir()

    assert mounts(far).real(str(far)) == ""
    assert mounts(far).real(f"{far}/here") == ""
    assert mounts(far).real(str(tmp_path / "link")) == ""
    assert mounts(far).real(str(tmp_path / "far away too")) == str(tmp_path / "far away too")
    assert Mounts([]).real(str(tmp_path)) == ""


def test_what_is_mounted_last_on_a_folder_is_what_is_seen() -> None:
    assert kinds([ROOT, "2 1 0:9 / / rw shared:1 - nfs far:/ rw"]) == {"/": "nfs"}


def test_the_table_of_this_machine_can_be_read() -> None:
    assert Mounts()._is_local("/") in (True, False)
    assert Mounts().real("/proc/self/cwd") == ""
