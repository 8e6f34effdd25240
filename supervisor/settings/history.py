"""Earlier settings: what each revision changed, and the way back to the files it was made of.

What a person edits are the files, so these are what an undo brings back. Every revision holds a copy of its files.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from supervisor.base.clock import SystemClock, iso
from supervisor.base.errors import BAD_SETTINGS, NO_PERMISSION, Problem
from supervisor.base.files import write_atomic
from supervisor.model.home import Home
from supervisor.settings import revisions
from supervisor.settings.load import load
from supervisor.settings.sources import Sources

ROLES = ("start", "scheduler", "tunnel")


@dataclass(frozen=True)
class Revision:
    """One set of settings: when, and what it changed against the one before it."""

    number: str  # "0007"
    at: str  # UTC, as in the journal
    current: bool = False  # in force
    kept: bool = False  # never in force: files as they were before an undo
    has_files: bool = True  # can be gone back to; not so for those of an older version
    added: list[str] = field(default_factory=list)  # services
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)  # files that differ, relative to the home

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class FileChange:
    """What an undo does with one file."""

    file: str  # relative to the home
    action: Literal["write", "create", "remove"]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Undo:
    """What an undo would do: afterwards exactly the files of that revision are there.

    A settings file that has come since is removed; its content stays in the history. Nothing else of a plugin is
    touched: its folder, its program and its data stay.
    """

    number: str
    at: str
    files: list[FileChange]  # empty: the files are those of that revision

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def history(home: Home) -> list[Revision]:
    """All revisions that are kept, oldest first."""
    current = revisions.current(home)
    found: list[Revision] = []
    services: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for number in revisions.numbers(home):
        sources = revisions.read_sources(home, number)
        documents = {role: revisions.read_compiled(home, role, number) for role in ROLES}
        if not documents["start"] and not sources:
            continue  # damaged
        its_files = sources.files if sources else files
        try:
            its = _services(documents) if documents["start"] else services
        except (TypeError, LookupError, AttributeError):
            continue  # damaged
        found.append(
            Revision(
                number,
                at=documents["start"].get("compiled_at") or (sources.at if sources else ""),
                current=number == current,
                kept=not documents["start"],
                has_files=sources is not None,
                added=sorted(its.keys() - services.keys()),
                removed=sorted(services.keys() - its.keys()),
                changed=sorted(name for name in its.keys() & services.keys() if its[name] != services[name]),
                files=_differing(files, its_files),
            )
        )
        services, files = its, its_files
    return found


def _services(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {spec["name"]: spec for document in documents.values() for spec in document.get("services", ())}


def _differing(old: dict[str, bytes], new: dict[str, bytes]) -> list[str]:
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def plan_undo(home: Home, number: str | int) -> Undo:
    """What going back to that revision would do to the files. Changes nothing."""
    wanted = wanted_sources(home, number)
    there = load(home).sources
    changes = []
    for name in _differing(there, wanted.files):
        if name not in wanted.files:
            changes.append(FileChange(name, "remove"))
        else:
            changes.append(FileChange(name, "write" if name in there else "create"))
    return Undo(wanted.number, wanted.at, changes)


def wanted_sources(home: Home, number: str | int) -> Sources:
    """The files of a revision; a Problem when it is not there."""
    known = revisions.numbers(home)
    text = str(number)
    name = f"{int(text):04d}" if text.isascii() and text.isdigit() and len(text) < 10 else ""
    if name not in known:
        remedy = f"choose one of {known[0]} to {known[-1]}: sbctl config history" if known else "there is none yet"
        raise Problem(f"there is no revision {text[:20]} of the settings", remedy=remedy)
    sources = revisions.read_sources(home, name)
    if sources is None:
        why = "it was made by a version that kept no copies, or its copy is damaged"
        raise Problem(f"revision {name} holds no files", why=why, remedy="choose another one: sbctl config history")
    return sources


def keep_present(home: Home) -> Sources:
    """The files as they are now, kept as a revision of its own unless one has just these. Only under the lock."""
    loaded = load(home)
    own = [entry[0] for entry in loaded.inputs if entry[0].startswith(f"{home.path}/")]
    if unread := [path for path in own if os.path.isfile(path) and not loaded.has_read(path)]:
        raise Problem(
            f"{unread[0]} can't be kept for later",
            why="it can't be read, or is no settings file",
            remedy="make it readable, or move it away",
            code=BAD_SETTINGS,
        )
    for number in reversed(revisions.numbers(home)):
        known = revisions.read_sources(home, number)
        if known is not None and known.files == loaded.sources:
            return known
    kept = Sources(revisions.next_revision(home), iso(SystemClock().wall()), loaded.sources)
    revisions.keep(home, kept)
    return kept


def put_back(home: Home, sources: Sources) -> None:
    """Make the files those of `sources`, each of them whole at any moment."""
    there = load(home).sources
    for name in _differing(there, sources.files):
        path = os.path.realpath(home.join(name))  # a link into a folder of versions stays a link
        try:
            if name not in sources.files:
                os.unlink(home.join(name))
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_atomic(path, sources.files[name], mode=_mode(path), durable=True)
        except OSError as error:
            raise Problem(
                f"{name} can't be put back: {error.strerror}",
                remedy="mend that, and do the same again: what was there before is in sbctl config history",
                code=NO_PERMISSION,
            ) from None


def _mode(path: str) -> int:
    """That of the file that is there; a new one is its owner's only: values may be secret."""
    with contextlib.suppress(OSError):
        return os.stat(path).st_mode & 0o777
    return 0o600
