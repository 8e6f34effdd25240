"""supervisord and circus: the environment of all peers, and how these two are configured."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.ports import free_ports
from benchmarks.subject import Services, Subject, by_rotation

WANTED = ("supervisor==4.3.0", "circus==0.19.0", "apscheduler==3.11.3", "sqlalchemy==2.1.9")


def environment() -> tuple[Path | None, str]:
    """The folder of the peers' programs, or None and why not. Not in our environment: import names clash."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "sbctl-benchmarks" / f"peers-py{sys.version_info.major}.{sys.version_info.minor}"
    stamp = folder / "complete"
    text = "\n".join(WANTED) + "\n"
    if not stamp.exists() or stamp.read_text() != text:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            venv.create(folder, clear=True, with_pip=True)
            argv = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *WANTED]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode != 0:
                return None, (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            stamp.write_text(text)
        except (OSError, subprocess.SubprocessError) as error:
            return None, str(error)
    return folder / "bin", ""


class Peer(Subject):
    """A program of the peers' environment."""

    def __init__(self, work: Path, mark: str, programs: Path) -> None:
        super().__init__(work, mark)
        self.programs = programs


class Supervisord(Peer):
    name = "supervisord"
    letter = "s"
    slow_stop = True
    measured_logs = True

    def write(self, services: Services) -> None:
        lines = [
            "[unix_http_server]",
            f"file={self.folder}/socket",
            "[supervisord]",
            f"logfile={self.folder}/supervisord.log",
            f"pidfile={self.folder}/supervisord.pid",
            f"childlogdir={self.folder}",
            "minfds=4096",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
            "[supervisorctl]",
            f"serverurl=unix://{self.folder}/socket",
        ]
        for name, argv in services.items():
            lines += [
                f"[program:{name}]",
                f"command={' '.join(argv)}",
                "startsecs=0",
                "autorestart=true",
                "redirect_stderr=true",
                f"stdout_logfile={self.folder}/{name}.log",
                "stdout_logfile_maxbytes=50MB",
                "stdout_logfile_backups=100",
            ]
        (self.folder / "settings").write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [str(self.programs / "supervisord"), "-n", "-c", str(self.folder / "settings")]

    def status_command(self) -> list[str]:
        return [str(self.programs / "supervisorctl"), "-c", str(self.folder / "settings"), "status"]

    def raw_logs(self, service: str) -> list[Path]:
        return by_rotation(self.folder / f"{service}.log")


class Circus(Peer):
    name = "circus"
    letter = "c"

    def write(self, services: Services) -> None:
        self.endpoint, pubsub = (f"tcp://127.0.0.1:{port}" for port in free_ports(2))
        lines = ["[circus]", "check_delay=0.1", f"endpoint={self.endpoint}", f"pubsub_endpoint={pubsub}"]
        for name, argv in services.items():
            lines += [f"[watcher:{name}]", f"cmd={argv[0]}", f"args={' '.join(argv[1:])}", "copy_env=True"]
            for stream in ("stdout", "stderr"):
                lines += [
                    f"{stream}_stream.class=FileStream",
                    f"{stream}_stream.filename={self.folder}/{name}.{stream}",
                    f"{stream}_stream.max_bytes=52428800",
                    f"{stream}_stream.backup_count=100",
                ]
        (self.folder / "settings").write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [str(self.programs / "circusd"), str(self.folder / "settings")]

    def status_command(self) -> list[str]:
        return [str(self.programs / "circusctl"), "--endpoint", self.endpoint, "status"]

    def raw_logs(self, service: str) -> list[Path]:
        return by_rotation(self.folder / f"{service}.stdout")
