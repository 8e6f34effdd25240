"""Files of single schedules, as commands make, change and remove them.

What would be is judged before it is: with an error anywhere in the settings of the home nothing is changed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

from supervisor.base.errors import BAD_SETTINGS, FAILED, NO_PERMISSION, USAGE, Problem
from supervisor.base.files import sync_folder, write_atomic
from supervisor.model.home import Home
from supervisor.settings import revisions
from supervisor.settings.compiled import build
from supervisor.settings.document import read_document
from supervisor.settings.findings import Finding, has_errors, shorten
from supervisor.settings.load import ENDING, load, require
from supervisor.settings.schedule_ids import id_problem
from supervisor.settings.shape import FORMAT

FILE_MODE = 0o644  # of a new one: there are no secrets in it


def schedule_file(home: Home, schedule: str) -> str:
    """Where the file of a schedule lies, or would; a Problem for what can't be an id."""
    if problem := id_problem(schedule):
        raise Problem(f"{shorten(schedule)}: {problem[0]}", remedy=problem[1], code=USAGE)
    return os.path.join(home.schedules, schedule + ENDING)


def read_schedule_file(home: Home, schedule: str) -> dict[str, Any] | None:
    """Its keys as they are written, without the format; None when there is no such file."""
    path = schedule_file(home, schedule)
    if not os.path.lexists(path):
        return None
    document = read_document(path, os.path.relpath(path, home.path))
    if document.findings or not isinstance(document.data, dict):
        found = document.findings[0] if document.findings else None
        raise Problem(
            f"{document.file} can't be read" if found is None else found.headline(),
            remedy=(found and found.remedy) or "write a map into it, or remove it",
            code=BAD_SETTINGS,
        )
    return {key: value for key, value in document.data.items() if key != "format"}


def file_text(keys: dict[str, Any]) -> bytes:
    """The file that has these keys, so that what is judged is what will be there, to the column."""
    text = json.dumps({"format": FORMAT, **keys}, indent=2, ensure_ascii=False)
    return f"{text}\n".encode("utf-8", "surrogatepass")


def write_schedule(home: Home, schedule: str, keys: dict[str, Any]) -> list[Finding]:
    """Make or replace the file of a schedule. Findings with an error among them: nothing was changed.

    It counts from the next reload or start on.
    """
    path, raw = schedule_file(home, schedule), file_text(keys)
    with _locked(home):
        findings = _judged(home, path, raw)
        if not has_errors(findings):
            _write(home, path, raw)
    return findings


def remove_schedule(home: Home, schedule: str) -> list[Finding]:
    """Remove the file of a schedule; one that is also written elsewhere is then as it is written there."""
    path = schedule_file(home, schedule)
    with _locked(home):
        if not os.path.lexists(path):
            where = os.path.relpath(path, home.path)
            remedy = "what a task or a manifest says is changed there, or by a file of this name"
            raise Problem(f"there is no {where}", remedy=remedy, code=FAILED)
        findings = _judged(home, path, None)
        if not has_errors(findings):
            try:
                os.unlink(path)
                sync_folder(home.schedules)
            except OSError as error:
                raise _refused(path, error) from None
    return findings


@contextlib.contextmanager
def _locked(home: Home) -> Iterator[None]:
    """The same lock as for compiling and for an undo: none of them sees half of the other's work."""
    require(home)
    with revisions.locked(home):
        yield


def _judged(home: Home, path: str, raw: bytes | None) -> list[Finding]:
    loaded = load(home, {path: raw})
    build(loaded)
    return loaded.findings


def _write(home: Home, path: str, raw: bytes) -> None:
    try:
        os.makedirs(home.schedules, mode=0o755, exist_ok=True)
        real = os.path.realpath(path)  # a link into a folder of versions stays a link
        mode = FILE_MODE
        with contextlib.suppress(FileNotFoundError):
            mode = os.stat(real).st_mode & 0o777
        write_atomic(real, raw, mode=mode, durable=True)
    except OSError as error:
        raise _refused(path, error) from None


def _refused(path: str, error: OSError) -> Problem:
    return Problem(f"{path} can't be changed: {error.strerror}", remedy="mend that, and try again", code=NO_PERMISSION)
