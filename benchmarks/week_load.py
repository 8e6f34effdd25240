"""What a home has to do in a week, and somebody who does it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from benchmarks import procs, scheduled
from benchmarks.ours import LAUNCHER
from benchmarks.plan import Plan
from benchmarks.ports import free_ports
from benchmarks.subject import Services
from supervisor.control.client import connect
from supervisor.model.home import Home

RUNS_A_SECOND = 84  # of as many schedules: those of a week in two minutes
SLEEPERS = 16
TALKERS = 4  # a line a second of a week, each
LINES_A_SECOND = 5040
TURN_S = 0.1
QUESTIONS = 5  # a turn, over one open connection
COMMAND_S = 5.0  # between two commands of a person
KILL_S = 0.7
TALKER = Path(__file__).parent / "children" / "talker.py"
PATIENCE_S = 20.0


class OursForAWeek(scheduled.OursOnTime):
    """Servers that sleep, servers that talk, a command a second for each schedule, and the config server."""

    letter = "k"
    servers_in_all = SLEEPERS  # those that show in /proc under our name

    def write(self, services: Services) -> None:
        talk = [sys.executable, "-I", "-S", str(TALKER), str(LINES_A_SECOND)]
        super().write({**services, **{f"talker{number}": talk for number in range(TALKERS)}})
        file = self.folder / "etc" / "sbctl.yaml"
        file.write_text(json.dumps({**json.loads(file.read_text()), "logs": {"maxMb": 1, "keep": 5}}))

    def wait_for_config(self) -> None:
        key = self.folder / "etc" / "secrets" / "dashboard.key"
        procs.wait_for("the config server", lambda: key.exists() and self.ask_http() == 200, PATIENCE_S, 0.05)

    def ask_http(self) -> int:
        key = (self.folder / "etc" / "secrets" / "dashboard.key").read_text().strip()
        with closing(http.client.HTTPConnection("127.0.0.1", self.config_port, timeout=5)) as connection:
            try:
                connection.request("GET", "/api/automations/status", headers={"X-Dash-Key": key})
                answer = connection.getresponse()
                answer.read()
                return answer.status
            except OSError:
                return 0

    def runs_ended(self) -> int:
        return int(self._ask("SELECT count(*) FROM runs WHERE state = 'succeeded'")[0])

    def _ask(self, sql: str) -> tuple[int, ...]:
        file = Home(str(self.folder)).history_file
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)) as db:
            found: tuple[int, ...] = db.execute(sql).fetchone()
            return found

    def what_is_wrong(self) -> str:
        """Empty when each second of each schedule has its run, and all went well; the last two may still go on."""
        missing, ended, first, last = self._ask(
            "SELECT sum(last - first + 1 - count), sum(count), min(first), max(last) FROM"
            " (SELECT count(*) AS count, min(nominal) AS first, max(nominal) AS last FROM runs"
            " WHERE state = 'succeeded' GROUP BY schedule)"
        )
        wanted = (last - first - 1) * RUNS_A_SECOND
        if missing or ended < wanted:
            return f"{ended} runs have gone well, of at least {wanted}"
        return ""


def started(plan: Plan) -> OursForAWeek:
    """Prepared, that is."""
    ours = OursForAWeek(plan.work, plan.mark)
    (ours.config_port,) = free_ports(1)
    scheduled.all_at(ours, RUNS_A_SECOND, {"cron": "* * * * * *", "seconds": True})
    ours.prepare("week", ours.sleepers(SLEEPERS))
    return ours


class Activity:
    """Kills, asks and changes things, evenly over the time."""

    def __init__(self, ours: OursForAWeek) -> None:
        self._ours = ours
        self._client = connect(Home(str(ours.folder)), "scheduler")
        self._began = procs.now()
        self._next_command = self._next_kill = self._began
        self.counts = {"restarts": 0, "questions": 0, "requests": 0, "commands": 0, "reloads": 0}

    def go_on(self, *, until: float, reload: int) -> None:
        """Until then, with one change of the settings in between."""
        middle = (procs.now() + until) / 2
        while procs.now() < until:
            if middle and procs.now() > middle:
                middle = 0.0
                self._change(reload)
            self._ask()
            if procs.now() >= self._next_kill:
                self._next_kill += KILL_S
                self._kill_one()
            time.sleep(TURN_S)

    def _ask(self) -> None:
        for _ in range(QUESTIONS):
            self._client.raw("rows")
        self.counts["questions"] += QUESTIONS
        self.counts["requests"] += self._ours.ask_http() == 200
        if procs.now() >= self._next_command:
            self._next_command = procs.now() + COMMAND_S
            for verb in ("status", "runs"):
                self._run(verb)

    def _run(self, *words: str) -> None:
        argv = [str(LAUNCHER), *words]
        env = self._ours.environment()
        subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=30)
        self.counts["commands"] += 1

    def _kill_one(self) -> None:
        """An hour of each server's week."""
        name = f"s{self.counts['restarts'] % SLEEPERS:03}"
        try:
            pid = int((self._ours.folder / "logs" / name / "server.pid").read_text())
            os.kill(pid, signal.SIGKILL)
        except (OSError, ValueError):  # just being started
            return
        self.counts["restarts"] += 1

    def _change(self, number: int) -> None:
        """Of what nobody has to be restarted for."""
        path = self._ours.folder / "plugins" / "s000" / "manifest.json"
        manifest = json.loads(path.read_text())
        path.write_text(json.dumps({**manifest, "description": f"changed {number} times"}))
        self._run("reload")
        self.counts["reloads"] += 1

    def told(self) -> str:
        counts = ", ".join(f"{count} {what}" for what, count in self.counts.items())
        megabytes = TALKERS * LINES_A_SECOND * 100 * (procs.now() - self._began) / 1e6
        return f"{self._ours.runs_ended()} runs, {counts}, {megabytes:.0f} MB of output in files of 1 MiB"

    def close(self) -> None:
        self._client.close()
