"""One supervisor that is measured: how it is told what to run, started, stopped and asked."""

from __future__ import annotations

import abc
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from benchmarks import procs, workloads

START_S = 60.0
Services = dict[str, list[str]]


class Subject(abc.ABC):
    """The base of all; a subclass says how. `letter` makes the name of its children its own."""

    name = ""
    letter = ""
    version = ""  # of a peer
    is_peer = True
    can_sleep = True  # for the figures with many idle children
    restarts = True
    never_ends_deaf = ""  # why it never ends when its children ignore SIGTERM
    twin = False  # another way to do what a subject does already
    launched_as = ""  # the name of that one, where both are launched by the same command
    measured_logs = False
    mixes_logs = False  # all in one file
    log_share = 1  # so many times less is written by the children of the slow ones

    def __init__(self, work: Path, mark: str) -> None:
        self.work = work / "-".join(self.name.replace(",", "").split())  # some read paths as words of a shell
        self.comm = f"{mark}{self.letter}"  # the name under which /proc shows its children
        self.process: subprocess.Popen[bytes] | None = None
        self.servers: set[int] = set()
        self.folder = self.work
        self.grace_s: float | None = None  # from SIGTERM to SIGKILL; None: its own
        self.must_be_quick = False  # it is measured how soon it starts again what has ended

    # what to run

    def prepare(
        self, kind: str, services: Services, *, grace_s: float | None = None, must_be_quick: bool = False
    ) -> None:
        """A folder of its own for this set of services."""
        self.grace_s = grace_s
        self.must_be_quick = must_be_quick
        self.folder = self.work / kind
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.write(services)

    def sleepers(self, count: int) -> Services:
        """The smallest server there is, under a name that nobody else has."""
        return self._servers("sleep", count)

    def deaf(self, count: int) -> Services:
        """Servers that only SIGKILL ends."""
        return self._servers("deaf", count)

    def _servers(self, workload: str, count: int) -> Services:
        argv = workloads.command(self.work.parent, workload, link=self.work / workload / self.comm)
        return {f"s{number:03}": argv for number in range(count)}

    @abc.abstractmethod
    def write(self, services: Services) -> None:
        """What it reads at its start."""

    # its life

    @abc.abstractmethod
    def command(self) -> list[str]:
        """What launches it."""

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def launch(self) -> float:
        """Returns the moment before its first instruction."""
        began = procs.now()
        self.process = procs.run_in_background(self.command(), self.environment(), self.folder / "output")
        return began

    def start(self, count: int) -> float:
        """Launch, and the seconds until so many children run."""
        arrivals = procs.Arrivals(self.comm)
        began = self.launch()
        procs.wait_for(f"{self.name}: {count} children", lambda: arrivals.look() >= count or self._failed(), START_S)
        took = procs.now() - began
        self.servers = arrivals.found
        self.settle()
        return took

    def _failed(self) -> bool:
        """Nothing will come any more: raises with its last words. Some return (with 0) and leave a daemon."""
        code = self.process.poll() if self.process is not None else None
        if code:
            words = (self.folder / "output").read_text(errors="replace").strip().splitlines()
            raise procs.TookTooLong(f"{self.name} ended with {code}: {words[-1] if words else 'without a word'}")
        return False

    def settle(self) -> None:
        """Until its start is over in its own eyes too."""
        time.sleep(0.2)

    def main_pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def daemons(self) -> dict[str, int]:
        """Its own processes by name."""
        return {self.name: self.main_pid()}

    def ask_stop(self) -> None:
        os.kill(self.main_pid(), signal.SIGTERM)

    def stop_takes(self, count: int) -> float:
        """Those who stop their children in turn: at least so many seconds where each takes its grace.

        Where none does, a guess: it decides how often they are stopped, and is told to nobody.
        """
        return 0.0

    def end(self) -> None:
        """By force, and everything of it."""
        roots = [self.process.pid] if self.process is not None else []
        procs.end([*roots, *self.daemons_if_any()], self.comm)
        self.process = None

    def daemons_if_any(self) -> list[int]:
        return [self.process.pid] if self.process is not None else []

    # questions

    def status_command(self) -> list[str] | None:
        return None

    def ask_command(self) -> list[str] | None:
        """What asks for all children over one open connection, and prints how many milliseconds each answer took.

        How often is added to it.
        """
        return None

    def raw_logs(self, service: str) -> list[Path]:
        """The files that hold the output of a service, oldest first; none where `measured_logs` is not set."""
        return []


def by_rotation(file: Path) -> list[Path]:
    """server.log.2, server.log.1, server.log"""
    older = [path for path in file.parent.glob(f"{file.name}.*") if path.suffix[1:].isdigit()]
    older.sort(key=lambda path: int(path.suffix[1:]), reverse=True)
    return [*older, file] if file.exists() else older
