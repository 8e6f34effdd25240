"""What the command line, the config server and the compiler ask of this package."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from supervisor.base.clock import SystemClock, iso
from supervisor.base.errors import BAD_SETTINGS, NO_PERMISSION, Problem
from supervisor.base.files import write_atomic
from supervisor.model.home import Home
from supervisor.settings import revisions
from supervisor.settings.compiled import Documents, build, fingerprint, stamp, told
from supervisor.settings.findings import Finding, has_errors
from supervisor.settings.history import (
    FileChange,
    Revision,
    Undo,
    history,
    keep_present,
    plan_undo,
    put_back,
    wanted_sources,
)
from supervisor.settings.load import load, require
from supervisor.settings.manifest import Manifest
from supervisor.settings.schedule_files import read_schedule_file, remove_schedule, write_schedule
from supervisor.settings.scheduler_file import ScheduleFile, SchedulerFile
from supervisor.settings.schema import SbctlFile
from supervisor.settings.secrets import masked
from supervisor.settings.shape import Shape
from supervisor.settings.sources import Sources

__all__ = [
    "FileChange", "Preview", "Result", "Revision", "Undo", "check", "compile_home", "history", "json_schema", "load",
    "plan_undo", "preview", "read_schedule_file", "remove_schedule", "show", "undo", "write_schedule",
]  # fmt: skip

FILES: dict[str, type[Shape]] = {
    "sbctl.yaml": SbctlFile,
    "scheduler.json": SchedulerFile,
    "schedule.json": ScheduleFile,  # each in etc/schedules.d
    "manifest.json": Manifest,
}


@dataclass
class Result:
    """What came of a compilation."""

    revision: str  # in force now, "" when there is none
    written: bool = False  # is that a new one?
    ok: bool = True  # False: the files have errors, and the revision in force is an older one
    findings: list[Finding] = field(default_factory=list)


@dataclass
class Preview:
    """What a compilation would write; `documents` is empty when there are errors."""

    documents: Documents
    findings: list[Finding]


def check(home: Home) -> list[Finding]:
    """Everything that is wrong or doubtful in all files. Writes nothing."""
    return preview(home).findings


def preview(home: Home) -> Preview:
    loaded = load(home)
    documents = build(loaded)
    findings = loaded.findings
    return Preview({} if has_errors(findings) else documents, findings)


def compile_home(home: Home, *, tolerant: bool = False) -> Result:
    """Make the files' settings the current revision. An error anywhere changes nothing.

    With `tolerant`, and only while there is no revision to fall back on, plugins with errors are left out.
    """
    require(home)
    with revisions.locked(home):
        return _compile(home, tolerant=tolerant)


def _compile(home: Home, *, tolerant: bool = False) -> Result:
    loaded = load(home)
    documents = build(loaded)
    findings = loaded.findings
    current = revisions.current(home)
    first = tolerant and not current
    if loaded.has_common_errors or (has_errors(findings) and not first):
        if tolerant and current:  # a start goes on with that revision, and status is to say so
            _note(home, current, told(findings))
        return Result(current, ok=False, findings=findings)
    at = iso(SystemClock().wall())
    stamped = stamp(
        documents,
        revision=revisions.next_revision(home),
        home_id=revisions.home_id(home),
        at=at,
        inputs=loaded.inputs,
        findings=findings,
    )
    if current and _is_same(home, stamped):
        _refresh(home, Sources(current, at, loaded.sources), stamped["start"])
        return Result(current, findings=findings)
    revision = stamped["start"]["revision"]
    revisions.write(home, Sources(revision, at, loaded.sources), stamped)
    return Result(revision, written=True, findings=findings)


def undo(home: Home, number: str | int) -> None:
    """Bring the files of that revision back and put them in force; see `plan_undo`.

    What was there becomes a revision of its own, so that this too can be undone. If the old files don't hold any more
    (an account is gone, say), or the disk takes no new revision, everything is as before.
    """
    require(home)
    with _told_what_failed(home, f"revision {str(number)[:20]} of the settings"), revisions.locked(home):
        wanted = wanted_sources(home, number)
        before = keep_present(home)
        put_back(home, wanted)
        try:
            result = _compile(home)
        except OSError:
            put_back(home, before)
            raise
        if result.ok:
            return
        put_back(home, before)
        errors = [finding for finding in result.findings if finding.is_error]
        raise Problem(
            f"the settings of revision {wanted.number} are not good any more: nothing was changed",
            why=errors[0].headline(),
            remedy=errors[0].remedy,
            code=BAD_SETTINGS,
        )


@contextlib.contextmanager
def _told_what_failed(home: Home, whose: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Problem(
            f"{whose} can't be put in force: {error.strerror}: nothing was changed",
            why=str(error.filename or f"the disk of {home.run}"),
            remedy="make room on the disk, then the same again",
            code=NO_PERMISSION,
        ) from None


def _is_same(home: Home, stamped: Documents) -> bool:
    mark = stamped["start"]["fingerprint"]
    there = {role: revisions.read_compiled(home, role) for role in stamped}
    # What was spoilt since it was written may still say whose it is.
    return fingerprint(there) == mark and all(document.get("fingerprint") == mark for document in there.values())


def _refresh(home: Home, sources: Sources, start: dict[str, Any]) -> None:
    """Files were touched without effect: note how they look now, or every start would compile again."""
    known = revisions.read_sources(home, sources.number)
    if known is None or known.files != sources.files:
        revisions.note_sources(home, sources)
    _note(home, sources.number, {name: start[name] for name in ("inputs", "problems", "errors", "version")})


def _note(home: Home, revision: str, passing: dict[str, Any]) -> None:
    old = revisions.read_compiled(home, "start")
    if any(old.get(name) != value for name, value in passing.items()):
        write_atomic(home.compiled_file("start", revision), revisions.encode({**old, **passing}))


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of one of `FILES`."""
    return FILES[name].model_json_schema()


def show(home: Home) -> dict[str, Any]:
    """The files' settings with every default filled in; secrets only as references."""
    loaded = load(home)
    plugins = {name: _dump(plugin.manifest) for name, plugin in loaded.plugins.items()}
    for manifest in plugins.values():
        manifest["env"] = {name: masked(name, value) for name, value in manifest["env"].items()}
    schedules = {name: _dump(override.keys) for name, override in loaded.overrides.items()}
    return {
        "sbctl": _dump(loaded.settings),
        "scheduler": _dump(loaded.scheduler),
        "schedules": schedules,
        "plugins": plugins,
    }


def _dump(shape: Shape) -> dict[str, Any]:
    return shape.model_dump(mode="json", by_alias=True, exclude_none=True)
