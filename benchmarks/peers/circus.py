"""circus."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.from_pypi import Peer, version_of
from benchmarks.subject import Services, by_rotation
from benchmarks.workloads import CHILDREN

QUICK_S = 0.01  # how often it looks for what has ended


class Circus(Peer):
    name = "circus"
    letter = "c"
    version = version_of("circus")
    measured_logs = True
    log_share = 4

    @property
    def endpoint(self) -> str:
        return f"ipc://{self.folder}/control"

    def write(self, services: Services) -> None:
        events = f"ipc://{self.folder}/events"
        lines = ["[circus]", f"endpoint={self.endpoint}", f"pubsub_endpoint={events}"]
        if self.must_be_quick:  # of its default, 5 s, a five-hundredth: nobody would pay for that while nothing happens
            lines.append(f"check_delay={QUICK_S:g}")
        for name, argv in services.items():
            lines += [f"[watcher:{name}]", f"cmd={argv[0]}", f"args={' '.join(argv[1:])}", "copy_env=True"]
            lines += [f"graceful_timeout={self.grace_s or 30:g}"]
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

    def status_command(self) -> list[str] | None:
        return [str(self.programs / "circusctl"), "--endpoint", self.endpoint, "status"]

    def ask_command(self) -> list[str] | None:
        return [str(self.programs / "python"), "-I", str(CHILDREN / "ask_circus.py"), self.endpoint]

    def raw_logs(self, service: str) -> list[Path]:
        return by_rotation(self.folder / f"{service}.stdout")
