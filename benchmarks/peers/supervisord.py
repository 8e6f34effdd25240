"""supervisord, with a program a child, and with one program of so many processes."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.peers.from_pypi import Peer, version_of
from benchmarks.subject import Services, by_rotation
from benchmarks.workloads import CHILDREN


class Supervisord(Peer):
    name = "supervisord"
    letter = "s"
    version = version_of("supervisor")
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
            *self.programs_of(services),
        ]
        (self.folder / "settings").write_text("\n".join(lines) + "\n")

    def programs_of(self, services: Services) -> list[str]:
        lines = []
        for name, argv in services.items():
            lines += [f"[program:{name}]", f"command={' '.join(argv)}", f"stdout_logfile={self.folder}/{name}.log"]
            lines += self.options()
        return lines

    def options(self) -> list[str]:
        return [
            "startsecs=0",
            "autorestart=true",
            f"stopwaitsecs={self.grace_s or 10:g}",
            "redirect_stderr=true",
            "stdout_logfile_maxbytes=50MB",
            "stdout_logfile_backups=100",
        ]

    def command(self) -> list[str]:
        return [str(self.programs / "supervisord"), "-n", "-c", str(self.folder / "settings")]

    def stop_takes(self, count: int) -> float:
        # One after the other, and each is a turn of a loop that may sleep for a second, or not: up to that, more than a
        # grace. How often it sleeps is chance, so without a grace this is a guess between 0.01 and 1 s.
        return count * (self.grace_s or 0.35)

    def status_command(self) -> list[str] | None:
        return [str(self.programs / "supervisorctl"), "-c", str(self.folder / "settings"), "status"]

    def ask_command(self) -> list[str] | None:
        return [sys.executable, "-I", str(CHILDREN / "ask_supervisord.py"), str(self.folder / "socket")]

    def raw_logs(self, service: str) -> list[Path]:
        return by_rotation(self.folder / f"{service}.log")


class SupervisordGroup(Supervisord):
    """Stopped all at once; but then all of them must be the same program."""

    name = "supervisord, group"
    letter = "g"
    twin = True
    measured_logs = False

    def programs_of(self, services: Services) -> list[str]:
        argv = next(iter(services.values()))
        return [
            "[program:all]",
            f"command={' '.join(argv)}",
            "process_name=%(process_num)03d",
            f"numprocs={len(services)}",
            f"stdout_logfile={self.folder}/%(process_num)03d.log",
            *self.options(),
        ]

    def stop_takes(self, count: int) -> float:
        return 0.0
