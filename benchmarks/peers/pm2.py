"""pm2: its command starts a daemon that stays, unless it is told to end."""

from __future__ import annotations

import json
import os
from pathlib import Path

from benchmarks import procs
from benchmarks.peers import from_npm
from benchmarks.subject import START_S, Services, Subject
from benchmarks.workloads import CHILDREN

VERSION = "7.0.4"
AT_ONCE = 10  # so many are stopped at a time by `pm2 kill`, which can't be changed


class Pm2(Subject):
    name = "pm2"
    letter = "m"
    version = VERSION
    measured_logs = True
    log_share = 2

    def __init__(self, work: Path, mark: str) -> None:
        super().__init__(work, mark)
        self._node, self._package = from_npm.package("pm2", VERSION)
        self._pm2 = [self._node, str(self._package / "bin" / "pm2")]

    @property
    def _home(self) -> Path:
        return self.folder / "home"

    def write(self, services: Services) -> None:
        apps = []
        for name, argv in services.items():
            app = {
                "name": name,
                "script": argv[0],
                "args": argv[1:],
                "interpreter": "none",
                "exec_mode": "fork",
                "out_file": str(self.folder / f"{name}.out"),
                "error_file": str(self.folder / f"{name}.err"),
                "merge_logs": True,
                "max_restarts": 1_000_000,
                "min_uptime": 0,
                "kill_timeout": int((self.grace_s or 1.6) * 1000),
                "kill_retry_time": 10,  # how often it looks whether one has gone, ms
                "vizion": False,
                "pmx": False,
                "treekill": False,
            }
            apps.append(app)
        (self.folder / "apps.json").write_text(json.dumps({"apps": apps}))
        self._home.mkdir()
        (self._home / "module_conf.json").write_text(json.dumps({"pm2": {"sysmonit": "false"}}))

    def command(self) -> list[str]:
        return [*self._pm2, "start", str(self.folder / "apps.json")]

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PM2_HOME": str(self._home),
            "PM2_DISCRETE_MODE": "true",
            "PM2_DISABLE_VERSION_CHECK": "true",
            "PM2_CONCURRENT_ACTIONS": "32",
            "PM2_KILL_SIGNAL": "SIGTERM",
        }

    def settle(self) -> None:
        """Its command returns when it has printed a table of all."""
        assert self.process is not None
        self.process.wait(START_S)

    def main_pid(self) -> int:
        return int((self._home / "pm2.pid").read_text())

    def daemons_if_any(self) -> list[int]:
        return procs.below_us([self._home / "pm2.pid"])

    def ask_stop(self) -> None:
        procs.run_in_background([*self._pm2, "kill"], self.environment(), self.folder / "output")

    def stop_takes(self, count: int) -> float:
        return -(-count // AT_ONCE) * (self.grace_s or 0.02)

    def status_command(self) -> list[str] | None:
        return [*self._pm2, "list"]

    def ask_command(self) -> list[str] | None:
        return [self._node, str(CHILDREN / "ask_pm2.js"), str(self._package)]

    def raw_logs(self, service: str) -> list[Path]:
        return [self.folder / f"{service}.out"]
