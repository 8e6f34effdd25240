"""The peers, each in a file of its own, in the fastest configuration that is honest: docs/benchmarks.md has a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.cache import Unavailable
from benchmarks.peers.circus import Circus
from benchmarks.peers.from_pypi import Peer, environment, version_of
from benchmarks.peers.honcho import Honcho
from benchmarks.peers.pm2 import Pm2
from benchmarks.peers.runit import Runit, RunitWithoutLogs
from benchmarks.peers.s6 import S6, S6WithoutLogs
from benchmarks.peers.supervisord import Supervisord, SupervisordGroup
from benchmarks.subject import Subject

__all__ = ["Peer", "had", "versions"]

PYTHON: tuple[type[Peer], ...] = (Supervisord, SupervisordGroup, Circus, Honcho)
OTHERS: tuple[Callable[[Path, str], Subject], ...] = (Pm2, S6, S6WithoutLogs, Runit, RunitWithoutLogs)


def had(work: Path, mark: str) -> tuple[list[Subject], list[str]]:
    """Those that can be had here, and of all others why not."""
    found: list[Subject] = []
    missing: dict[str, str] = {}
    try:
        programs = environment()
        found += [kind(work, mark, programs) for kind in PYTHON]
    except Unavailable as error:
        missing["supervisord, circus, honcho and APScheduler"] = str(error)
    for kind in OTHERS:
        try:
            found.append(kind(work, mark))
        except Unavailable as error:
            missing[getattr(kind, "name", "")] = str(error)
    return found, [f"left out: {name}: {why}" for name, why in missing.items()]


def versions(subjects: list[Subject]) -> str:
    """Of those that are there: "supervisord 4.3.0, circus 0.19.0"."""
    found = [f"{subject.name} {subject.version}" for subject in subjects if subject.is_peer and "," not in subject.name]
    if any(isinstance(subject, Peer) for subject in subjects):
        found.append(f"APScheduler {version_of('apscheduler')}")
    return ", ".join(name.strip() for name in found)
