"""Homes of sbctl with schedules, and what their history says of the runs."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import procs
from benchmarks.ours import Ours
from benchmarks.plan import Plan
from benchmarks.schedule_rules import TEXTS, rule_of
from benchmarks.subject import Services
from supervisor.model.home import Home
from supervisor.settings.api import compile_home

CHILDREN = Path(__file__).parent / "children"
PATIENCE_S = 300.0
COMMAND = ["/bin/true"]
STEP = "get"
THE_SAME = "APScheduler, the same work"  # in memory, with a job that writes down what our history and logs have


class OursOnTime(Ours):
    """With schedules, of plugins that have one command each. Servers are none, if not asked for."""

    letter = "t"

    def schedule(self, tasks: list[dict[str, Any]], plugins: list[str]) -> None:
        self.tasks, self.plugins = tasks, plugins

    def write(self, services: Services) -> None:
        super().write(services)
        for name in self.plugins:
            plugin = self.folder / "plugins" / name
            plugin.mkdir(parents=True)
            (plugin / "manifest.json").write_text(json.dumps({"id": name, "commands": {STEP: COMMAND}}))
        (self.folder / "etc" / "scheduler.json").write_text(json.dumps({"tasks": self.tasks}))

    def compile(self) -> Home:
        home = Home(str(self.folder))
        result = compile_home(home)
        assert result.ok, result.findings
        return home


def mixed(ours: OursOnTime, count: int, *, due: int = 0, rule: dict[str, Any] | None = None) -> None:
    """Half of them intervals, half cron lines; none is due at its start. And `due` more, by that rule."""
    plugins = [f"p{number:03}" for number in range(max(count // TEXTS, 1))]
    tasks: list[dict[str, Any]] = []
    for number in range(count // len(plugins)):
        minutes, cron = rule_of(number)
        when = {"intervalMinutes": minutes, "runAtStart": False} if minutes else {"cron": cron}
        tasks.append({"name": f"n{number}", "plugins": plugins, "commands": STEP, **when})
    more = [f"d{number:03}" for number in range(due)]
    if more:
        tasks.append({"plugins": more, "commands": STEP, **(rule or {})})
    ours.schedule(tasks, plugins + more)


def all_at(ours: OursOnTime, count: int, rule: dict[str, Any]) -> None:
    """So many of one rule, each of a plugin of its own."""
    plugins = [f"p{number:04}" for number in range(count)]
    ours.schedule([{"plugins": plugins, "commands": STEP, **rule}], plugins)


def once_in(seconds: float) -> dict[str, Any]:
    return {"once": datetime.fromtimestamp(int(time.time() + seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


class Round:
    """All runs of one nominal time, as the history has them; seconds from that time on."""

    def __init__(self, rows: list[tuple[int, ...]]) -> None:
        self.nominal = nominal = rows[0][0]
        self.claimed = [row[1] / 1000 - nominal for row in rows]
        self.started = [row[2] / 1000 - nominal for row in rows]
        self.ended = max(row[3] / 1000 - nominal for row in rows)


class Rounds(NamedTuple):
    whole: list[Round]  # those of which each run has ended well, oldest first
    wrong: str  # what is missing; however fast the others were, work was lost


def rounds_of(home: Home, count: int, times: Collection[int]) -> Rounds:
    """Of these nominal times, each of which was to have so many runs."""
    found: dict[int, list[tuple[int, ...]]] = {nominal: [] for nominal in times}
    for row in _ended_well(home):
        if row[0] in found:
            found[row[0]].append(row)
    whole = {nominal: rows for nominal, rows in found.items() if len(rows) == count}
    lost = sum(max(count - len(rows), 0) for rows in found.values())
    twice = sum(max(len(rows) - count, 0) for rows in found.values())
    broken = f"{len(found) - len(whole)} of {len(found)} rounds left out: {lost} of {count * len(found)} runs"
    wrong = f"{broken} did not end well or never were{f', {twice} too many' if twice else ''}"
    return Rounds([Round(rows) for _, rows in sorted(whole.items())], wrong if len(whole) < len(found) else "")


def _ended_well(home: Home) -> list[tuple[int, ...]]:
    if not os.path.exists(home.history_file):
        return []
    db = sqlite3.connect(f"file:{home.history_file}?mode=ro", uri=True, timeout=5)
    try:
        return db.execute("SELECT nominal, claimed, started, ended FROM runs WHERE state = 'succeeded'").fetchall()
    finally:
        db.close()


def started(plan: Plan) -> OursOnTime:
    """Nothing prepared yet."""
    return OursOnTime(plan.work, plan.mark)


def start(ours: OursOnTime) -> None:
    """Until its command has returned."""
    ours.launch()
    ours.settle()
    procs.wait_for("the scheduler's PID file", (ours.folder / "logs" / "scheduler.pid").exists, 10)


# in a process of its own


def child(script: str, *words: object, python: Path | None = None) -> Any:
    """What it prints, as JSON."""
    command = [str(python)] if python else [sys.executable, "-I", "-S"]
    argv = [*command, str(CHILDREN / script), *map(str, words)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    return json.loads(done.stdout)


def the_same_work(work: Path, count: int, rounds: int, python: Path) -> list[float]:
    """Seconds until the last of so many commands has ended, in each round; APScheduler as `THE_SAME` says."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        found = child("apscheduler_jobs.py", "kept", folder, count, rounds, python=python)
    assert found["rows"] == count * rounds, found
    seconds: list[float] = found["ended"]
    return seconds


def fresh(what: str, home: Path, *words: object) -> Any:
    """`desk.py`, as at the first start of that home, without a history."""
    for name in ("state.json", "history.db", "history.db-wal", "history.db-shm"):
        (home / "logs" / name).unlink(missing_ok=True)
    return child("desk.py", what, home, *words)
