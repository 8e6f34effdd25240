"""`start` run by a test directly, without the command line: for tests of the daemons themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from supervisor.base import proc
from supervisor.base.where import role_command
from supervisor.control.client import Client, connect
from supervisor.model.home import Home
from supervisor.model.identity import read_home_id
from supervisor.settings import api

from .home import TemporaryHome
from .processes import all_marked
from .waiting import eventually


class Daemon:
    """One `start` on one temporary home."""

    def __init__(self, home: TemporaryHome) -> None:
        self.home = home
        self.model = Home(str(home.path))
        self.process: subprocess.Popen[bytes] | None = None
        self.started: list[subprocess.Popen[bytes]] = []

    def compile(self) -> dict[str, Any]:
        """By the same code as the compiler, in this very process: it is loaded here, and takes 0.3 s to load there."""
        done = api.compile_home(self.model)
        return {"ok": done.ok, "revision": done.revision, "findings": [found.as_dict() for found in done.findings]}

    def compile_apart(self) -> dict[str, Any]:
        """As `sbctl` has it done."""
        done = subprocess.run(
            role_command("compile", str(self.home.path)), capture_output=True, check=False, timeout=30
        )
        data: dict[str, Any] = json.loads(done.stdout)
        return data

    def start(self, *, env: dict[str, str] | None = None, wait: bool = True) -> Daemon:
        result = self.compile()
        assert result["ok"], result
        self.launch(env=env)
        if wait:
            self.settle()
        return self

    def launch(
        self,
        *words: str,
        through: Sequence[str] = (),
        env: dict[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Only the process: with these more words, and by way of another program (`nohup`, `env`, ...)."""
        (self.home.path / "logs").mkdir(exist_ok=True)
        out = os.open(self.home.path / "logs" / "start.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(
                [*through, *role_command("start", str(self.home.path)), *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, "SB_HOME": str(self.home.path), **(env or {})},
                start_new_session=True,
                pass_fds=pass_fds,
            )
        finally:
            os.close(out)
        self.started.append(process)
        self.process = process
        return process

    def reload(self, *, env: dict[str, str] | None = None) -> dict[str, str]:
        """Compile and take over, as `sbctl reload` does; returns what was done to whom."""
        result = self.compile()
        assert result["ok"], result
        changes = self.ask("start", "reload", revision=result["revision"], env=env)["changes"]
        changes += self.ask("scheduler", "reload", revision=result["revision"])["changes"]
        return {change["name"]: change["action"] for change in changes}

    def end(self) -> None:
        """Whatever happened: nothing of it lives on, and every `start` of ours has been waited for."""
        self.home.end()
        for process in self.started:
            process.wait(10)

    # asking

    def client(self, role: str) -> Client:
        return connect(self.model, role)

    def ask(self, role: str, verb: str, **args: Any) -> dict[str, Any]:
        with self.client(role) as client:
            return client.request(verb, **args)

    def settle(self, timeout: float = 20.0) -> None:
        for role in ("start", "scheduler"):
            eventually(lambda role=role: self._answers(role), timeout, f"{role} answers\n{self.output()}")
            self.ask(role, "settle", names=None, timeout=timeout)

    def _answers(self, role: str) -> bool:
        try:
            return bool(self.ask(role, "ping"))
        except Exception as error:
            raise AssertionError(str(error)) from None

    def rows(self) -> dict[str, dict[str, Any]]:
        """Rows by name, from both daemons; asked again while a scheduler is being replaced."""
        return eventually(self._rows, 10.0, "both daemons answer")

    def _rows(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for role in ("start", "scheduler"):
            try:
                for row in self.ask(role, "status")["rows"]:
                    found[row["name"]] = row
            except Exception as error:
                raise AssertionError(str(error)) from None
        return found

    def row(self, name: str) -> dict[str, Any]:
        rows = self.rows()
        assert name in rows, f"there is no service {name} (yet): {', '.join(rows)}"
        return rows[name]

    def in_phase(self, name: str, phase: str, timeout: float = 10.0) -> dict[str, Any]:
        return eventually(lambda: self._in_phase(name, phase), timeout, f"{name} is {phase}")

    def _in_phase(self, name: str, phase: str) -> dict[str, Any] | None:
        row = self.row(name)
        assert row["state"] == phase, row
        return row

    # its processes

    def pid(self, role: str) -> int:
        return eventually(lambda: self._live_pid(role), 10.0, f"logs/{role}.pid names a live process")

    def _live_pid(self, role: str) -> int | None:
        pid = self.home.pid(role)
        return pid if pid and proc.is_alive(pid) else None

    def marked(self) -> dict[str, list[int]]:
        """Live processes of this home's services by key."""
        home_id = read_home_id(self.model)
        return all_marked(home_id)

    def kill_scheduler(self) -> None:
        os.kill(self.pid("scheduler"), signal.SIGKILL)

    def events(self, name: str, kind: str = "") -> list[dict[str, Any]]:
        """What the journal says of one service, oldest first."""
        return [e for e in self.home.events() if e["service"] == name and kind in ("", e["kind"])]

    # the end

    def stop(self, timeout: float = 15.0) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def output(self) -> str:
        try:
            return (self.home.path / "logs" / "start.out").read_text()[-4000:]
        except FileNotFoundError:
            return ""


PYTHON = sys.executable
