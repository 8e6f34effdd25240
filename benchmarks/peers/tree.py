"""A supervisor that is many processes, all below the one that was launched."""

from __future__ import annotations

from benchmarks import procs
from benchmarks.subject import START_S, Services, Subject


class Tree(Subject):
    """Its own processes are known by their names: what it runs has others."""

    own: frozenset[bytes] = frozenset()
    own_each = 1  # of them for each child

    def prepare(
        self, kind: str, services: Services, *, grace_s: float | None = None, must_be_quick: bool = False
    ) -> None:
        super().prepare(kind, services, grace_s=grace_s, must_be_quick=must_be_quick)
        self._wanted = 1 + self.own_each * len(services)

    def settle(self) -> None:
        """Until its loggers run, too; and they still do, a moment later."""
        what = f"{self.name}: {self._wanted} processes of its own"
        procs.wait_for(what, lambda: len(self.daemons()) >= self._wanted, START_S, 0.05)
        super().settle()
        procs.wait_for(what, lambda: len(self.daemons()) >= self._wanted, 0)

    def daemons(self) -> dict[str, int]:
        found = {}
        for pid in procs.descendants([self.main_pid()]):
            name = procs.read(f"/proc/{pid}/comm").strip()
            if name in self.own:
                found[f"{name.decode()} {pid}"] = pid
        return found
