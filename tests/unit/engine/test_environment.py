"""The environment and the command line of a new process."""

from __future__ import annotations

import os
from typing import Any

import pytest

from supervisor.base.where import role_command
from supervisor.engine import environment
from supervisor.engine.environment import CantLaunch
from supervisor.model.cause import CauseKind
from supervisor.model.limits import FAIL, START, KernelLimits
from supervisor.model.service import Launch, User

MARK = {"SB_HOME_ID": "id", "SB_KEY": "server.1"}
BASE = {"PATH": "/usr/bin", "TOKEN": "t0ken", "HOME": "/root", "SB_KEY": "older"}


def launch(**values: Any) -> Launch:
    return Launch(**{"argv": ("serve", "--port", "1"), "cwd": "/a b", "log": "/dev/null", **values})


def build(**values: Any) -> dict[str, str]:
    return environment.build(BASE, launch(**values), MARK)


def test_later_layers_beat_earlier_ones_and_the_mark_beats_all() -> None:
    env = build(env={"TOKEN": "manifest", "SB_HOME_ID": "forged"})

    assert (env["TOKEN"], env["SB_KEY"], env["SB_HOME_ID"]) == ("manifest", "server.1", "id")


def test_secrets_are_left_out_unless_a_value_names_them() -> None:
    env = build(drop_env=("TOKEN",), env={"GIVEN": "env:TOKEN", "INSIDE": "<${TOKEN}>"})

    assert "TOKEN" not in env
    assert (env["GIVEN"], env["INSIDE"]) == ("t0ken", "<t0ken>")


def test_a_folder_comes_first_on_whatever_path_there_is() -> None:
    assert build(path_first="/venv/bin")["PATH"] == "/venv/bin:/usr/bin"
    assert build(path_first="/venv/bin", env={"PATH": "/own"})["PATH"] == "/venv/bin:/own"
    assert environment.build({}, launch(path_first="/v"), MARK)["PATH"] == f"/v:{os.defpath}"


def test_another_user_brings_its_names_and_home() -> None:
    user = User(name="web", uid=65534, gid=65533, groups=(1, 2), home="/var/web")
    env = build(user=user)

    assert (env["HOME"], env["USER"], env["LOGNAME"]) == ("/var/web", "web", "web")


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${TOKEN}", "t0ken"),
        ("a${TOKEN}b${TOKEN}c", "at0kenbt0kenc"),
        ("${UNSET}", ""),
        ("${not a name}", "${not a name}"),
        ("${TOKEN", "${TOKEN"),
        ("$TOKEN $$ ${}", "$TOKEN $$ ${}"),
        ("${${TOKEN}}", "${${TOKEN}}"),
        ("env:TOKEN", "t0ken"),
        (" env:TOKEN", " env:TOKEN"),
    ],
)
def test_values_are_resolved(value: str, result: str) -> None:
    assert environment.resolve(value, BASE) == result


def test_a_reference_that_leads_nowhere_is_named() -> None:
    with pytest.raises(CantLaunch, match="UNSET") as caught:
        environment.resolve("env:UNSET", BASE)

    assert caught.value.kind is CauseKind.SETTINGS_ERROR
    assert caught.value.remedy


def test_files_are_left_to_the_child() -> None:
    """Not even whether they are there is looked at."""
    values = {"env_file": "/no/such/env", "env": {"A": "file:/no/such/a", "B": "b"}, "path_first": "/venv/bin"}

    assert build(**values) == {**BASE, "B": "b", **MARK}
    words = environment.command_line(launch(**values), 7)
    rest = words.index("--")
    assert words[:rest] == [
        *role_command("env", "--env-file", "/no/such/env"),
        *("--keep", "A", "--keep", "B", "--keep", "SB_HOME_ID", "--keep", "SB_KEY", "--keep", "NOTIFY_SOCKET"),
        *("--value", "A", "/no/such/a", "--path-first", "/venv/bin"),
    ]
    assert words[rest + 1 :] == environment.command_line(launch(), 7)


