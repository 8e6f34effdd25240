"""R47: run_automations.sh under signals, killed, from other folders, with blanks in its paths, and two of it at once.

It becomes what does the work: nothing stays in between that holds the group or hides the exit code.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import MakeHome
from support.children import child
from support.home import ROOT, TemporaryHome
from support.waiting import eventually

SCRIPT = ROOT / "bin" / "run_automations.sh"
MOMENTS = (0.02, 0.2)
ALL_MOMENTS = (0.0, 0.01, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)


@pytest.fixture
def spaced(make_home: MakeHome) -> TemporaryHome:
    """With blanks and worse in its path; compiled, so that a start is quick."""
    home = make_home('a home\'s "own" $place')
    home.settings["config"] = {"enabled": False}
    home.write()
    home.add_plugin("web", child("ready"))
    assert home.run([SCRIPT, "start"]).code == 0
    assert home.run([SCRIPT, "stop"]).code == 0
    return home


def to_it(process: subprocess.Popen[bytes], number: int) -> None:
    process.send_signal(number)


def to_its_group(process: subprocess.Popen[bytes], number: int) -> None:
    os.killpg(process.pid, number)


def call(home: TemporaryHome, verb: str, cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [SCRIPT, verb],
        env=home.environment(),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


Whom = Callable[[subprocess.Popen[bytes], int], None]
TERM, INT, HUP, KILL = signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize(("whom", "number"), [(to_it, TERM), (to_it, KILL), (to_its_group, INT), (to_its_group, HUP)])
def test_a_signal_while_it_starts(spaced: TemporaryHome, whom: Whom, number: signal.Signals) -> None:
    interrupt(spaced, whom, number, MOMENTS)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("whom", [to_it, to_its_group])
@pytest.mark.parametrize("number", [TERM, INT, HUP, KILL])
def test_a_signal_at_more_moments(spaced: TemporaryHome, whom: Whom, number: signal.Signals) -> None:
    interrupt(spaced, whom, number, ALL_MOMENTS)


def interrupt(spaced: TemporaryHome, whom: Whom, number: signal.Signals, moments: tuple[float, ...]) -> None:
    """It ends by that signal or has done its work; a tree that has begun is whole, for it is in no group of ours."""
    for moment in moments:
        process = call(spaced, "start", Path("/"))
        threading.Event().wait(moment)
        if process.poll() is None:
            whom(process, number)
        out, err = process.communicate(timeout=20)

        assert process.returncode in (0, -number, 128 + number), (process.returncode, out, err)
        # Python's own first steps can't be guarded.
        assert b"Traceback" not in err or b"/supervisor/" not in err, err
        assert process.returncode != 0 or out.startswith(b"started"), (out, err)
        again = spaced.run([SCRIPT, "start"])
        assert again.code == 0, again
        assert again.out.startswith(("started", "already running")), again
        status = spaced.run([SCRIPT, "status"], cwd="/").json()
        assert (status["running"], status["pid"]) == (True, spaced.pid("start"))
        assert spaced.run([SCRIPT, "stop"]).code == 0
        assert spaced.pids() == []


@pytest.mark.slow
def test_a_stop_that_is_killed_stops_all_the_same(spaced: TemporaryHome) -> None:
    """What it had asked for goes on without it, and the next one waits for its end."""
    spaced.add_plugin("deaf", child("ignore_term"), stop={"graceSeconds": 1.5})
    assert spaced.run([SCRIPT, "start"]).code == 0
    eventually(lambda: "ready" in spaced.log("deaf"))
    process = call(spaced, "stop", Path("/"))
    eventually(lambda: "ignored SIGTERM" in spaced.log("deaf"))

    process.kill()
    process.communicate(timeout=10)

    assert spaced.run([SCRIPT, "stop"]).code == 0
    assert spaced.pids() == []


def test_two_stops_and_a_restart_at_once(spaced: TemporaryHome) -> None:
    assert spaced.run([SCRIPT, "start"]).code == 0
    going = [call(spaced, verb, Path("/")) for verb in ("stop", "restart", "stop")]
    for process in going:
        out, err = process.communicate(timeout=40)
        assert process.returncode in (0, 1), (out, err)
        assert b"Traceback" not in err
    assert spaced.run([SCRIPT, "stop"]).code == 0
    assert spaced.pids() == []
