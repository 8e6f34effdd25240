"""bin/sbctl when its environment is there: found from anywhere, adds nothing, touches nothing of others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path)
    yield made
    made.end()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An environment of somebody else's with nothing installed."""
    path = tmp_path / "their env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    return path


@pytest.fixture
def few_programs(tmp_path: Path) -> Path:
    """A PATH with what the scripts need and no Python."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "cat", "readlink"):
        (folder / name).symlink_to(f"/bin/{name}")
    return folder


def here(checkout: Checkout, *args: str, **more: object) -> dict[str, object]:
    return checkout.told(*args, SB_VENV=sys.prefix, **more)


def files(folder: Path) -> set[str]:
    return {os.path.join(at, name) for at, _, names in os.walk(folder) for name in names}


def test_arguments_arrive_as_they_were(checkout: Checkout) -> None:
    args = ["status", "a b", "", "*", "$HOME", "--", "-x", "two\nlines", "ü", "'\""]

    assert here(checkout, *args)["args"] == args


def test_exit_code_is_that_of_sbctl(checkout: Checkout) -> None:
    assert checkout.run("exit", "42", SB_VENV=sys.prefix).code == 42


def test_it_becomes_sbctl_rather_than_waiting_for_it(checkout: Checkout) -> None:
    here(checkout)  # finds out about the environment
    process = checkout.start(SB_VENV=sys.prefix)

    assert f'"pid": {process.pid}' in process.communicate(timeout=10)[0]


@pytest.mark.parametrize(
    ("folder", "command"),
    [
        (".", ["a checkout/bin/sbctl"]),
        ("a checkout", ["bin/sbctl"]),
        ("a checkout", ["./bin/../bin//sbctl"]),
        ("a checkout/bin", ["./sbctl"]),
        ("a checkout/bin", ["sh", "sbctl"]),
        ("a checkout/supervisor/cli", ["../../bin/sbctl"]),
        ("a checkout/bin", ["../bin/./sbctl"]),
        ("/", ["{launcher}"]),
        ("/", ["bash", "{launcher}"]),
    ],
)
def test_from_any_folder(checkout: Checkout, folder: str, command: list[str]) -> None:
    argv = [word.format(launcher=checkout.launcher) for word in command]
    answer = here(checkout, command=argv, cwd=checkout.root.parent / folder)

    assert os.path.samefile(str(answer["root"]), checkout.root / "supervisor/cli/hot.py")
    assert os.path.isabs(str(answer["root"]))


@pytest.mark.parametrize("slash", ["", "/"])
def test_by_path(checkout: Checkout, slash: str) -> None:
    path = f"{checkout.root / 'bin'}{slash}:{os.environ['PATH']}"

    assert here(checkout, "x", command=["env", "sbctl"], PATH=path)["args"] == ["x"]


def test_by_a_chain_of_links(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(checkout.launcher)
    (tmp_path / "two").symlink_to("one")

    assert here(checkout, "x", command=[str(tmp_path / "two")])["args"] == ["x"]


def test_by_a_linked_folder(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "bin").symlink_to(checkout.root / "bin")

    assert here(checkout, "x", command=[str(tmp_path / "elsewhere" / "bin" / "sbctl")])["args"] == ["x"]


def test_pythons_variables_do_not_matter(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    hostile = {"PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nowhere", "PYTHONSTARTUP": "/nowhere", "CDPATH": "/"}

    assert here(checkout, "x", **hostile)["args"] == ["x"]


def test_shell_options_of_others_do_not_matter(checkout: Checkout) -> None:
    assert here(checkout, "x", IFS="/ab", ENV="/nowhere", POSIXLY_CORRECT="1")["args"] == ["x"]


def test_their_environment_is_used_and_left_as_it_is(checkout: Checkout, bare: Path) -> None:
    checkout.need("1.0")
    site = next(bare.glob("lib/python*/site-packages"))
    info = site / "sbctl_test_need-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sbctl-test-need\nVersion: 1.2\n")
    before = files(bare)

    for _ in range(2):
        assert checkout.told(SB_VENV=str(bare))["python"] == f"{bare}/bin/python"
    assert files(bare) == before


def test_their_environment_lacks_something(checkout: Checkout, bare: Path) -> None:
    checkout.need("1.0")
    before = files(bare)

    result = checkout.run("status", SB_VENV=str(bare))

    assert (result.code, result.out) == (5, "")
    assert "lacks sbctl-test-need>=1.0" in result.err
    assert f"next: {bare}/bin/python -m pip install 'sbctl-test-need>=1.0'" in result.err
    assert files(bare) == before


def test_a_folder_that_is_no_environment_is_left_alone(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()

    result = checkout.run(SB_VENV=str(tmp_path / "photos"))

    assert (result.code, os.listdir(tmp_path / "photos")) == (5, ["one.jpg"])
    assert "is not a Python environment" in result.err
    assert "remove" not in result.err  # it may be /usr


def test_a_place_that_can_not_be_written(checkout: Checkout) -> None:
    result = checkout.run(SB_VENV="/proc/sbctl/env")

    assert result.code == 5
    assert "cannot make /proc/sbctl/env" in result.err
    assert "set SB_VENV to a folder that you can write" in result.err


def test_no_python_that_is_new_enough(checkout: Checkout, few_programs: Path) -> None:
    (few_programs / "python3").write_text("#!/bin/sh\nexit 3\n")
    (few_programs / "python3").chmod(0o755)

    result = checkout.run(PATH=str(few_programs), SB_PYTHON=None)

    assert (result.code, checkout.left()) == (5, [])
    assert "no Python 3.11 or newer found" in result.err


def test_a_program_that_is_no_python(checkout: Checkout) -> None:
    result = checkout.run("version", SB_PYTHON="/bin/true")

    assert (result.code, result.out, checkout.left()) == (5, "", [])
    assert "no Python 3.11 or newer found" in result.err


def test_a_python_without_ensurepip(checkout: Checkout, few_programs: Path) -> None:
    """Debian's python3 without python3-venv."""
    code = "import sys; sys.modules['ensurepip'] = None; exec(sys.argv[1])"
    (few_programs / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -c "{code}" "$3"\n')
    (few_programs / "python3").chmod(0o755)

    result = checkout.run(PATH=str(few_programs), SB_PYTHON=None)

    assert (result.code, checkout.left()) == (5, [])
    assert "apt-get install python3-venv" in result.err
