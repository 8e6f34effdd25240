"""What stands in front of a command whose environment is partly in files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from supervisor.base.held_env import given_back, hold
from supervisor.base.where import role_command
from supervisor.helpers import read_env
from supervisor.helpers.read_env import Order, Trouble


def run(*words: str, command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    line = role_command("env", *words, "--", *command)
    return subprocess.run(line, env=env, capture_output=True, check=False, timeout=10)


def filled(*words: str, **env: str) -> dict[str, str]:
    return read_env.filled(env, Order([*words, "--", "serve"]))


def test_later_layers_beat_earlier_ones(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("A=file\nB=file\nC=file\nHOME=file\n")
    (tmp_path / "c").write_text("value\n")
    words = ["--env-file", f"{tmp_path}/env", "--keep", "B", "--keep", "C", "--value", "C", f"{tmp_path}/c"]

    env = filled(*words, HOME="/root", B="manifest", D="given")

    assert env == {"A": "file", "B": "manifest", "C": "value", "D": "given", "HOME": "file"}


def test_a_folder_comes_first_on_whatever_path_there_is(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("PATH=/own\n")

    assert filled("--path-first", "/v", PATH="/bin")["PATH"] == "/v:/bin"
    assert filled("--path-first", "/v")["PATH"] == f"/v:{os.defpath}"
    assert filled("--path-first", "/v", "--env-file", f"{tmp_path}/env", PATH="/bin")["PATH"] == "/v:/own"


def test_a_file_stands_for_its_content_without_the_last_line_ends(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"two\nlines \xff\n\n")

    assert read_env.read_value(f"{tmp_path}/secret") == os.fsdecode(b"two\nlines \xff")


def test_an_environment_file_is_read_as_people_write_it(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text(
        "# note\n\n A = 1 \nexport B='two words'\nC=\"x=y # no note\"\nD=\nE='\nF=\"'\n  # note\nG=a\\nb\nA=last\n"
    )

    assert read_env.read_env_file(str(file)) == {
        "A": "last",
        "B": "two words",
        "C": "x=y # no note",
        "D": "",
        "E": "'",
        "F": "\"'",
        "G": "a\\nb",
    }


@pytest.mark.parametrize("line", ["no equals sign", "=value", "two words=1", "1A=1", "A-B=1", "export"])
def test_a_bad_line_is_named_by_file_and_number_and_not_repeated(tmp_path: Path, line: str) -> None:
    file = tmp_path / "env"
    file.write_text(f"GOOD=1\n\n{line}\n")

    with pytest.raises(Trouble) as caught:
        read_env.read_env_file(str(file))

    assert str(caught.value) == f"{file}:3: not a NAME=VALUE line"


@pytest.mark.parametrize("what", ["missing", "", "long", "zero", "fifo", "/dev/zero"])
def test_what_can_not_be_read_is_named(tmp_path: Path, what: str) -> None:
    (tmp_path / "long").write_bytes(b"A=1\n" * 20_000)
    (tmp_path / "zero").write_bytes(b"A=1\0")
    os.mkfifo(tmp_path / "fifo")
    path = str(tmp_path / what)

    with pytest.raises(Trouble, match=f"can't read the environment file {path}: "):
        read_env.read_env_file(path)
    with pytest.raises(Trouble, match=f"can't read {path}: "):
        read_env.read_value(path)


def test_the_environment_is_what_it_would_be_without_a_reader(tmp_path: Path) -> None:
    """Whatever bytes there are, and no locale of Python's."""
    (tmp_path / "env").write_bytes(b"A=file \xff\n")
    env = {"GIVEN": os.fsdecode(b"\xfe"), "LC_CTYPE": "C", "PYTHONHOME": "/no/such"}

    done = run("--env-file", f"{tmp_path}/env", command=["/usr/bin/env", "-0"], env=env)

    found = set(done.stdout.rstrip(b"\0").split(b"\0"))
    assert found == {b"GIVEN=\xfe", b"LC_CTYPE=C", b"PYTHONHOME=/no/such", b"A=file \xff"}


def test_signals_that_python_ignores_are_not_ignored_by_the_command() -> None:
    done = run("--path-first", "/v", command=["/bin/grep", "SigIgn", "/proc/self/status"], env={})

    ignored = int(done.stdout.split()[1], 16)
    assert ignored & ~(0b11 << 31) == 0, hex(ignored)  # 32 and 33 belong to the C library, and nobody can reset them


@pytest.mark.parametrize(
    ("words", "command", "code", "said"),
    [
        (["--env-file", "/no/such"], "/bin/true", 78, "can't read the environment file /no/such: No such file"),
        (["--value", "A", "/"], "/bin/true", 78, "can't read /: Is a directory"),
        ([], "/no/such", 127, "/no/such: No such file or directory"),
        ([], "/", 126, "/: Permission denied"),
    ],
)
def test_trouble_is_said_in_one_line_and_by_the_code(words: list[str], command: str, code: int, said: str) -> None:
    done = run(*words, command=[command], env={})

    assert done.returncode == code
    assert done.stderr.startswith(f"sbctl: {said}".encode())
    assert done.stderr.count(b"\n") == 1


def test_what_root_reads_for_a_user_takes_effect_only_behind_the_change(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("NAME=1\nLD_PRELOAD=/tmp/evil.so\nLOCPATH=/tmp/evil\nPATH=/tmp/evil\n")
    given = hold({"PATH": "/bin", "LC_ALL": "C", "SB_KEY": "web.1"})
    words = ["--held", "--keep", "SB_KEY", "--env-file", f"{tmp_path}/env", "--path-first", "/v"]

    done = run(*words, command=["/usr/bin/env", "-0"], env=given)
    found = dict(item.split("=", 1) for item in done.stdout.decode().rstrip("\0").split("\0"))

    assert {name for name in found if not name.startswith("SB_LATER")} == {"PATH", "SB_KEY"}
    assert found["PATH"] == given["PATH"]
    assert given_back(found) == {
        "PATH": "/v:/tmp/evil", "LC_ALL": "C", "SB_KEY": "web.1", "NAME": "1", "LD_PRELOAD": "/tmp/evil.so",
        "LOCPATH": "/tmp/evil",
    }  # fmt: skip
