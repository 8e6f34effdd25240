"""`sbctl start --foreground` as the first process of a PID namespace with its own procfs: as in a container."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from supervisor.base import proc
from supervisor.base.where import MAIN

from .daemon import Daemon
from .processes import kill
from .waiting import eventually

UNSHARE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


def check_namespaces() -> None:
    """Or skip: the machine that runs the tests may be a container without that right."""
    try:
        done = subprocess.run([*UNSHARE, "true"], capture_output=True, check=False, timeout=20)
    except FileNotFoundError:
        pytest.skip("needs unshare (util-linux)")
    if done.returncode:
        pytest.skip(f"a PID namespace can't be made here: {done.stderr.decode(errors='replace').strip()}")


class Container:
    """One life of it on the home of a `Daemon`, through which it can be asked; ended whatever happens."""

    def __init__(self, daemon: Daemon) -> None:
        check_namespaces()
        self.daemon = daemon
        self.process: subprocess.Popen[bytes] | None = None
        self.init = 0  # its process 1, by our numbers

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-I", "-S", MAIN, "--home", str(self.daemon.home.path), "start", "--foreground", *words]

    def start(self, *words: str, stdout: int = subprocess.DEVNULL, through: Sequence[str] = ()) -> Container:
        self.process = subprocess.Popen(
            [*UNSHARE, *through, *self.command(*words)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            env=self.daemon.home.environment(),
            start_new_session=True,
        )
        self.init = eventually(self._find_init)
        return self

    def _find_init(self) -> int:
        assert self.process is not None
        children = proc.Children(self.process.pid).read()
        assert len(children) == 1, children
        return children[0]

    def signal(self, number: int) -> None:
        assert kill(self.init, number)

    def mask(self, name: str) -> int:
        """`SigBlk`, `SigCgt`, ...: bit n - 1 is signal n."""
        with open(f"/proc/{self.init}/status", encoding="ascii", errors="replace") as file:
            return next(int(line.split()[1], 16) for line in file if line.startswith(f"{name}:"))

    def wait(self, timeout: float = 15.0) -> int:
        """The exit code that the container has."""
        assert self.process is not None
        code = self.process.wait(timeout)
        assert self.daemon.home.pids() == []
        return code

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def zombies(self) -> list[int]:
        return [pid for pid in proc.Children(self.init).read() if not proc.is_alive(pid)]

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            if self.init:
                kill(self.init)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
