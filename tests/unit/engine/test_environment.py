"""The environment and the command line of a new process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from supervisor.engine import environment
from supervisor.engine.environment import CantLaunch
from supervisor.model.cause import CauseKind
from supervisor.model.service import Launch, User

MARK = {"SB_HOME_ID": "id", "SB_KEY": "server.1"}
BASE = {"PATH": "/usr/bin", "TOKEN": "t0ken", "HOME": "/root", "SB_KEY": "older"}


def launch(**values: Any) -> Launch:
    return Launch(**{"argv": ("serve", "--port", "1"), "cwd": "/a b", "log": "/dev/null", **values})


def build(**values: Any) -> dict[str, str]:
    return environment.build(BASE, launch(**values), MARK)


def test_later_layers_beat_earlier_ones_and_the_mark_beats_all(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("A=file\nB=file\nSB_KEY=forged\n")

    env = build(env_file=str(file), env={"B": "manifest", "SB_HOME_ID": "forged"})

    assert (env["A"], env["B"], env["SB_KEY"], env["SB_HOME_ID"]) == ("file", "manifest", "server.1", "id")
    assert env["TOKEN"] == "t0ken"


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


def test_a_file_stands_for_its_content_without_the_last_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"two\nlines \xff\n\n")

    assert environment.resolve(f"file:{file}", BASE) == os.fsdecode(b"two\nlines \xff")


@pytest.mark.parametrize("what", ["env:UNSET", "file:/no/such/file", "file:/", "file:/dev/zero"])
def test_a_reference_that_leads_nowhere_is_named(what: str) -> None:
    with pytest.raises(CantLaunch, match=what.partition(":")[2]) as caught:
        environment.resolve(what, BASE)

    assert caught.value.kind is CauseKind.SETTINGS_ERROR
    assert caught.value.remedy


def test_an_environment_file_is_read_as_people_write_it(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text(
        "# note\n\n A = 1 \nexport B='two words'\nC=\"x=y # no note\"\nD=\nE='\nF=\"'\n  # note\nG=a\\nb\nA=last\n"
    )

    assert environment.read_env_file(str(file)) == {
        "A": "last",
        "B": "two words",
        "C": "x=y # no note",
        "D": "",
        "E": "'",
        "F": "\"'",
        "G": "a\\nb",
    }


@pytest.mark.parametrize("line", ["no equals sign", "=value", "two words=1", "1A=1", "A-B=1", "export"])
def test_a_bad_line_is_named_by_file_and_number(tmp_path: Path, line: str) -> None:
    file = tmp_path / "env"
    file.write_text(f"GOOD=1\n\n{line}\n")

    with pytest.raises(CantLaunch, match=f"{file}:3: "):
        environment.read_env_file(str(file))


def test_a_secret_in_a_bad_line_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("s3cret\n")

    with pytest.raises(CantLaunch) as caught:
        environment.read_env_file(str(file))

    assert "s3cret" not in caught.value.text()


def test_an_environment_file_that_is_too_long_or_missing_is_named(tmp_path: Path) -> None:
    long = tmp_path / "long"
    long.write_bytes(b"A=1\n" * 20_000)

    for path in (long, tmp_path / "missing", tmp_path):
        with pytest.raises(CantLaunch, match=str(path)):
            environment.read_env_file(str(path))


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
    monkeypatch.setattr(environment, "_SETPRIV_FOLDERS", ("/no/such/folder",))
    other = User(name="other", uid=os.geteuid() + 1, gid=5, groups=(), home="/")

    with pytest.raises(CantLaunch, match="setpriv is not installed") as caught:
        environment.command_line(launch(user=other), 1)

    assert caught.value.kind is CauseKind.BAD_USER
    assert "util-linux" in caught.value.remedy
