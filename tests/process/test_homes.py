"""Homes in unusual places: long and odd paths, read-only ones, and files where folders should be."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from conftest import MakeHome
from support.children import child
from support.daemon import Daemon
from support.home import TemporaryHome
from support.waiting import eventually

from supervisor.base.where import role_command


@pytest.mark.parametrize(
    "name", ["with blanks", "x" * 150, "ünï 'quote\" $HOME `id` ;& %s", "deep/" + "/".join(["folder" * 4] * 12)]
)
def test_a_home_may_have_any_path(make_home: MakeHome, name: str) -> None:
    home = make_home(name)
    home.settings["config"]["enabled"] = False
    home.write()
    daemon = Daemon(home)
    home.add_plugin("server", child("report"))
    try:
        daemon.start()
        assert daemon.row("server")["state"] == "running"
        eventually(lambda: "SB_HOME" in home.log("server"))
        # Found by title too: the daemons must show their home even when its path is longer than most.
        daemon.kill_scheduler()
        daemon.settle()
        assert daemon.row("server")["restarts"] == 0
        assert daemon.stop() == 0
    finally:
        daemon.end()


def run_start(home: Path, *, through: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """Exit code, what it said on stderr, what it told the command line."""
    read_end, write_end = os.pipe()
    done = subprocess.run(
        [*through, *role_command("start", str(home)), "--ready-fd", str(write_end)],
        capture_output=True,
        pass_fds=(write_end,),
        timeout=20,
        check=False,
    )
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        return done.returncode, done.stderr.decode(), pipe.read().decode()


def check_refused(result: tuple[int, str, str], why: str) -> None:
    code, err, told = result
    assert code == 1
    assert "Traceback" not in err
    assert told.startswith("error ")
    assert why.lower() in told.lower()
    assert why.lower() in err.lower()


def test_a_home_below_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    check_refused(run_start(tmp_path / "file" / "home"), "not a directory")


def test_a_home_without_compiled_settings_is_refused(home: TemporaryHome) -> None:
    check_refused(run_start(home.path), "no compiled settings")


def test_compiled_settings_that_were_cut_are_refused(daemon: Daemon) -> None:
    assert daemon.compile()["ok"]
    path = daemon.home.path / "logs" / "run" / "settings" / "current" / "start.json"
    whole = path.read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 2):
        path.write_bytes(whole[:length])

        check_refused(run_start(daemon.home.path), "no compiled settings")


@pytest.mark.root
@pytest.mark.parametrize("before", ["never started", "started before"])
def test_a_read_only_home_is_refused_in_one_line(daemon: Daemon, before: str) -> None:
    """In a mount namespace of its own, since root may write everywhere else."""
    if before == "started before":
        daemon.start()
        assert daemon.stop() == 0
    else:
        assert daemon.compile()["ok"]
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    result = run_start(daemon.home.path, through=("unshare", "-m", "/bin/sh", "-c", mount, str(daemon.home)))
    if "permitted" in result[1] or "denied" in result[1]:
        pytest.skip("mount namespaces are not allowed here")

    check_refused(result, "read-only file system")


def test_folders_that_vanish_while_it_runs_are_made_again(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("spew", 0, 100))
    daemon.start()
    pid = daemon.row("server")["pid"]
    (daemon.home.path / "logs" / "server").rename(daemon.home.path / "away")

    eventually(lambda: daemon.home.log("server").count("\n") > 5)

    assert daemon.row("server")["pid"] == pid
