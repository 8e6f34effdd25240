"""s6: a supervising process a child; with a logger each, and without."""

from __future__ import annotations

import shlex
from pathlib import Path

from benchmarks.peers import cache
from benchmarks.peers.from_debian import Programs, programs
from benchmarks.peers.scripts import by_stamp, write_script
from benchmarks.peers.tree import Tree
from benchmarks.subject import Services

MOST = 4000  # services, loggers counted; 500 if it is not told


class S6(Tree):
    name = "s6"
    letter = "6"
    own = frozenset({b"s6-svscan", b"s6-supervise", b"s6-log"})
    own_each = 3  # one that supervises it, its logger, and one that supervises that
    with_logs = True
    measured_logs = True
    log_share = 2

    def __init__(self, work: Path, mark: str) -> None:
        super().__init__(work, mark)
        self._programs = programs("s6", "s6-svscan")
        self.version = self._programs.version
        check_supervise(self._programs)

    def write(self, services: Services) -> None:
        (self.folder / "logs").mkdir()
        for name, argv in services.items():
            service = self.folder / "scan" / name
            write_script(service / "run", f"exec {shlex.join(argv)}{' 2>&1' if self.with_logs else ''}")
            if self.grace_s:
                (service / "timeout-kill").write_text(f"{self.grace_s * 1000:.0f}\n")
            if self.with_logs:
                logs = str(self.folder / "logs" / name)
                write_script(service / "log" / "run", f"exec s6-log n100 s50000000 {shlex.quote(logs)}")

    def command(self) -> list[str]:
        return self._programs.as_if_installed(["s6-svscan", "-c", str(MOST), str(self.folder / "scan")])

    def environment(self) -> dict[str, str]:
        return self._programs.environment()

    def status_command(self) -> list[str] | None:
        each = 'for service in "$1"/*; do s6-svstat "$service"; done'
        return ["/bin/sh", "-c", each, "sh", str(self.folder / "scan")]

    def raw_logs(self, service: str) -> list[Path]:
        return by_stamp(self.folder / "logs" / service)


class S6WithoutLogs(S6):
    """Output goes where that of s6-svscan goes: to one file, by nobody."""

    name = "s6, no loggers"
    letter = "7"
    own_each = 1
    with_logs = False
    measured_logs = False


def check_supervise(found: Programs) -> None:
    """Its scanner calls s6-supervise by its full path: without root nothing but an installation will do."""
    try:
        cache.run(found.as_if_installed(["test", "-x", "/usr/bin/s6-supervise"]))
    except cache.Unavailable as error:
        raise cache.Unavailable(f"it isn't installed, and can't have a /usr of its own: {error}") from error
