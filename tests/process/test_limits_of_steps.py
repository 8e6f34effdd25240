"""Limits and accounts of commands, from the manifest to the step; and what is said of a step that met one."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.daemon import Daemon
from support.home import TemporaryHome
from support.scheduling import Scheduling

SHOW = 'ulimit -S -n; ulimit -H -n; umask; cut -d" " -f19 /proc/self/stat; cat /proc/self/oom_score_adj'
PLUGIN = {"openFiles": 77, "nice": 3, "umask": "027", "oomScore": 700}
NEVER = {"openFiles": "unlimited"}  # above what any kernel has
GREEDY = [sys.executable, "-I", "-S", "-c", "print('begun', flush=True); bytearray(1 << 30)"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduling]:
    """Each test makes runs of its own jobs only."""
    home = TemporaryHome(tmp_path_factory.mktemp("limits") / "home")
    home.settings["config"]["enabled"] = False
    desk = Scheduling(Daemon(home))
    own = {"command": SHOW, "limits": {"openFiles": 99, "nice": 5}}
    desk.plugin("limited", {"limits": PLUGIN}, get=SHOW, push=own)
    desk.task("limited")
    desk.job("busy", {"command": "while :; do :; done", "limits": {"cpuTimeSeconds": 1}})
    desk.job("greedy", {"command": GREEDY, "limits": {"addressSpaceMb": 300}})
    desk.job("refused", {"command": "echo begun", "limits": NEVER})
    desk.job("without", {"command": "echo begun", "limits": {**NEVER, "ifRefused": "start"}})
    try:
        yield desk.start()
    finally:
        desk.daemon.end()


def said(desk: Scheduling, name: str) -> list[str]:
    """By all its steps."""
    row = desk.done(name, timeout=20)
    assert row["state"] == "succeeded", (row, desk.log(row))
    return [line for line in desk.log(row).splitlines() if not line.startswith("===")]


def test_a_step_has_the_limits_of_its_plugin_and_its_own_before_those(desk: Scheduling) -> None:
    of_plugin, own = ["77", "77", "0027", "3", "700"], ["99", "99", "0027", "5", "700"]

    assert said(desk, "limited") == of_plugin + own


def test_a_step_that_uses_up_its_processor_time_says_so(desk: Scheduling) -> None:
    row = desk.done("busy", timeout=30)

    assert (row["state"], row["signal"]) == ("failed", "SIGXCPU")
    assert row["cause"] == "get: killed by SIGXCPU (cpuTimeSeconds is 1)"


def test_a_step_that_gets_no_more_memory_says_so(desk: Scheduling) -> None:
    row = desk.done("greedy")

    assert (row["state"], row["exit_code"]) == ("failed", 1)
    assert row["cause"] == "get: exit code 1: MemoryError (addressSpaceMb is 300)"
    assert row["words"][0] == "begun"


def test_a_limit_that_can_not_be_set_is_named_and_the_setting_says_what_follows(desk: Scheduling) -> None:
    row = desk.done("refused")
    lines = said(desk, "without")

    assert (row["state"], row["exit_code"]) == ("failed", 126)
    assert row["cause"].startswith("get: cannot set limit openFiles: ")
    assert "begun" not in desk.log(row).splitlines()
    assert lines[0].startswith("sbctl: cannot set limit openFiles: ")
    assert lines[1:] == ["begun"]


WRITES = 'id -u; echo x >"$SB_LOG_DIR/mine-$SB_STEP" && echo x >"$SB_WORK_DIR/$SB_STEP" && echo "{}" >"$SB_RESULT_FILE"'


@pytest.mark.root
def test_each_command_may_be_another_accounts_and_has_its_places() -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv")
    with tempfile.TemporaryDirectory(prefix="sbctl-other-user-") as folder:  # pytest's own are root's alone
        os.chmod(folder, 0o755)
        desk = Scheduling(Daemon(TemporaryHome(Path(folder) / "home")))
        commands = {name: {"command": WRITES, "user": user} for name, user in (("get", "nobody"), ("push", "root"))}
        desk.plugin("other", {"user": "daemon"}, process=WRITES, **commands)
        desk.task("other")
        try:
            row = desk.start().done("other")

            assert (row["state"], row["cause"]) == ("succeeded", None), desk.log(row)
            uids = [line for line in desk.log(row).splitlines() if line.isdigit()]
            assert uids == [str(pwd.getpwnam(name).pw_uid) for name in ("nobody", "daemon", "root")]
            logs = desk.home.path / "logs" / "other"
            owners = {str(path.relative_to(logs)): path.owner() for path in logs.glob("own*/mine-*")}
            assert owners == {
                "own-nobody/mine-get": "nobody", "own/mine-process": "daemon", "own-root/mine-push": "root"
            }  # fmt: skip
        finally:
            desk.daemon.end()
