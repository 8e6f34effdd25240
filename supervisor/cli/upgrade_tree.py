"""A running tree goes over to another version, and back if that does not hold.

    self-check of the new one -> `start` becomes it -> the core services, one by one -> all up, or all of it back

The scheduler is handed over: what it manages runs on, and so do runs. Config server and tunnel are restarted.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from supervisor.base.errors import FAILED, Problem
from supervisor.base.where import command_of
from supervisor.cli.kept_code import kept_code
from supervisor.cli.out import note
from supervisor.cli.settling import is_up, settle, what_is_wrong
from supervisor.cli.upgrade_environment import Environment
from supervisor.cli.upgrade_source import files_of
from supervisor.control.api import SCHEDULER, START
from supervisor.control.client import connect
from supervisor.model.home import Home
from supervisor.settings import revisions

CHECK_S = 120.0
GO_OVER_S = 45.0  # 10 for a quiet moment, 10 for a new version that hangs, and the way back
UP_S = 30.0
ORDER = (SCHEDULER, "config", "tunnel")

Row = dict[str, Any]


class Program:
    """What `start` is at this moment."""

    def __init__(self, told: dict[str, Any], home: Home) -> None:
        self.pid: int = told["pid"]
        self.version: str = told["version"]
        self.python: str = told.get("python", "")
        self.main: str = told.get("main", "")
        self.state_format: int = told.get("state_format", 0)
        self.loaded: float = told.get("loaded", 0.0)
        if not self.main:
            raise Problem(
                f"the version that runs ({self.version}) can't be upgraded in place",
                why="it is from before there was such a thing",
                remedy="sbctl restart",
            )
        self.package = self._find_code(home)

    def _find_code(self, home: Home) -> Path | None:
        """The package as it was loaded; None: it was changed since, and nothing leads back to it."""
        package = Path(self.main).parent
        if kept := kept_code(home, self.pid, self.main, self.loaded):
            return Path(kept)
        try:
            is_same = all(path.stat().st_ctime < self.loaded for path in files_of(package))
        except OSError:
            is_same = False
        return package if is_same else None

    @property
    def way_back(self) -> str:
        """What leads back to it, as far as anything does."""
        return str(self.package / "__main__.py") if self.package is not None else self.main


def running(home: Home) -> Program:
    with connect(home, START) as client:
        return Program(client.request("ping"), home)


def self_check(home: Home, new: Environment, state_format: int | None) -> dict[str, Any]:
    """What the new version says about itself: `checks`, `settings_format`; a Problem when it would not do."""
    words = [home.path] if state_format is None else [home.path, str(state_format)]
    command = command_of(new.python, new.main, "selfcheck", *words)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CHECK_S, check=False, cwd="/"
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        checks: list[dict[str, Any]] = answer["checks"]
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unfit(str(error)) from None
    except (ValueError, KeyError, TypeError):
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}, and it said nothing"]
        raise _unfit(last[0]) from None
    if wrong := [f"{check['name']}: {check['text']}" for check in checks if not check["ok"]]:
        raise _unfit("\n        ".join(wrong))
    return answer


def _unfit(why: str) -> Problem:
    return Problem(
        "the new version failed its self-check",
        why=why,
        remedy="nothing was changed: what runs goes on, and stays installed",
        code=FAILED,
    )


def go_over(home: Home, before: Program, new: Environment, version: str, settings_format: int) -> list[str]:
    """Returns the core services that were handed over; when a Problem is raised, the old version runs.

    `settings_format`: of the compiled settings that the new version reads.
    """
    became = _become(home, new.python, new.main, before.way_back)
    if (became["version"], became["pid"]) != (version, before.pid):
        raise Problem(f"start is {became['version']} now (pid {became['pid']}), not {version}", remedy="sbctl status")
    done: list[str] = []
    settings = _Settings(home)
    if settings.format not in (None, settings_format) and (why := settings.compile_anew(new)):
        raise _go_back(home, before, version, done, why, settings)
    for name in _wanted(home):
        done.append(name)
        note(f"sbctl: {name} goes over to {version}")
        why = _renew(home, name)
        if why:
            raise _go_back(home, before, version, done, why, settings)
    return done


class _Settings:
    """The compiled ones, which the new version may want in another format."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._revision = ""
        self._is_new = False
        try:
            # Not asked of `revisions`: we may be of the new version already, to which this is none.
            self._revision = os.readlink(os.path.join(home.revisions, revisions.CURRENT))
            with open(home.compiled_file(SCHEDULER), "rb") as file:
                self.format: int | None = json.load(file)["format"]
        except (OSError, ValueError, KeyError):
            self.format = None

    def compile_anew(self, new: Environment) -> str:
        """By the new version; why it can't, or ""."""
        note("sbctl: the settings are compiled anew, in the format of the new version")
        command = command_of(new.python, new.main, "compile", self._home.path)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd="/")
        self._is_new = True
        if done.returncode == 0:
            return ""
        return f"the new version can't compile the settings: {(done.stdout or done.stderr)[:300]}"

    def bring_back(self) -> None:
        if self._is_new and self._revision:
            revisions.switch(self._home, self._revision)


def _become(home: Home, python: str, main: str, back: str | None = None) -> dict[str, Any]:
    with connect(home, START) as client:
        return client.request("upgrade", limit=GO_OVER_S, python=python, main=main, back=back)


def _wanted(home: Home) -> list[str]:
    with connect(home, START) as client:
        rows: list[Row] = client.request("status")["rows"]
    wanted = [row["name"] for row in rows if row["desired"] == "up"]
    return sorted(wanted, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def _renew(home: Home, name: str) -> str:
    """Start it anew in the version that `start` is; why it is not up, or ""."""
    with connect(home, START) as client:
        client.request("restart", names=[name])
    rows = settle(home, START, [name], UP_S)
    row = next(row for row in rows if row["name"] == name)
    if not is_up(row):
        return f"{name}: {what_is_wrong(row)}"
    return _does_not_answer(home) if name == SCHEDULER else ""


def _does_not_answer(home: Home) -> str:
    """A scheduler that is up has opened its door, and plans: it has read its history, and what ran is its own."""
    until = time.monotonic() + UP_S
    while True:
        try:
            with connect(home, SCHEDULER) as client:
                client.request("next", count=1, limit=max(until - time.monotonic(), 1.0))
            return ""
        except Problem as problem:
            if time.monotonic() > until:
                return f"scheduler: {problem.what}"
        time.sleep(0.02)


def _go_back(home: Home, before: Program, version: str, names: list[str], why: str, settings: _Settings) -> Problem:
    """The way there, the other way round."""
    note(f"sbctl: {why}")
    note(f"sbctl: going back to {before.version}")
    try:
        settings.bring_back()
        _become(home, before.python, before.way_back)
        still_wrong = [wrong for name in names if (wrong := _renew(home, name))]
    except Problem as problem:
        still_wrong = [problem.what + (f": {problem.why}" if problem.why else "")]
    if still_wrong:
        return Problem(
            f"{version} does not hold, and the way back to {before.version} failed",
            why=f"{why}; then {'; '.join(still_wrong)}",
            remedy="sbctl status; sbctl restart takes the version that is installed",
            code=FAILED,
        )
    return Problem(
        f"{version} does not hold: {before.version} runs again",
        why=why,
        remedy=f"its last words: {home.out_file(names[-1] if names else START)}; servers have run on all the time",
        code=FAILED,
    )
