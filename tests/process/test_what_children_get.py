"""What a server is given by `start`: descriptors, signals, limits, environment, folder, user."""

from __future__ import annotations

import json
import os
import pwd
import resource
import signal
from pathlib import Path
from typing import Any

import pytest
from support.children import child
from support.daemon import Daemon
from support.waiting import eventually

from supervisor.base import proc
from supervisor.model.identity import read_home_id

SECRET = "s3cret-never-to-be-seen"


def reported(daemon: Daemon, name: str = "server") -> dict[str, Any]:
    """What tests/children/report.py found in its newest life."""
    lines = eventually(lambda: [line for line in daemon.home.log(name).splitlines() if line.startswith("{")])
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def start_through(daemon: Daemon, *through: str, pass_fds: tuple[int, ...] = (), **env: str) -> None:
    assert daemon.compile()["ok"]
    daemon.launch(through=through, pass_fds=pass_fds, env=env)
    daemon.settle()


def test_three_descriptors_and_no_more(daemon: Daemon) -> None:
    """Also when whoever called left some open, to `start` or to a scheduler that was restarted."""
    daemon.home.add_plugin("server", child("report"))
    read_end, write_end = os.pipe()
    try:
        start_through(daemon, pass_fds=(read_end, write_end))
        found = reported(daemon)
    finally:
        os.close(read_end)
        os.close(write_end)

    assert sorted(found["fds"]) == ["0", "1", "2"]
    assert found["fds"]["0"] == "/dev/null"
    assert found["fds"]["1"] == found["fds"]["2"]
    assert found["fds"]["1"].startswith("pipe:")
    assert found["nonblocking"] == []


def test_what_the_caller_left_open_is_not_kept_open(daemon: Daemon) -> None:
    """A pipe whose reader waits for its end, say."""
    daemon.home.add_plugin("server", child("ready"))
    read_end, write_end = os.pipe()
    try:
        start_through(daemon, pass_fds=(write_end,))
        os.close(write_end)
        write_end = -1
        os.set_blocking(read_end, False)
        assert os.read(read_end, 1) == b"", "somebody still holds the other end"
    finally:
        os.close(read_end)
        if write_end >= 0:
            os.close(write_end)


def test_signals_are_as_if_freshly_booted(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("report"))
    start_through(
        daemon, "env", "--ignore-signal=HUP,PIPE,INT,TERM,CHLD,USR1", "--block-signal=TERM,HUP,USR2,CHLD", "--"
    )
    found = reported(daemon)

    assert int(found["blocked"], 16) == 0
    # Python ignores these two by itself.
    assert set(found["ignored"]) <= {signal.SIGPIPE, signal.SIGXFSZ}
    assert found["leads_session"]
    # And `start`, which inherited them, hears all the same.
    assert daemon.stop() == 0


def test_the_limit_on_open_files_is_the_callers_own(daemon: Daemon) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    daemon.home.add_plugin("server", child("report"))
    start_through(daemon, "/bin/sh", "-c", 'ulimit -S -n 123; exec "$@"', "sh")

    assert reported(daemon)["open_files"] == [123, hard]
    for role in ("start", "scheduler"):
        limits = Path(f"/proc/{daemon.pid(role)}/limits").read_text()
        line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
        assert line.split()[3] == line.split()[4]


def test_the_environment_is_starts_with_marks_and_without_secrets(daemon: Daemon) -> None:
    daemon.home.add_plugin("server", child("report"))
    daemon.home.add_plugin("trusted", child("report"), manifest={"passEnv": ["DASHBOARD_KEY"]})
    start_through(daemon, FROM_OUTSIDE="yes", DASHBOARD_KEY=SECRET, SB_KEY="of-a-caller.7")
    env, trusted = reported(daemon)["env"], reported(daemon, "trusted")["env"]

    assert (env["FROM_OUTSIDE"], env["SB_PLUGIN"], env["SB_HOME"]) == ("yes", "server", str(daemon.home))
    assert env["SB_LOG_DIR"] == str(daemon.home.path / "logs" / "server")
    assert env["SB_KEY"] == "server.1"
    assert env["SB_HOME_ID"] == read_home_id(daemon.model) != ""
    assert "DASHBOARD_KEY" not in env
    assert trusted["DASHBOARD_KEY"] == SECRET
    assert not [name for name in env if "NOTIFY" in name or name.startswith("LISTEN_")]


def test_values_kept_elsewhere_arrive_in_the_server_and_are_seen_nowhere_else(daemon: Daemon) -> None:
    env = {"FROM_ENV": "env:TOKEN", "FROM_FILE": "file:token", "INSIDE": "a ${TOKEN} b ${UNSET}c $d"}
    files = {"token": f"{SECRET}-file\n", "more.env": f"# note\nexport MORE='{SECRET}-more'\n\nPLAIN=1\n"}
    daemon.home.add_plugin("server", child("report"), manifest={"env": env, "envFile": "more.env"}, files=files)
    start_through(daemon, TOKEN=SECRET)

    found = reported(daemon)["env"]

    assert (found["FROM_ENV"], found["FROM_FILE"]) == (SECRET, f"{SECRET}-file")
    assert found["INSIDE"] == f"a {SECRET} b c $d"
    assert (found["MORE"], found["PLAIN"]) == (f"{SECRET}-more", "1")
    log = daemon.home.path / "logs" / "server" / "server.log"
    for path in (daemon.home.path / "logs").rglob("*"):
        if path.is_file() and path != log and path.parent.name != "scheduler":  # the server itself has printed it
            assert SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in " ".join(proc.command_of(pid) for pid in daemon.home.pids())


