"""Limits and accounts of commands: of the plugin, of one command, and what of it can't be."""

from __future__ import annotations

import os
import pwd
from typing import Any

import pytest
from unit.settings.settings_files import SettingsFiles

from supervisor.model.launch import Launch
from supervisor.model.limits import UNLIMITED
from supervisor.settings.api import show
from supervisor.settings.step_keys import WATCHED

NOBODY = pwd.getpwnam("nobody")
ME = pwd.getpwuid(os.geteuid()).pw_name


def plugin(files: SettingsFiles, commands: dict[str, Any], **keys: Any) -> None:
    files.manifest("job", {"id": "job", "commands": commands, **keys})


def launches(files: SettingsFiles) -> dict[str, Launch]:
    found = files.document("scheduler")["schedules"]["commands"]["job"]
    return {step: Launch.from_dict(launch) for step, launch in found.items()}


def said(files: SettingsFiles) -> list[tuple[str, str, str]]:
    return [(each.level, each.path, each.message) for each in files.check()]


def test_those_of_the_plugin_hold_for_each_command(files: SettingsFiles) -> None:
    plugin(files, {"get": "true", "report": ["true"]}, limits={"openFiles": 64, "nice": 3, "umask": "027"})

    for launch in launches(files).values():
        assert launch.limits.rlimits == {"nofile": (64, 64)}
        assert (launch.limits.nice, launch.limits.umask) == (3, 0o027)
    assert said(files) == []


def test_those_of_a_command_come_first_key_by_key(files: SettingsFiles) -> None:
    its = {"openFiles": "unlimited", "cgroup": {"processes": 9}, "cpuTimeSeconds": 5, "ifRefused": "start"}
    limits = {"openFiles": 64, "nice": 3, "cgroup": {"memoryMb": 64}}
    plugin(files, {"get": {"command": "true", "limits": its}, "push": "true"}, limits=limits)

    get, push = launches(files)["get"].limits, launches(files)["push"].limits

    assert get.rlimits == {"nofile": (UNLIMITED, UNLIMITED), "cpu": (5, 6)}
    assert (get.nice, get.cgroup, get.if_refused) == (3, {"memory_max": 64 << 20, "pids_max": 9}, "start")
    assert (push.rlimits, push.nice, push.cgroup) == ({"nofile": (64, 64)}, 3, {"memory_max": 64 << 20})


def test_without_any_there_is_nothing_in_front_of_a_command(files: SettingsFiles) -> None:
    plugin(files, {"get": {"command": "true"}, "server": "true"}, server={"limits": {"nice": 3}})

    assert not launches(files)["get"].limits
    assert launches(files)["get"].argv == ("true",)


def test_those_of_commands_are_not_those_of_the_server(files: SettingsFiles) -> None:
    plugin(files, {"get": "true", "server": "true"}, limits={"nice": 3})

    assert not files.spec("job").launch.limits


def test_limits_without_a_command_are_said_to_be_useless(files: SettingsFiles) -> None:
    plugin(files, {"server": "/bin/sh x"}, limits={"nice": 3})

    (found,) = files.check()
    assert (found.level, found.path, found.message) == (
        "warning", "limits", "it has no command that they could hold for"
    )  # fmt: skip
    assert found.remedy == "limits of the server stand in server.limits"


@pytest.mark.parametrize("key", sorted(WATCHED))
def test_what_is_watched_is_refused(files: SettingsFiles, key: str) -> None:
    for path, keys in (
        ("limits", {"limits": {key: 1}, "commands": {"get": "true"}}),
        ("commands.get.limits", {"commands": {"get": {"command": "true", "limits": {key: 1}}}}),
        ("commands.own.limits", {"commands": {"own": {"command": "true", "limits": {key: 1, "nice": 1}}}}),
    ):
        files.manifest("job", {"id": "job", **keys})
        assert said(files) == [("error", path, f"{key} is for servers only: nobody watches a command while it runs")]


WRONG: list[tuple[Any, str, str]] = [
    (5, "commands.get", "must be a text, a list of texts or a map"),
    ("", "commands.get", "the command is empty"),
    ({}, "commands.get.command", "is missing"),
    ({"command": 5}, "commands.get.command", "must be a text or a list of texts"),
    ({"command": "true", "limits": {"nice": 20}}, "commands.get.limits.nice", "must be at most 19"),
    ({"command": "true", "limit": {}}, "commands.get.limit", "not a known key"),
    ({"command": "true", "nice": 3}, "commands.get.nice", "not a known key"),
    ({"command": "true", "user": "no-such-account"}, "commands.get.user", "there is no account 'no-such-account' here"),
    ({"command": "true", "groups": ["root"]}, "commands.get.groups", "groups belong to an account, and none is given"),
]


