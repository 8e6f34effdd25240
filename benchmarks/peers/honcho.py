"""honcho: for development; it starts, captures and stops, and that is all."""

from __future__ import annotations

import shlex
from pathlib import Path

from benchmarks.peers.from_pypi import Peer, version_of
from benchmarks.peers.tree import Tree
from benchmarks.subject import Services


class Honcho(Peer, Tree):
    name = "honcho"
    letter = "h"
    version = version_of("honcho")
    own = frozenset({b"honcho"})  # a process of Python a child
    restarts = False
    never_ends_deaf = "never ends: its SIGKILL, after 5 s that can't be set, waits for a first child that has ended"
    measured_logs = True
    mixes_logs = True
    log_share = 40

    def write(self, services: Services) -> None:
        lines = [f"{name}: exec {shlex.join(argv)}" for name, argv in services.items()]
        (self.folder / "Procfile").write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [str(self.programs / "honcho"), "-f", str(self.folder / "Procfile"), "start", "--no-prefix"]

    def raw_logs(self, service: str) -> list[Path]:
        return [self.folder / "output"]
