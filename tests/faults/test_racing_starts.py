"""R05 R47: starts, stops and restarts at the same moment, by hand and by the wrapper: one tree or none, never two.

Whoever comes second waits until the first one is ready, says so with exit code 0, and changes no file.
"""

from __future__ import annotations

import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.children import child
from support.home import LAUNCHER, ROOT, Result, TemporaryHome
from support.processes import all_marked
from support.waiting import eventually

from supervisor.base import proc
from supervisor.model.home import Home
from supervisor.model.identity import read_home_id

WRAPPER = ROOT / "bin" / "run_automations.sh"
START = [LAUNCHER, "start"]
STOP = [LAUNCHER, "stop"]
RESTART = [LAUNCHER, "restart"]
COMMANDS = [START, START, START, STOP, STOP, RESTART, [WRAPPER, "start"], [WRAPPER, "stop"], [LAUNCHER, "status"]]


@pytest.fixture
def quiet(home: TemporaryHome) -> TemporaryHome:
    home.settings["config"] = {"enabled": False}
    home.supervision.update(tickSeconds=60, reconcileSeconds=60)
    home.write()
    home.add_plugin("web", child("ready"))
    return home


def at_once(home: TemporaryHome, *commands: list[object]) -> list[Result]:
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(lambda words: home.run(words, timeout=50), commands))


def trees(home: TemporaryHome) -> dict[str, int]:
    """How many there are of each process of the tree."""
    marked = all_marked(read_home_id(Home(str(home.path))))
    commands = [proc.command_of(pid) for pid in home.pids()]
    found = {"web": sum(len(pids) for key, pids in marked.items() if key.startswith("web."))}
    for role in ("start", "scheduler"):  # a title takes the place of a daemon's marks
        titles = (f"--role {role} ", f"sbctl: {role} ")
        found[role] = sum(any(title in text for title in titles) for text in commands)
    return found


ONE_TREE = {"start": 1, "scheduler": 1, "web": 1}


def check_one_tree(home: TemporaryHome) -> None:
    eventually(lambda: trees(home) == ONE_TREE, message=str(trees(home)))
    pid = home.pid("start")
    assert pid is not None
    assert proc.is_alive(pid)
    row = home.status("web")["services"][0]
    assert (row["state"], proc.is_alive(row["pid"])) == ("running", True)


@pytest.mark.slow
def test_storms_end_in_one_tree_or_none(quiet: TemporaryHome) -> None:
    storms(quiet, 4)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_storms(quiet: TemporaryHome) -> None:
    storms(quiet, 60)


def storms(home: TemporaryHome, rounds: int) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for number in range(rounds):
        commands = chance.choices(COMMANDS, k=5)
        for words, result in zip(commands, at_once(home, *commands), strict=True):
            told = f"{words}: {result}"
            assert "Traceback" not in result.err, told
            # 1: it was stopped while it started; 3: nothing runs; 4: it does not answer just now
            assert result.code in ((0, 1, 3, 4) if words[-1] == "status" else (0, 1)), told
            assert (
                result.code == 0 or words[-1] == "status" or result.err.startswith(("error", "sbctl", " ", "start"))
            ), told
        if number % 2:
            started = home.sbctl("start", timeout=50)
            assert started.code == 0, started
            check_one_tree(home)
        else:
            stopped = home.sbctl("stop", timeout=50)
            assert stopped.code == 0, stopped
            assert home.pids() == []
            assert list((home.path / "logs").rglob("*.pid")) == []


def files_of(folder: Path) -> dict[str, tuple[int, ...]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        seen = path.lstat()
        found[str(path)] = (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_mode)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("words", [START, [WRAPPER, "start"], [LAUNCHER, "start", "--foreground"]])
def test_a_second_start_changes_no_file(quiet: TemporaryHome, words: list[object]) -> None:
    assert quiet.sbctl("start").code == 0
    eventually(lambda: "ready" in quiet.log("web"))
    quiet.status()
    before = eventually(lambda: quiet_files(quiet))

    second = quiet.run(words)

    assert (second.code, second.out) == (0, f"already running (pid {quiet.pid('start')})\n")
    assert files_of(quiet.path) == before


def quiet_files(home: TemporaryHome) -> dict[str, tuple[int, ...]] | None:
    """As soon as nobody changes them any more: logs are written a little after the fact."""
    before = files_of(home.path)
    home.sbctl("status")
    return before if files_of(home.path) == before else None


def test_the_wrapper_twice_at_once(quiet: TemporaryHome) -> None:
    for _ in range(2):
        results = at_once(quiet, [WRAPPER, "start"], [WRAPPER, "start"])

        assert [result.code for result in results] == [0, 0], results
        assert sum(result.out.startswith("started") for result in results) == 1
        assert "already running" in "".join(result.out for result in results)
        check_one_tree(quiet)
        status = json.loads(quiet.run([WRAPPER, "status"]).out)
        assert (status["running"], status["pid"]) == (True, quiet.pid("start"))
        assert [result.code for result in at_once(quiet, [WRAPPER, "stop"], [WRAPPER, "stop"])] == [0, 0]
        assert quiet.pids() == []


def test_the_one_that_loses_is_not_done_before_the_winner_is_ready(quiet: TemporaryHome) -> None:
    """Its caller may use the tree at once."""
    quiet.add_plugin("web", child("ready", 0.7), ready={"log": "ready"})

    results = at_once(quiet, START, START, START)

    assert [result.code for result in results] == [0, 0, 0], results
    assert "ready" in quiet.log("web")
    assert os.path.exists(quiet.path / "logs" / "start.pid")
    check_one_tree(quiet)
