"""Homes of sbctl with schedules, and what their history says of the runs."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

from benchmarks import procs
from benchmarks.ours import Ours
from benchmarks.plan import Plan
from benchmarks.schedule_rules import TEXTS, rule_of
from benchmarks.subject import Services
from supervisor.model.home import Home
from supervisor.settings.api import compile_home

COMMAND = ["/bin/true"]
STEP = "get"
MOST_PLUGINS = 250


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


def mixed(ours: OursOnTime, count: int) -> None:
    """Half of them intervals, half cron lines; none is due at its start."""
    plugins = [f"p{number:03}" for number in range(max(count // TEXTS, 1))]
    tasks: list[dict[str, Any]] = []
    for number in range(count // len(plugins)):
        minutes, cron = rule_of(number)
        rule = {"intervalMinutes": minutes, "runAtStart": False} if minutes else {"cron": cron}
        tasks.append({"name": f"n{number}", "plugins": plugins, "commands": STEP, **rule})
    ours.schedule(tasks, plugins)


def all_at(ours: OursOnTime, count: int, rule: dict[str, Any]) -> None:
    """So many of one rule, each of a plugin of its own."""
    plugins = [f"p{number:04}" for number in range(count)]
    ours.schedule([{"plugins": plugins, "commands": STEP, **rule}], plugins)


def once_in(seconds: float) -> dict[str, Any]:
    return {"once": datetime.fromtimestamp(int(time.time() + seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


class Round:
    """All runs of one nominal time, as the history has them; seconds from that time on."""

    def __init__(self, rows: list[tuple[int, ...]]) -> None:
        nominal = rows[0][0]
        self.claimed = [row[1] / 1000 - nominal for row in rows]
        self.started = [row[2] / 1000 - nominal for row in rows]
        self.ended = max(row[3] / 1000 - nominal for row in rows)


def rounds_of(home: Home, count: int) -> list[Round]:
    """Those of which each run has ended well, oldest first."""
    if not os.path.exists(home.history_file):
        return []
    with sqlite3.connect(f"file:{home.history_file}?mode=ro", uri=True, timeout=5) as db:
        rows = db.execute(
            "SELECT nominal, claimed, started, ended FROM runs WHERE state = 'succeeded' ORDER BY nominal"
        ).fetchall()
    db.close()
    found: dict[int, list[tuple[int, ...]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return [Round(rows) for rows in found.values() if len(rows) == count]


def started(plan: Plan) -> OursOnTime:
    """Nothing prepared yet."""
    return OursOnTime(plan.work, plan.mark)


def start(ours: OursOnTime) -> None:
    """Until its command has returned."""
    ours.launch()
    ours.settle()
    procs.wait_for("the scheduler's PID file", (ours.folder / "logs" / "scheduler.pid").exists, 10)
