"""A server of another user has a folder that it may write to, and none that would give it more."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeHome
from support.daemon import Daemon
from support.waiting import eventually

pytestmark = pytest.mark.root

NOBODY = pwd.getpwnam("nobody")
WRITER = ["/bin/sh", "-c", 'echo mine > "$SB_LOG_DIR/file" && echo written; exec sleep 1000']


@pytest.fixture
def daemon(make_home: MakeHome) -> Iterator[Daemon]:
    """In a folder that others can pass through, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        home = make_home(f"{folder}/home")
        home.settings["config"]["enabled"] = False
        home.write()
        home.add_plugin("web", WRITER, manifest={"user": "nobody", "cwd": "/"})
        daemon = Daemon(home)
        yield daemon
        daemon.end()


def logs(daemon: Daemon) -> Path:
    return daemon.home.path / "logs" / "web"


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


def test_it_can_write_there_and_the_folder_of_its_log_stays_ours(daemon: Daemon) -> None:
    daemon.start()
    eventually(lambda: "written" in daemon.home.log("web"))

    assert owner(logs(daemon) / "own") == (NOBODY.pw_uid, NOBODY.pw_gid)
    assert (logs(daemon) / "own" / "file").read_text() == "mine\n"
    assert owner(logs(daemon)) == owner(logs(daemon) / "server.log") == (0, 0)
    assert not logs(daemon).stat().st_mode & 0o022


def test_it_is_there_again_after_it_was_removed_or_given_away(daemon: Daemon) -> None:
    daemon.start()
    eventually(lambda: "written" in daemon.home.log("web"))
    own = logs(daemon) / "own"
    for spoil in (lambda: shutil.rmtree(own), lambda: os.chown(own, 0, 0)):
        spoil()
        (own / "file").unlink(missing_ok=True)

        daemon.ask("scheduler", "restart", names=["web"])

        eventually(lambda: (own / "file").read_text() == "mine\n" if (own / "file").exists() else False)
        assert owner(own) == (NOBODY.pw_uid, NOBODY.pw_gid)


def test_no_link_is_followed_to_something_that_is_not_its_own(daemon: Daemon) -> None:
    elsewhere = daemon.home.path / "elsewhere"
    elsewhere.mkdir()
    logs(daemon).mkdir(parents=True)
    (logs(daemon) / "own").symlink_to(elsewhere)

    daemon.start()

    assert daemon.row("web")["state"] == "running"
    assert owner(elsewhere) == (0, 0)
