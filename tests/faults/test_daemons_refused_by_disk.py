"""R11 R10: each call by which a daemon changes the disk, fails once: it goes on, or says why not.

The tree comes up, its server runs, and nothing is left when it has stopped. A change that a person asks for is made or
refused, as the answer says.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.children import child
from support.daemon import Daemon
from support.each_call import Trial, trials
from support.home import Result
from support.injecting import attached, calls_below, injected
from support.scheduling import add_steps, add_task
from support.waiting import eventually

from supervisor.base.errors import Problem

QUICK = 4


class Tree:
    """One daemon of a tree is traced, in each life of it from the first call to the last."""

    def __init__(self, daemon: Daemon, log: Path, role: str) -> None:
        self.daemon = daemon
        self.log = log
        self.role = role
        daemon.home.supervision["giveUpAfter"] = 2
        daemon.home.write()
        daemon.home.add_plugin("web", child("ready"))
        assert daemon.compile()["ok"]

    def life(self, words: list[str]) -> Result:
        """A start, until its server runs, and a stop. Code 0: it did both."""
        daemon = self.daemon
        out = daemon.home.path / "logs" / "start.out"
        out.unlink(missing_ok=True)
        (daemon.home.path / "logs" / "scheduler.out").unlink(missing_ok=True)
        process = daemon.launch(through=words if self.role == "start" else through_interpreter(self.log.parent, words))
        eventually(lambda: process.poll() is not None or self._is_up(), 20, "it is up, or has ended")
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        code = process.wait(15)
        eventually(lambda: daemon.home.pids() == [], 5, "nothing is left of it")
        eventually(lambda: "+++" in self.log.read_text(errors="replace"))
        return Result(code, "", self.said())

    def said(self) -> str:
        paths = [self.daemon.home.path / "logs" / f"{role}.out" for role in ("start", "scheduler")]
        return "".join(path.read_text() for path in paths if path.exists())

    def _is_up(self) -> bool:
        try:
            row = self.daemon.ask("scheduler", "status")["rows"][0]
            return bool(self.daemon.ask("start", "ping") and row["state"] == "running")
        except (Problem, IndexError):
            return False


def through_interpreter(folder: Path, words: list[str]) -> list[str]:
    """Words in front of `start` by which its interpreter is one that runs the scheduler with these `words`."""
    interpreter = folder / "venv" / "bin" / "python"
    if not interpreter.exists():
        interpreter.parent.mkdir(parents=True)
        shutil.copy(f"{sys.prefix}/pyvenv.cfg", folder / "venv")
        (folder / "venv" / "lib").symlink_to(f"{sys.prefix}/lib")
    real = shlex.quote(sys.executable)
    case = f"case $* in *'--role scheduler'*) exec {shlex.join(words)} {real} \"$@\" ;; esac"
    interpreter.write_text(f'#!/bin/sh\n{case}\nexec {real} "$@"\n')
    interpreter.chmod(0o755)
    return ["/bin/bash", "-c", 'exec -a "$0" "$@"', str(interpreter)]


@pytest.mark.parametrize("role", ["start", "scheduler"])
def test_quick(daemon: Daemon, tmp_path: Path, role: str) -> None:
    play(Tree(daemon, tmp_path / "calls", role), QUICK)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ["start", "scheduler"])
def test_all(daemon: Daemon, tmp_path: Path, role: str) -> None:
    play(Tree(daemon, tmp_path / "calls", role), None)


def play(tree: Tree, at_most: int | None) -> None:
    tried = 0
    for trial in trials(tree.life, tree.daemon.home.path, tree.log, at_most=at_most, beside=True):
        check(tree, trial)
        tried += trial.call is not None
    assert tried


def check(tree: Tree, trial: Trial) -> None:
    assert "Traceback" not in trial.result.err, str(trial)
    if trial.result.code != 0:  # it may refuse to begin, but then a person is told why
        assert re.search(r"^sbctl: .*(No space|Input/output|Read-only|not permitted)", trial.result.err), str(trial)
        print(trial)
    left = list((tree.daemon.home.path / "logs").rglob("*.pid"))
    assert left == [] or "unlink" in trial.call.name if trial.call else left == [], f"{left}\n{trial}"


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["disable", "pause", "pause one", "resume"])
def test_a_change_that_is_refused_is_not_made(daemon: Daemon, tmp_path: Path, verb: str) -> None:
    """By a running scheduler, which goes on; the next try, on a disk that is well again, makes it."""
    changes = CHANGES[verb]
    daemon.home.supervision.update(tickSeconds=60, reconcileSeconds=60)
    add_task(daemon.home, "job", intervalHours=1)
    add_steps(daemon.home, "job", get="true")
    daemon.home.add_plugin("web", child("ready"))
    daemon.start()
    scheduler = daemon.pid("scheduler")
    log = tmp_path / "calls"

    def change(*rules: str) -> Problem | None:
        log.unlink(missing_ok=True)
        for back in changes.before:
            daemon.ask("scheduler", **back)
        with attached(scheduler, log, *rules, threads=False):
            try:
                daemon.ask("scheduler", **changes.request)
            except Problem as problem:
                return problem
        return None

    assert change() is None
    # Not those of logs, which are written a little later, and which nobody waits for.
    calls = [call for call in calls_below(log, daemon.home.path) if ".log" not in call.text]
    assert calls
    refused = 0
    for call in calls:
        for _ in range(5):
            problem = change(call.rule)
            if hit := injected(log, daemon.home.path):
                break
        assert hit, f"it did not come to {call}"
        json.loads((daemon.home.path / "logs" / "state.json").read_bytes())
        assert changes.is_made(daemon) is (problem is None), f"{problem and problem.text()}\n{hit}"
        if problem is not None:
            refused += 1
            assert str(daemon.home.path) in problem.text(), problem.text()
            assert "No space" in problem.text() or "permitted" in problem.text() or "Read-only" in problem.text()
    assert refused
    assert daemon.pid("scheduler") == scheduler
    assert change() is None
    assert changes.is_made(daemon)
    assert "Traceback" not in daemon.home.run(["cat", daemon.home.path / "logs" / "scheduler.out"]).out


class Change(NamedTuple):
    request: dict[str, Any]
    before: list[dict[str, Any]]
    is_made: Callable[[Daemon], bool]


def is_disabled(daemon: Daemon) -> bool:
    on_disk = json.loads((daemon.home.path / "logs" / "state.json").read_bytes())["services"]["web"]["enabled"]
    assert on_disk == daemon.row("web")["enabled"]
    return not on_disk


def is_paused(daemon: Daemon) -> bool:
    there = (daemon.home.path / "pause.flag").exists()
    assert bool(daemon.ask("scheduler", "schedules", names=[])["system"]["paused"]) is there
    return there


def is_job_paused(daemon: Daemon) -> bool:
    on_disk = json.loads((daemon.home.path / "logs" / "state.json").read_bytes()).get("schedules", {})
    shown = daemon.ask("scheduler", "schedules", names=["job"])["schedules"][0]
    assert bool(on_disk.get("job", {}).get("paused")) == bool(shown["paused"])
    return bool(shown["paused"])


PAUSE = {"verb": "pause", "names": [], "by": "test"}
RESUME = {"verb": "resume", "names": [], "by": "test"}
CHANGES = {
    "disable": Change(
        {"verb": "disable", "names": ["web"], "by": "test"},
        [{"verb": "enable", "names": ["web"], "by": "test"}],
        is_disabled,
    ),
    "pause": Change(PAUSE, [RESUME], is_paused),
    "pause one": Change({**PAUSE, "names": ["job"]}, [{**RESUME, "names": ["job"]}], is_job_paused),
    "resume": Change(RESUME, [PAUSE], lambda daemon: not is_paused(daemon)),
}
