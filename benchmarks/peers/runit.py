"""runit: a supervising process a child; with a logger each, and without."""

from __future__ import annotations

import os
import shlex
import signal
import time
from pathlib import Path

from benchmarks import procs
from benchmarks.peers.from_debian import programs
from benchmarks.peers.scripts import by_stamp, write_script
from benchmarks.peers.tree import Tree
from benchmarks.subject import Services

FORCE_STOP = 'wait=$1 pid=$2; shift 2; sv -w "$wait" force-stop "$@" >/dev/null; kill -HUP "$pid"'


class Runit(Tree):
    name = "runit"
    letter = "r"
    own = frozenset({b"runsvdir", b"runsv", b"svlogd"})
    own_each = 2  # one that supervises it and its logger, and that
    with_logs = True
    measured_logs = True
    log_share = 4

    def __init__(self, work: Path, mark: str) -> None:
        super().__init__(work, mark)
        self._programs = programs("runit", "runsvdir")
        self.version = self._programs.version

    def write(self, services: Services) -> None:
        for name, argv in services.items():
            service = self.folder / "scan" / name
            write_script(service / "run", f"exec {shlex.join(argv)}{' 2>&1' if self.with_logs else ''}")
            if self.with_logs:
                logs = self.folder / "logs" / name
                logs.mkdir(parents=True)
                (logs / "config").write_text("s50000000\nn100\n")
                write_script(service / "log" / "run", f"exec svlogd -b 65536 {shlex.quote(str(logs))}")

    def command(self) -> list[str]:
        return ["runsvdir", str(self.folder / "scan")]

    def environment(self) -> dict[str, str]:
        return self._programs.environment()

    def settle(self) -> None:
        """A service that ends within its first second is held back for a second, though it is to end."""
        super().settle()
        time.sleep(1)

    def ask_stop(self) -> None:
        if self.grace_s is None:
            os.kill(self.main_pid(), signal.SIGHUP)
            return
        # It never kills by itself.
        words = [f"{self.grace_s:.0f}", str(self.main_pid()), *self._services()]
        argv = ["/bin/sh", "-c", FORCE_STOP, "sh", *words]
        procs.run_in_background(argv, self.environment(), self.folder / "output")

    def _services(self) -> list[str]:
        return sorted(str(path) for path in (self.folder / "scan").glob("*"))

    def status_command(self) -> list[str] | None:
        return ["sv", "status", *self._services()]

    def raw_logs(self, service: str) -> list[Path]:
        return by_stamp(self.folder / "logs" / service)


class RunitWithoutLogs(Runit):
    """Output goes where that of runsvdir goes: to one file, by nobody."""

    name = "runit, no loggers"
    letter = "u"
    own_each = 1
    with_logs = False
    measured_logs = False
