"""What a nemesis does things with: it asks the daemons, sends signals, and waits until all answer again."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

from supervisor.base import proc
from support.daemon import Daemon
from support.processes import kill
from support.waiting import eventually

PATIENCE_S = 60.0


class Hands:
    """On one running home."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self._rest = threading.Event()

    def wait(self, seconds: float) -> None:
        self._rest.wait(seconds)

    def ask(self, role: str, verb: str, **args: Any) -> dict[str, Any]:
        """Again and again, until it is answered: whoever should answer may just have been killed."""

        def asked() -> dict[str, Any]:
            try:
                return self.daemon.ask(role, verb, **args)
            except Exception as error:
                raise AssertionError(f"{role} does not answer {verb}: {error}") from None

        return eventually(asked, PATIENCE_S)

    def is_well(self) -> None:
        """Both daemons answer, the scheduler has opened its desk, and is the child of this `start`."""

        def fact() -> bool:
            start, scheduler = self.pid("start"), self.pid("scheduler")
            assert start, "there is no start"
            assert scheduler, "there is no scheduler"
            assert proc.parent_of(scheduler) == start, "the scheduler is that of another start"
            for role, pid in (("start", start), ("scheduler", scheduler)):
                assert self.daemon.ask(role, "ping")["pid"] == pid, f"another {role} answers"
            return bool(self.daemon.ask("scheduler", "schedules")["schedules"])

        def answered() -> bool:
            try:
                return fact()
            except AssertionError:
                raise
            except Exception as error:
                raise AssertionError(str(error)) from None

        eventually(answered, PATIENCE_S, f"all is well\n{self.daemon.output()}")

    # processes

    def pid(self, role: str) -> int:
        """0: there is none."""
        try:
            pid = self.daemon.home.pid(role)
        except ValueError:
            return 0
        return pid if pid and proc.is_alive(pid) else 0

    def is_replaced(self, role: str, pid: int) -> None:
        eventually(lambda: self.pid(role) not in (0, pid), PATIENCE_S, f"{role} {pid} is replaced")

    def is_gone(self, pid: int) -> None:
        eventually(lambda: not proc.is_alive(pid), PATIENCE_S, f"{pid} is gone")

    def signal(self, pid: int, number: int) -> bool:
        return bool(pid) and kill(pid, number)

    def reap(self) -> None:
        """Every `start` that was our child and has ended."""
        for process in self.daemon.started:
            process.poll()

    def start(self) -> None:
        """A new `start`, after one that is gone."""
        self.reap()
        self.daemon.launch()
        self.is_well()

    def main_pid(self, name: str) -> int:
        """Of a service, by its PID file; 0: none."""
        plugin, _, number = name.partition(":")
        try:
            pid = int(Path(self.daemon.model.server_pid(plugin, int(number or 0))).read_text())
        except (FileNotFoundError, ValueError):
            return 0
        return pid if proc.is_alive(pid) else 0

    def frozen(self, pid: int, seconds: float) -> None:
        """Stopped for so long; by its start time, so that nobody else is sent the second signal."""
        began = proc.start_time(pid) if pid else None
        if began is None or not proc.signal_one(pid, began, signal.SIGSTOP):
            return
        self.wait(seconds)
        proc.signal_one(pid, began, signal.SIGCONT)

    def sbctl(self, *words: str, timeout: float = 90.0) -> None:
        done = self.daemon.home.sbctl(*words, timeout=timeout)
        assert done.code == 0, (words, done)

    def delay(self, pid: int, seconds: float) -> bool:
        """Each write of that process takes 15 ms more, for so long. False: this machine does not let us."""
        inject = "inject=write,sendmsg,fdatasync:delay_enter=15000"
        words = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=write,sendmsg,fdatasync", "-e", inject]
        try:
            tracer = subprocess.Popen(
                [*words, "-p", str(pid)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except FileNotFoundError:
            return False
        self.wait(seconds)
        went_on = tracer.poll() is None
        tracer.send_signal(signal.SIGINT)
        try:
            tracer.wait(10)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait()
        return went_on
