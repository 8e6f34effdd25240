"""The compiled settings on disk: numbered folders and the link `current`.

A revision is complete before it gets its name, and the link moves by one rename: whoever reads, and
whatever dies when, there is the old revision or the new one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
from binascii import crc32
from collections.abc import Iterator
from typing import Any

from supervisor.base.errors import NO_PERMISSION, Problem
from supervisor.base.files import read_small, sync_folder, write_all, write_atomic
from supervisor.base.jsons import dumps
from supervisor.base.rows import lines
from supervisor.model.home import Home
from supervisor.model.identity import ID_LENGTH, id_line, read_home_id
from supervisor.model.inputs import FORMAT, made_for
from supervisor.model.lost_id import lost_id
from supervisor.settings.sources import Sources

KEPT = 20
MAX_COMPILED = 64 << 20
CURRENT = "current"
START = "start"
LONG = ("commands", "inputs", "schedules", "services")  # of compiled settings
SOURCES = "sources"  # beside the compiled files: a copy of what they were made of

_NEW = ".new."  # a folder or link that is being made


def _is_revision(name: str) -> bool:
    return name.isascii() and name.isdigit()


@contextlib.contextmanager
def locked(home: Home) -> Iterator[None]:
    """One compiler at a time. It may wait: it is no daemon."""
    try:
        _make_folders(home)
        fd = os.open(os.path.join(home.revisions, "lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Problem(
            f"can't lock the settings in {home.revisions}: {error.strerror}",
            why=str(error.filename or ""),
            remedy=f"it must be writable, on a disk with room: df {home}; ls -ld {home}",
            code=NO_PERMISSION,
        ) from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _make_folders(home: Home) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(home.logs, 0o755)
    for folder in (home.run, home.revisions):
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        owner = os.lstat(folder).st_uid
        if os.path.islink(folder) or owner != os.geteuid():
            raise Problem(
                f"{folder} is not our own folder",
                why="it is a link" if os.path.islink(folder) else f"it belongs to user {owner}",
                remedy=f"remove {folder}, or run sbctl as its owner",
                code=NO_PERMISSION,
            )


def current(home: Home) -> str:
    """The revision in force, or "" when there is none that can be read and is this very home's."""
    try:
        name = os.readlink(os.path.join(home.revisions, CURRENT))
    except OSError:
        return ""
    if not _is_revision(name) or not read_compiled(home, "scheduler", name):
        return ""
    return name if made_for(read_compiled(home, "start", name), home) else ""


def read_compiled(home: Home, role: str, revision: str = CURRENT) -> dict[str, Any]:
    """The content of one compiled file; empty for anything that is not one."""
    try:
        data = json.loads(read_small(home.compiled_file(role, revision), MAX_COMPILED))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) and data.get("format") == FORMAT else {}


def home_id(home: Home) -> str:
    """What marks the processes of this home; made once. Only under the lock."""
    if known := read_home_id(home):
        return known
    made = lost_id(home) or secrets.token_hex(ID_LENGTH // 2)  # a lost file is written again
    write_atomic(home.id_file, id_line(home, made), durable=True)
    return made


def next_revision(home: Home) -> str:
    return f"{max((int(name) for name in numbers(home)), default=0) + 1:04d}"


def read_sources(home: Home, revision: str) -> Sources | None:
    """The files that a revision was made of; None when there is no whole copy."""
    try:
        return Sources.from_dict(read_compiled(home, SOURCES, revision))
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def note_sources(home: Home, sources: Sources) -> None:
    """Files were edited without effect: what one goes back to are the newest of them. Only under the lock."""
    write_atomic(home.compiled_file(SOURCES, sources.number), encode({"format": FORMAT, **sources.as_dict()}))


def write(home: Home, sources: Sources, documents: dict[str, dict[str, Any]]) -> None:
    """Make the revision, put it in force, forget the oldest. Only under the lock."""
    sums = {role: crc32(encode(document)) for role, document in documents.items() if role != START}
    _make(home, sources, {**documents, START: {**documents[START], "sums": sums}})
    switch(home, sources.number)
    _forget_oldest(home)


def keep(home: Home, sources: Sources) -> None:
    """Files that were never compiled, as a revision that is never in force. Only under the lock."""
    _make(home, sources, {})
    _forget_oldest(home)


def _make(home: Home, sources: Sources, documents: dict[str, dict[str, Any]]) -> None:
    _remove_half_made(home)
    folder = os.path.join(home.revisions, f"{_NEW}{sources.number}")
    os.mkdir(folder, 0o700)
    for role, document in {**documents, SOURCES: {"format": FORMAT, **sources.as_dict()}}.items():
        _write_new(os.path.join(folder, f"{role}.json"), encode(document))
    sync_folder(folder)
    os.rename(folder, os.path.join(home.revisions, sources.number))
    sync_folder(home.revisions)


def switch(home: Home, revision: str) -> None:
    link = os.path.join(home.revisions, f"{_NEW}{CURRENT}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(link)
    os.symlink(revision, link)
    os.rename(link, os.path.join(home.revisions, CURRENT))
    sync_folder(home.revisions)


def encode(document: dict[str, Any]) -> bytes:
    """ASCII, so that a path that is not UTF-8 comes back as it was. Long lists have a line each: `base/rows.py`."""
    return f"{_object(document)}\n".encode("ascii")


def _object(content: dict[str, Any]) -> str:
    return f"{{{','.join(f'{dumps(name)}:{_value(name, value)}' for name, value in content.items())}}}"


def _value(name: str, value: Any) -> str:
    if name == "schedules" and isinstance(value, dict):  # the section; within it, the list
        return _object(value)
    if name in LONG and isinstance(value, list):
        return lines([dumps(each) for each in value], "[]")
    if name in LONG and isinstance(value, dict):
        return lines([f"{dumps(key)}:{dumps(each)}" for key, each in value.items()], "{}")
    return dumps(value)


def _write_new(path: str, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)


def numbers(home: Home) -> list[str]:
    """Of all revisions, oldest first."""
    try:
        names = os.listdir(home.revisions)
    except OSError:
        return []
    return sorted((name for name in names if _is_revision(name)), key=int)


def _remove_half_made(home: Home) -> None:
    for name in os.listdir(home.revisions):
        if name.startswith(_NEW) and name != f"{_NEW}{CURRENT}":
            shutil.rmtree(os.path.join(home.revisions, name), ignore_errors=True)


def _forget_oldest(home: Home) -> None:
    in_force = current(home)
    for name in numbers(home)[:-KEPT]:
        if name != in_force:
            shutil.rmtree(os.path.join(home.revisions, name), ignore_errors=True)
