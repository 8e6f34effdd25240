"""A temporary home: settings with short times, plugins on demand, the real `bin/sbctl` on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from . import journal, processes
from .ports import free_port

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = ROOT / "bin" / "sbctl"

# The product's numbers, scaled so that a whole life of failures fits into a second or two.
SUPERVISION: dict[str, Any] = {
    "fastCrashSeconds": 0.5,
    "delaysSeconds": [0.1, 0.2, 0.4, 0.8],
    "giveUpAfter": 5,
    "windowMinutes": 60,
    "windowDeaths": 30,
    "windowDelaySeconds": 3,
    "graceSeconds": 2,
    "startTimeoutSeconds": 20,
    "settleSeconds": 0.1,
    "tickSeconds": 1,
    "reconcileSeconds": 1,
}


class Result(NamedTuple):
    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.out, f"no output; exit {self.code}, stderr: {self.err}"
        return json.loads(self.out)


class TemporaryHome:
    """Made by the fixtures `home` and `make_home`; `end` ends every process of it, whatever happened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.port = free_port()
        for name in ("etc", "plugins"):
            (path / name).mkdir(parents=True)
        self.supervision: dict[str, Any] = dict(SUPERVISION)
        self.settings: dict[str, Any] = {"config": {"host": "127.0.0.1", "port": self.port}}
        self.scheduler: dict[str, Any] = {}
        self.write()

    def __str__(self) -> str:
        return str(self.path)

    def __fspath__(self) -> str:
        return str(self.path)

    # settings

    def write(self) -> None:
        """`settings`, `supervision` and `scheduler` as the files under etc/. (JSON is YAML too.)"""
        settings = {**self.settings, "supervision": self.supervision}
        (self.path / "etc" / "sbctl.yaml").write_text(json.dumps(settings, indent=2) + "\n")
        (self.path / "etc" / "scheduler.json").write_text(json.dumps(self.scheduler, indent=2) + "\n")

    def add_plugin(
        self,
        plugin_id: str,
        command: str | list[str],
        *,
        manifest: dict[str, Any] | None = None,
        files: dict[str, str] | None = None,
        **server: Any,
    ) -> Path:
        """A plugin with this server command, started by itself; `server` are keys of the manifest's block."""
        folder = self.path / "plugins" / plugin_id
        folder.mkdir(exist_ok=True)
        data: dict[str, Any] = {
            "id": plugin_id,
            "commands": {"server": command},
            "server": {"autoStart": True, **server},
            **(manifest or {}),
        }
        (folder / "manifest.json").write_text(json.dumps(data, indent=2) + "\n")
        for name, text in (files or {}).items():
            (folder / name).write_text(text)
        return folder

    # the command line

    def environment(self, env: dict[str, str | None] | None = None) -> dict[str, str]:
        """This home, the interpreter that runs the tests; a value of None takes a name away."""
        values: dict[str, str | None] = {
            **os.environ,
            "SB_HOME": str(self.path),
            "SB_VENV": sys.prefix,
            **(env or {}),
        }
        return {name: value for name, value in values.items() if value is not None}

    def sbctl(
        self,
        *args: object,
        timeout: float = 30.0,
        env: dict[str, str | None] | None = None,
        cwd: str | Path | None = None,
        stdin: str | None = None,
    ) -> Result:
        """Run `bin/sbctl ARGS` on this home. Over pipes: a daemon that keeps one open is a fault that shows."""
        return self.run([LAUNCHER, *args], timeout=timeout, env=env, cwd=cwd, stdin=stdin)

    def run(
        self,
        command: list[Any],
        *,
        timeout: float = 30.0,
        env: dict[str, str | None] | None = None,
        cwd: str | Path | None = None,
        stdin: str | None = None,
    ) -> Result:
        argv = [str(word) for word in command]
        try:
            done = subprocess.run(
                argv,
                capture_output=True,
                timeout=timeout,
                env=self.environment(env),
                cwd=cwd or self.path,
                check=False,
                stdin=subprocess.DEVNULL if stdin is None else None,
                input=None if stdin is None else stdin.encode(),
            )
        except subprocess.TimeoutExpired as error:
            out, err = _text(error.stdout), _text(error.stderr)
            raise AssertionError(f"{argv} not done in {timeout} s\nstdout: {out}\nstderr: {err}") from None
        return Result(done.returncode, _text(done.stdout), _text(done.stderr))

    def status(self, *names: str) -> Any:
        """`sbctl status --json` as data."""
        return self.sbctl("status", *names, "--json").json()

    # what it left behind

    def pid(self, role: str) -> int | None:
        """What `logs/<role>.pid` says; None when it is not there (or half removed)."""
        try:
            text = (self.path / "logs" / f"{role}.pid").read_text()
        except FileNotFoundError:
            return None
        return int(text) if text.strip() else None

    def events(self) -> list[dict[str, Any]]:
        """The journal, oldest first; a last line that is still being written is left out."""
        try:
            text = (self.path / "logs" / "scheduler.log").read_text()
        except FileNotFoundError:
            return []
        return journal.read(text)

    def log(self, plugin_id: str) -> str:
        """The raw output of a plugin's server so far."""
        try:
            return (self.path / "logs" / plugin_id / "server.log").read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def pids(self) -> list[int]:
        """Every live process of this home."""
        return processes.pids_of_home(str(self.path))

    def end(self) -> None:
        processes.end_all(str(self.path))


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")
