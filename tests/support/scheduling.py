"""Schedules on a temporary home under a real `start`: plugins that have steps, tasks with short times, the history."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from supervisor.base.errors import Problem
from supervisor.store import reading

from .daemon import Daemon
from .home import TemporaryHome
from .waiting import eventually

ENDED = ("succeeded", "failed", "rejected", "cancelled", "timed_out", "lost", "interrupted")

# Each start of a job leaves one line, so that a slot that runs twice shows; O_APPEND, so that no line is torn.
NOTES_ITS_SLOT = 'echo "$SB_SCHEDULE $SB_NOMINAL_TIME $SB_RUN_ID" >>"$SB_HOME/started"'


def add_steps(home: TemporaryHome, plugin: str, manifest: dict[str, Any] | None = None, /, **commands: Any) -> Path:
    """A plugin that has these commands; each is a text for the shell, or words."""
    folder = home.path / "plugins" / plugin
    folder.mkdir(exist_ok=True)
    data = {"id": plugin, "commands": commands, **(manifest or {})}
    (folder / "manifest.json").write_text(json.dumps(data) + "\n")
    return folder


def add_task(home: TemporaryHome, *plugins: str, **keys: Any) -> None:
    home.scheduler.setdefault("tasks", []).append({"plugins": list(plugins), **keys})
    home.write()


def set_defaults(home: TemporaryHome, **keys: Any) -> None:
    home.scheduler.setdefault("defaults", {}).update(keys)
    home.write()


def seconds(text: str) -> float:
    """Since 1970, of a time in an answer."""
    return datetime.fromisoformat(text).timestamp()


class Scheduling:
    """What a test does with the schedules of one daemon, and what it sees of them."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.home = daemon.home

    # before the start

    def plugin(self, name: str, manifest: dict[str, Any] | None = None, /, **commands: Any) -> Path:
        return add_steps(self.home, name, manifest, **commands)

    def task(self, *plugins: str, **keys: Any) -> None:
        add_task(self.home, *plugins, **keys)

    def job(self, name: str, command: Any, /, *, manifest: dict[str, Any] | None = None, **keys: Any) -> None:
        """A plugin with `get` alone, and its schedule; without a rule of time it runs by hand."""
        self.plugin(name, manifest, get=command)
        self.task(name, **keys)

    def start(self) -> Scheduling:
        self.daemon.start()
        return self

    # asking

    def ask(self, verb: str, **args: Any) -> dict[str, Any]:
        return self.daemon.ask("scheduler", verb, **args)

    def row(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("schedules", names=[name])["schedules"][0]
        return found

    def run(self, name: str, **args: Any) -> str:
        """By hand; it must not be held."""
        answer = self.ask("run", name=name, **args)
        assert answer["run"], answer
        return str(answer["run"])

    def ended(self, run: str, timeout: float = 10.0) -> dict[str, Any]:
        """Its row, once it has ended, with its steps."""
        return eventually(lambda: self._ended(run), timeout, f"run {run} has ended")

    def _ended(self, run: str) -> dict[str, Any] | None:
        try:
            row = reading.run(self.daemon.model.history_file, run)
        except Problem as error:
            raise AssertionError(str(error)) from None
        assert row["state"] in ENDED, row
        return row

    def done(self, name: str, timeout: float = 10.0, **args: Any) -> dict[str, Any]:
        """Run it by hand, to its end."""
        return self.ended(self.run(name, **args), timeout)

    # what is written down

    def runs(self, name: str | None = None, **which: Any) -> list[dict[str, Any]]:
        """Oldest first."""
        return reading.runs(self.daemon.model.history_file, name, limit=10_000, **which)[::-1]

    def slots(self, name: str) -> list[dict[str, Any]]:
        """Oldest first."""
        return reading.slots(self.daemon.model.history_file, name, limit=10_000)[::-1]

    def first(self, name: str, count: int = 1, timeout: float = 10.0) -> list[dict[str, Any]]:
        """So many runs of it that have ended."""

        def found() -> list[dict[str, Any]] | None:
            try:
                over = [row for row in self.runs(name) if row["state"] in ENDED]
            except Problem as error:
                raise AssertionError(str(error)) from None
            return over[:count] if len(over) >= count else None

        return eventually(found, timeout, f"{count} runs of {name} have ended")

    def log(self, row: dict[str, Any]) -> str:
        return Path(row["log"]).read_text(errors="replace")

    def daily(self) -> str:
        """The daily log of these days."""
        folder = self.home.path / "logs" / "scheduler"
        return "".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.log")))

    def kinds(self, prefix: str = "") -> list[str]:
        return [event["kind"] for event in self.home.events() if event["kind"].startswith(prefix)]

    def events(self, kind: str, name: str | None = None) -> list[dict[str, Any]]:
        return [e for e in self.home.events() if e["kind"] == kind and name in (None, e["service"])]

    def work_folders(self) -> list[str]:
        """Folders of runs that are still there."""
        return sorted(str(path) for path in (self.home.path / "logs").glob("**/*work*/*"))

    def started(self) -> list[str]:
        """What NOTES_ITS_SLOT has left."""
        try:
            return (self.home.path / "started").read_text().splitlines()
        except FileNotFoundError:
            return []
