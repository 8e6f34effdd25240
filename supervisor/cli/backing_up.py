"""`sbctl backup FILE`: settings, manifests, what lasts of people's choices, and the history in one file."""

from __future__ import annotations

import os
import stat
import tempfile
import time

from supervisor import __version__
from supervisor.base.clock import iso
from supervisor.base.counting import counted
from supervisor.base.errors import FAILED, NO_PERMISSION, USAGE, Problem
from supervisor.base.files import read_small, remove_quietly, sync_folder
from supervisor.cli.archive import HISTORY, MAX_SETTINGS_FILE, SECRETS, STATE, Entry, write_archive
from supervisor.cli.history_copy import whole_copy
from supervisor.cli.out import answer, note
from supervisor.cli.table import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from supervisor.model.home import Home

    Facts = dict[str, Any]

MODE = 0o600


def back_up(home: Home, path: str, *, force: bool, with_secrets: bool, as_json: bool) -> int:
    """Works while everything runs: each file as it is at one moment, the history as of one transaction."""
    path = os.path.abspath(path)
    if os.path.lexists(path) and not force:
        raise Problem(f"{path} is there already", remedy="another name, or --force", code=USAGE)
    if os.path.isdir(path):
        raise Problem(f"{path} is a folder", remedy="name a file, like backup.tar.gz", code=USAGE)
    folder = os.path.dirname(path)
    try:
        with tempfile.TemporaryDirectory(prefix=".sbctl-backup-", dir=folder) as work:
            entries = [*_settings(home, path, with_secrets=with_secrets), *_history(home, work)]
            head = {
                "version": __version__,
                "made_at": iso(time.time()),
                "home": home.path,
                "with_secrets": with_secrets,
            }
            length = _write(path, head, entries, work, force=force)
    except OSError as error:
        code = NO_PERMISSION if isinstance(error, PermissionError) else FAILED
        raise Problem(f"no backup was made: {error.strerror}", why=str(error.filename or path), code=code) from None
    facts: Facts = {"file": path, "size": length, **head, "files": [entry.as_dict() for entry in entries]}
    answer(f"{path}: {counted(len(entries), 'file')}, {size(length)}", facts, as_json=as_json)
    if with_secrets:
        note("it holds the secrets of this home: keep it as safe as those")
    return 0


def _write(path: str, head: Facts, entries: list[Entry], work: str, *, force: bool) -> int:
    temp = os.path.join(work, "backup")
    fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
    try:
        write_archive(fd, head, entries)
        length = os.fstat(fd).st_size
    finally:
        os.close(fd)
    if force:
        os.replace(temp, path)
    else:
        os.link(temp, path)  # fails where somebody was quicker; a rename would replace it
        remove_quietly(temp)
    sync_folder(os.path.dirname(path))
    return length


def _settings(home: Home, own: str, *, with_secrets: bool) -> Iterator[Entry]:
    for path in files_below(home.etc):
        name = os.path.relpath(path, home.path)
        if path != own and (with_secrets or not name.startswith(SECRETS)):
            yield _entry(path, name)
    for plugin in plugins_of(home):
        yield _entry(os.path.join(home.plugin(plugin), "manifest.json"), f"plugins/{plugin}/manifest.json")
    if os.path.isfile(home.intent_file):
        yield _entry(home.intent_file, STATE)


def plugins_of(home: Home) -> list[str]:
    """The folders with a manifest."""
    try:
        names = sorted(os.listdir(home.plugins))
    except FileNotFoundError:
        return []
    return [
        name
        for name in names
        if not name.startswith(".") and os.path.isfile(os.path.join(home.plugin(name), "manifest.json"))
    ]


def files_below(folder: str) -> Iterator[str]:
    """Plain files; links to such are followed, links to folders are not. What begins with a dot is passing."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(place, name)
            if not name.startswith(".") and os.path.isfile(path):
                yield path


def _entry(path: str, name: str) -> Entry:
    mode = stat.S_IMODE(os.stat(path).st_mode)
    return Entry(name, read_small(path, MAX_SETTINGS_FILE), mode)


def _history(home: Home, work: str) -> Iterator[Entry]:
    copy = os.path.join(work, "history.db")
    if whole_copy(home.history_file, copy):
        yield Entry(HISTORY, copy, 0o640)