@pytest.mark.parametrize(("written", "path", "message"), WRONG)
def test_what_is_wrong_has_its_place(files: SettingsFiles, written: Any, path: str, message: str) -> None:
    plugin(files, {"get": written})

    assert said(files) == [("error", path, message)]
    assert files.check()[0].remedy


def test_a_key_at_the_wrong_place_is_shown_the_right_one(files: SettingsFiles) -> None:
    for name in ("get", "own"):
        plugin(files, {name: {"command": "true", "nice": 3}})
        assert files.check()[0].remedy == "did you mean limits.nice?"


def test_a_server_is_no_map(files: SettingsFiles) -> None:
    plugin(files, {"server": {"command": "true", "limits": {"nice": 1}}})

    (found,) = files.check()
    assert (found.path, found.message) == ("commands.server", "must be a text or a list of texts")
    assert '"server"' in found.remedy


def test_a_program_that_is_not_there_is_said_where_it_is_named(files: SettingsFiles) -> None:
    plugin(files, {"get": "true", "push": {"command": "no-such-program"}, "own": "no-such-program"})

    assert [path for _, path, _ in said(files)] == ["commands.push.command", "commands.own"]


@pytest.mark.parametrize("limits", [{"ifRefused": "start"}, {"cgroup": {}}])
def test_what_changes_nothing_is_said(files: SettingsFiles, limits: dict[str, Any]) -> None:
    plugin(files, {"get": {"command": "true", "limits": limits}}, limits=limits)

    (key,) = limits
    assert [(level, path) for level, path, _ in said(files)] == [
        ("warning", f"commands.get.limits.{key}"), ("warning", f"limits.{key}")
    ]  # fmt: skip


def test_what_only_root_may_is_a_warning(files: SettingsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(files, {"get": {"command": "true", "limits": {"nice": -5}}}, limits={"oomScore": -1})
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    message = "only root may set this: the command will not start"
    assert said(files) == [
        ("warning", "commands.get.limits.nice", message), ("warning", "limits.oomScore", message)
    ]  # fmt: skip


def test_one_command_may_run_as_another_account(files: SettingsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(files, {"get": {"command": "true", "user": "nobody"}, "push": "true"})

    get, push = launches(files)["get"], launches(files)["push"]

    assert get.user is not None
    assert (get.user.uid, push.user) == (NOBODY.pw_uid, None)
    assert get.env["SB_LOG_DIR"] == str(files.path / "logs" / "job" / "own-nobody")
    assert push.env["SB_LOG_DIR"] == str(files.path / "logs" / "job")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert said(files) == [("warning", "commands.get.user", "only root can start it as another account")]


def test_the_account_of_the_plugin_holds_where_a_command_has_none(files: SettingsFiles) -> None:
    commands = {
        "get": {"command": "true", "user": ME},
        "push": {"command": "true", "groups": ["daemon"]},
        "own": "true",
    }
    plugin(files, commands, user="nobody")
    found = launches(files)
    names = {step: launch.user.name for step, launch in found.items() if launch.user is not None}

    assert names == {"get": ME, "push": "nobody", "own": "nobody"}
    own = str(files.path / "logs" / "job" / "own")
    assert [found[step].env["SB_LOG_DIR"] for step in ("push", "own")] == [own, own]
    assert found["get"].env["SB_LOG_DIR"] == (own if ME == "nobody" else f"{own}-{ME}")
    push, other = found["push"].user, found["own"].user
    assert push is not None
    assert other is not None
    assert set(push.groups) > set(other.groups)


def test_a_command_is_shown_as_short_as_it_can_be_written(files: SettingsFiles) -> None:
    plugin(files, {"get": {"command": "true"}, "push": {"command": "true", "limits": {"nice": 1}}, "own": ["true"]})

    assert show(files.home)["plugins"]["job"]["commands"] == {
        "get": "true", "push": {"command": "true", "limits": {"nice": 1}}, "own": ["true"]
    }  # fmt: skip
