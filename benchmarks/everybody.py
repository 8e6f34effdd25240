"""Who is measured: ours, the peers that can be had, and the limits."""

from __future__ import annotations

from pathlib import Path

from benchmarks import limits, peers, workloads
from benchmarks.ours import Ours, OursByCommand
from benchmarks.plan import say
from benchmarks.subject import Subject


def everybody(work: Path, mark: str, *, with_peers: bool) -> tuple[list[Subject], list[str]]:
    """Everybody who can be had, and why the others can't."""
    found: list[Subject] = [Ours(work, mark), OursByCommand(work, mark)]
    missing: list[str] = []
    if with_peers:
        say("the peers' programs")
        there, missing = peers.had(work, mark)
        found += there
    why = workloads.build(work)
    if why:
        missing.append(f"the limit in C is left out, and the children are coreutils and Python: {why}")
    else:
        found.append(limits.LimitC(work, mark))
    return [*found, limits.LimitPython(work, mark), limits.LimitPump(work, mark)], missing
