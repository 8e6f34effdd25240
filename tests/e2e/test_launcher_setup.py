"""bin/sbctl on first use: one environment whatever happens, or none and a reason."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.checkout import Checkout
from support.home import ROOT
from support.processes import alive, pids_of_home
from support.waiting import eventually


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path)
    made.need("1.0")
    yield made
    made.end()


def said_nothing_left(checkout: Checkout) -> bool:
    return checkout.left() == [] and not pids_of_home(str(checkout.root))


def test_two_first_calls_at_once(checkout: Checkout) -> None:
    calls = [checkout.start("status", name) for name in ("one", "two", "three")]
    results = [(*call.communicate(timeout=50), call.returncode) for call in calls]

    assert [code for _, _, code in results] == [0, 0, 0], results
    errors = [err for _, err, _ in results]
    assert sum("first use: making" in err for err in errors) == 1
    assert sum("waiting for it" in err for err in errors) == 2
    assert checkout.left() == [".venv"]
    # From now on it is silent.
    assert checkout.run("status").err == ""


@pytest.mark.slow
def test_without_a_network(checkout: Checkout) -> None:
    checkout.need("2.0", available=False)

    result = checkout.run("status")

    assert (result.code, result.out) == (5, "")
    assert "error: pip install ended with 1" in result.err
    assert "No matching distribution found for sbctl-test-need>=2.0" in result.err
    assert said_nothing_left(checkout)


@pytest.mark.parametrize(("number", "at"), [(signal.SIGTERM, "making"), (signal.SIGINT, "installing")])
def test_interrupted(checkout: Checkout, number: int, at: str) -> None:
    result = checkout.interrupt(number, at)

    assert (result.code, result.out) == (128 + number, "")
    eventually(lambda: said_nothing_left(checkout), 5, "pip, which was told as well, is gone")


# What make_environment.py is run by: the signal strikes in the moment in which pip was forked.
STRUCK = """
import importlib.util, os, signal, subprocess, sys
class Struck(subprocess.Popen):
    def __init__(self, argv, **more):
        super().__init__(argv, **more)
        if "pip" in argv:
            print("pip is", self.pid, file=sys.stderr)
            os.kill(os.getpid(), signal.SIGINT)
subprocess.Popen = Struck
spec = importlib.util.spec_from_file_location("make_environment", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.exit(module.main(*sys.argv[2:], "", ""))
"""


def test_interrupted_in_the_moment_of_the_fork(checkout: Checkout) -> None:
    script = str(checkout.root / "bin" / "make_environment.py")
    command = [sys.executable, "-c", STRUCK, script, str(checkout.root), str(checkout.venv)]

    result = checkout.run(command=command)

    assert (result.code, result.out) == (128 + signal.SIGINT, ""), result.err
    assert not alive(int(result.err.partition("pip is ")[2].split()[0]))
    assert said_nothing_left(checkout)


@pytest.mark.slow
def test_interrupted_in_a_folder_that_was_there(checkout: Checkout) -> None:
    checkout.venv.mkdir()

    assert checkout.interrupt(signal.SIGHUP, "making").code == 128 + signal.SIGHUP
    assert os.listdir(checkout.venv) == []


@pytest.mark.slow
def test_killed_outright_and_called_again(checkout: Checkout) -> None:
    assert checkout.interrupt(signal.SIGKILL, "installing").code == -signal.SIGKILL
    eventually(lambda: not pids_of_home(str(checkout.root)), 30, "pip ends by itself")
    assert ".venv" in checkout.left()

    result = checkout.run("status")

    assert result.code == 0
    assert "left unfinished: making it again" in result.err
    assert checkout.left() == [".venv"]


@pytest.mark.slow
def test_the_index_can_not_be_reached(checkout: Checkout) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: refused at once
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/simple"
        result = checkout.run("status", PIP_NO_INDEX=None, PIP_FIND_LINKS=None, PIP_INDEX_URL=url)

    assert result.code == 5
    assert "network?" in result.err
    assert said_nothing_left(checkout)


@pytest.mark.slow
def test_new_needs_are_installed_and_a_mere_touch_is_not_felt(checkout: Checkout) -> None:
    checkout.told("status")

    os.utime(checkout.root / "setup.cfg")
    assert checkout.run("status").err == ""

    checkout.need("1.1")
    assert "update: installing sbctl-test-need" in checkout.run("status").err
    assert checkout.run("status").err == ""

    # What can't be had leaves the old environment, and is tried again.
    checkout.need("1.2", available=False)
    for _ in range(2):
        assert checkout.run("status").code == 5
    checkout.need("1.1")
    assert checkout.run("status").code == 0


@pytest.mark.slow
def test_the_pythons_place_has_changed(checkout: Checkout) -> None:
    """What an upgrade of the system's Python does: the link in the environment leads nowhere."""
    checkout.told("status")
    for name in os.listdir(checkout.venv / "bin"):
        if name.startswith("python"):
            (checkout.venv / "bin" / name).unlink()

    result = checkout.run("status")

    assert result.code == 0
    assert "has lost its Python" in result.err


@pytest.mark.slow
def test_versions_that_are_not_to_be_had(checkout: Checkout) -> None:
    (checkout.root / "constraints.txt").write_text("sbctl-test-need==1.5\n")

    result = checkout.run("status")

    assert result.code == 0
    assert "taking the newest that fit" in result.err


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_real_thing(checkout: Checkout) -> None:
    for name in ("setup.cfg", "constraints.txt"):
        shutil.copy2(ROOT / name, checkout.root / name)
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    unset = {"PIP_CONFIG_FILE": None, "PIP_NO_INDEX": None, "PIP_FIND_LINKS": None}

    result = checkout.run("status", timeout=280, **{**unset, **pip})

    if "from versions: none" in result.err or "Temporary failure" in result.err:
        pytest.skip("no package index can be reached")
    assert result.code == 0, result.err
    assert "first use: ready" in result.err