def test_the_reader_is_told_no_values() -> None:
    words = environment.command_line(launch(env={"A": "s3cret", "B": "file:/b", "SB_KEY": "file:/forged"}), 7)

    assert "--value" in words
    assert not [word for word in words if "s3cret" in word or "forged" in word]


def test_without_files_there_is_no_reader() -> None:
    assert environment.command_line(launch(env={"A": "env:TOKEN", "B": "a file:"}), 7)[0] == "/bin/sh"


def test_the_files_are_read_before_the_user_is_switched() -> None:
    other = User(name="other", uid=os.geteuid() + 1, gid=5, groups=(), home="/")
    words = environment.command_line(launch(user=other, env_file="/env"), 1)

    assert words[words.index("--") + 1].endswith("/setpriv")


def test_words_are_given_to_the_shell_as_arguments_never_as_text() -> None:
    words = environment.command_line(launch(argv=("$(x)", "a;b", "")), 1024)

    assert words[:3] == ["/bin/sh", "-c", environment.SHIM]
    assert words[3:] == ["sbctl", "1024", "/a b", "$(x)", "a;b", ""]


def test_the_user_is_switched_by_setpriv_only_when_it_is_another() -> None:
    own = User(name="me", uid=os.geteuid(), gid=os.getegid(), groups=(), home="/")
    other = User(name="other", uid=os.geteuid() + 1, gid=5, groups=(6, 7), home="/")
    alone = User(name="alone", uid=os.geteuid() + 1, gid=5, groups=(), home="/")

    assert environment.command_line(launch(user=own), 1)[0] == "/bin/sh"
    words = environment.command_line(launch(user=other), 1)
    assert words[0].endswith("/setpriv")
    assert words[1:5] == [f"--reuid={other.uid}", "--regid=5", "--groups=6,7", "--"]
    assert "--clear-groups" in environment.command_line(launch(user=alone), 1)


def test_without_setpriv_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.engine.kernel_limits.FOLDERS", ("/no/such/folder",))
    other = User(name="other", uid=os.geteuid() + 1, gid=5, groups=(), home="/")

    with pytest.raises(CantLaunch, match="setpriv is not installed") as caught:
        environment.command_line(launch(user=other), 1)

    assert caught.value.kind is CauseKind.NOT_INSTALLED
    assert "(package util-linux)" in caught.value.what
    assert caught.value.remedy == "apt-get install util-linux"


@pytest.mark.parametrize(
    ("limits", "tool", "package"),
    [
        (KernelLimits(ionice="idle"), "ionice", "util-linux"),
        (KernelLimits(rlimits={"core": (0, 0)}), "prlimit", "util-linux"),
        (KernelLimits(nice=3), "renice", "bsdutils"),
    ],
)
def test_without_the_tool_for_a_limit_its_package_is_named(
    monkeypatch: pytest.MonkeyPatch, limits: KernelLimits, tool: str, package: str
) -> None:
    monkeypatch.setattr("supervisor.engine.kernel_limits.FOLDERS", ("/no/such/folder",))

    with pytest.raises(CantLaunch) as caught:
        environment.command_line(launch(limits=limits), 1)
    limits.if_refused = START
    words = environment.command_line(launch(limits=limits), 1)
    limits.if_refused = FAIL

    assert caught.value.kind is CauseKind.NOT_INSTALLED
    assert caught.value.what == f"can't set its limits: the program {tool} is not installed (package {package})"
    assert caught.value.remedy == f"apt-get install {package}"
    assert f"the program {tool} is not installed (package {package})" in words[2]


def test_limits_that_need_no_tool_need_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.engine.kernel_limits.FOLDERS", ("/no/such/folder",))

    assert environment.command_line(launch(limits=KernelLimits(umask=0o077, oom_score=5)), 1)[0] == "/bin/sh"
