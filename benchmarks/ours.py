"""sbctl, from this checkout."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from benchmarks import procs
from benchmarks.subject import START_S, Services, Subject, by_rotation

LAUNCHER = Path(__file__).resolve().parents[1] / "bin" / "sbctl"
# A victim of the benchmark has always "lived long enough", as with the peers' startsecs=0.
QUICK = {"fastCrashSeconds": 0.001, "windowDeaths": 100_000}


class Ours(Subject):
    name = "sbctl"
    letter = "o"
    is_peer = False
    measured_logs = True
    config_port: int | None = None

    def write(self, services: Services) -> None:
        config = {"enabled": True, "port": self.config_port} if self.config_port else {"enabled": False}
        settings = {
            "config": config,
            "logs": {"maxMb": 50, "keep": 100},
            "supervision": QUICK,
            "core": {"scheduler": QUICK},
        }
        (self.folder / "etc").mkdir()
        (self.folder / "etc" / "sbctl.yaml").write_text(json.dumps(settings))
        for name, argv in services.items():
            plugin = self.folder / "plugins" / name
            plugin.mkdir(parents=True)
            server: dict[str, object] = {"autoStart": True}
            if self.grace_s:
                server["graceSeconds"] = self.grace_s
            manifest = {"id": name, "commands": {"server": argv}, "server": server}
            (plugin / "manifest.json").write_text(json.dumps(manifest))

    def command(self) -> list[str]:
        return [str(LAUNCHER), "start"]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "SB_HOME": str(self.folder), "SB_VENV": sys.prefix}

    def settle(self) -> None:
        """Its command returns when every server has lived its first 0.3 s."""
        assert self.process is not None
        self.process.wait(START_S)
        time.sleep(0.2)

    def main_pid(self) -> int:
        return self._pid("start")

    def daemons(self) -> dict[str, int]:
        roles = ("start", "scheduler", "config") if self.config_port else ("start", "scheduler")
        return {role: self._pid(role) for role in roles}

    def _pid(self, role: str) -> int:
        return int((self.folder / "logs" / f"{role}.pid").read_text())

    def daemons_if_any(self) -> list[int]:
        return procs.below_us((self.folder / "logs").glob("*.pid"))

    def status_command(self) -> list[str]:
        return [str(LAUNCHER), "status"]

    def raw_logs(self, service: str) -> list[Path]:
        return by_rotation(self.folder / "logs" / service / "server.log")


class OursByCommand(Ours):
    """The same, stopped by `sbctl stop` where the others get a bare signal. Both are launched by `sbctl start`."""

    name = "sbctl, by command"
    launched_as = Ours.name
    letter = "p"
    twin = True
    measured_logs = False

    def ask_stop(self) -> None:
        procs.run_in_background([str(LAUNCHER), "stop"], self.environment(), self.folder / "output")