@pytest.mark.parametrize(
    ("manifest", "files", "event", "said"),
    [
        ({"env": {"TOKEN": "env:NOT_SET_ANYWHERE"}}, {}, "service.spawn_failed", "NOT_SET_ANYWHERE is not set"),
        ({"env": {"TOKEN": "file:gone"}}, {}, "service.exited", "gone: No such file or directory"),
        ({"envFile": "gone.env"}, {}, "service.exited", "gone.env: No such file or directory"),
        ({"envFile": "bad.env"}, {"bad.env": "GOOD=1\n\nno equals sign\n"}, "service.exited", "bad.env:3: not a NAME"),
    ],
)
def test_a_value_that_is_not_there_is_named_and_spends_the_budget(
    daemon: Daemon, manifest: dict[str, Any], files: dict[str, str], event: str, said: str
) -> None:
    daemon.home.supervision["delaysSeconds"] = [0.01]
    daemon.home.write()
    daemon.home.add_plugin("server", child("ready"), manifest=manifest, files=files)
    daemon.home.add_plugin("other", child("ready"))
    daemon.start()

    row = daemon.in_phase("server", "failed")

    assert said in row["cause"]
    assert daemon.events("server", event)[-1]["data"]["cause"]["kind"] == "settings-error"
    assert daemon.row("other")["state"] == "running"


def test_the_plugins_own_environment_comes_first_on_the_path(daemon: Daemon) -> None:
    tools = daemon.home.path / "plugins" / "server" / ".venv" / "bin"
    tools.mkdir(parents=True)
    (tools / "my-tool").write_text("#!/bin/sh\necho from the venv\nsleep 1000\n")
    (tools / "my-tool").chmod(0o755)
    daemon.home.add_plugin("server", ["my-tool"])
    daemon.start()

    eventually(lambda: "from the venv" in daemon.home.log("server"))


def test_the_working_folder_is_the_plugins_or_what_it_says(daemon: Daemon) -> None:
    daemon.home.add_plugin("own", child("report"))
    daemon.home.add_plugin("home", child("report"), manifest={"cwd": "home"})
    (daemon.home.path / "plugins" / "below").mkdir()
    (daemon.home.path / "plugins" / "below" / "a b 'c").mkdir()
    daemon.home.add_plugin("below", child("report", "a word", "$HOME", "`id`"), manifest={"cwd": "a b 'c"})
    daemon.start()

    folders = {name: Path(reported(daemon, name)["cwd"]) for name in ("own", "home", "below")}

    plugins = daemon.home.path / "plugins"
    assert folders == {"own": plugins / "own", "home": daemon.home.path, "below": plugins / "below" / "a b 'c"}
    assert reported(daemon, "below")["argv"] == ["a word", "$HOME", "`id`"]
    assert reported(daemon, "own")["umask"] == "0022"


@pytest.mark.root
def test_another_user_is_switched_to_with_its_home_and_groups(daemon: Daemon) -> None:
    nobody = pwd.getpwnam("nobody")
    daemon.home.add_plugin("server", ["/usr/bin/env"], manifest={"user": "nobody", "cwd": "/"}, restart="on-failure")
    daemon.home.add_plugin(
        "ids", ["/bin/sh", "-c", "id -u; id -g; id -G; exec sleep 1000"], manifest={"user": "nobody", "cwd": "/"}
    )
    daemon.start()
    daemon.in_phase("server", "stopped")

    env = dict(line.partition("=")[::2] for line in daemon.home.log("server").splitlines())
    ids = eventually(lambda: len(daemon.home.log("ids").splitlines()) >= 3 and daemon.home.log("ids").splitlines())

    assert (env["USER"], env["LOGNAME"], env["HOME"]) == ("nobody", "nobody", nobody.pw_dir)
    assert ids[:2] == [str(nobody.pw_uid), str(nobody.pw_gid)]
    assert "0" not in ids[2].split()
    pid = daemon.row("ids")["pid"]
    assert daemon.stop() == 0
    assert not os.path.exists(f"/proc/{pid}/fd")


@pytest.mark.root
def test_the_values_of_a_user_reach_none_of_root_s_programs(daemon: Daemon, tmp_path: Path) -> None:
    """A library that cannot be loaded is named on stderr by each program that should: all of them are the user's."""
    secret = tmp_path / "env"
    secret.write_text("LD_PRELOAD=/no/such/lib.so\nLOCPATH=/evil\nTOKEN=of root alone\n")
    secret.chmod(0o600)
    command = ["/bin/sh", "-c", "id -u; tr '\\0' '\\n' </proc/$$/environ"]
    manifest = {"user": "nobody", "cwd": "/", "envFile": str(secret), "env": {"GREETING": "two  words"}}
    limits = {"nice": 3, "openFiles": 200}
    daemon.home.add_plugin("server", command, limits=limits, manifest=manifest, restart="on-failure")
    daemon.start()
    daemon.in_phase("server", "stopped")

    lines = daemon.home.log("server").splitlines()

    refused = [line for line in lines if "/no/such/lib.so" in line and "ld.so" in line]
    assert len(refused) == 3, refused  # the command's shell, id and tr
    assert str(pwd.getpwnam("nobody").pw_uid) in lines
    assert {"LOCPATH=/evil", "TOKEN=of root alone", "GREETING=two  words", "USER=nobody"} <= set(lines)
    assert not [line for line in lines if line.startswith("SB_LATER")]
