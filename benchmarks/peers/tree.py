"""A supervisor that is many processes, all below the one that was launched."""

from __future__ import annotations

from benchmarks import procs
from benchmarks.subject import Subject


class Tree(Subject):
    """Its own processes are known by their names: what it runs has others."""

    own: frozenset[bytes] = frozenset()

    def daemons(self) -> dict[str, int]:
        found = {}
        for pid in procs.descendants([self.main_pid()]):
            name = procs.read(f"/proc/{pid}/comm").strip()
            if name in self.own:
                found[f"{name.decode()} {pid}"] = pid
        return found
