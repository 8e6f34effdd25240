"""The file that `backup` writes and `restore` reads: a tar.gz whose first member says what else is in it.

    manifest.json     {"format": 1, "version", "made_at", "home", "with_secrets", "files": [{path, size, sha256, mode}]}
    etc/...  plugins/ID/manifest.json  logs/state.json  logs/history.db

Nothing but plain files below these names is ever written or taken out.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile

from supervisor.base.errors import BAD_SETTINGS, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Any

    Facts = dict[str, Any]

FORMAT = 1
MANIFEST = "manifest.json"
HISTORY = "logs/history.db"
STATE = "logs/state.json"
SECRETS = "etc/secrets/"
MAX_MANIFEST = 16 << 20
MAX_FILES = 20_000
MAX_SETTINGS_FILE = 16 << 20
MAX_HISTORY = 64 << 30
CHUNK = 1 << 20


class Entry:
    """One file of it. `content` is the bytes, or the path of a file that has them."""

    __slots__ = ("content", "mode", "path", "sha256", "size")

    def __init__(self, path: str, content: bytes | str, mode: int) -> None:
        self.path = path
        self.content = content
        self.mode = mode
        self.size, self.sha256 = _measured(content)

    def as_dict(self) -> Facts:
        return {"path": self.path, "size": self.size, "sha256": self.sha256, "mode": f"{self.mode:04o}"}


def _measured(content: bytes | str) -> tuple[int, str]:
    if isinstance(content, bytes):
        return len(content), hashlib.sha256(content).hexdigest()
    digest, size = hashlib.sha256(), 0
    with open(content, "rb") as file:
        while data := file.read(CHUNK):
            digest.update(data)
            size += len(data)
    return size, digest.hexdigest()


def write_archive(fd: int, head: Facts, entries: list[Entry]) -> None:
    """Into an open file, to the disk."""
    manifest = {"format": FORMAT, **head, "files": [entry.as_dict() for entry in entries]}
    with os.fdopen(os.dup(fd), "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as tar:
        _add(tar, Entry(MANIFEST, json.dumps(manifest, indent=2).encode() + b"\n", 0o600))
        for entry in entries:
            _add(tar, entry)
    os.fsync(fd)


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    info = tarfile.TarInfo(entry.path)
    info.size, info.mode = entry.size, entry.mode
    if isinstance(entry.content, bytes):
        tar.addfile(info, io.BytesIO(entry.content))
        return
    with open(entry.content, "rb") as file:
        tar.addfile(info, file)


# reading


def unpack(path: str, folder: str) -> Facts:
    """Check all of it and put its files below `folder`; its manifest."""
    try:
        with open(path, "rb") as raw, tarfile.open(fileobj=raw, mode="r:gz") as tar:
            return _unpacked(tar, folder, path)
    except (tarfile.TarError, EOFError, ValueError, UnicodeError) as error:
        raise _bad(path, str(error) or type(error).__name__) from None
    except OSError as error:
        if error.filename is None:  # of gzip
            raise _bad(path, str(error)) from None
        raise Problem(f"{error.filename}: {error.strerror}") from None


def _unpacked(tar: tarfile.TarFile, folder: str, path: str) -> Facts:
    members: Iterator[tarfile.TarInfo] = iter(tar)
    manifest = _manifest(tar, next(members, None), path)
    wanted = {each["path"]: each for each in manifest["files"]}
    for member in members:
        entry = wanted.pop(member.name, None)
        why = problem_of(member.name)
        if not member.isfile():
            why = "it is a link, a folder or a device"
        if entry is None:
            why = why or "the manifest does not know it, or it is there twice"
        if entry is None or why:
            raise _bad(path, f"{member.name[:200]!r}: {why}")
        source = tar.extractfile(member)
        if source is None or not _copied(source, os.path.join(folder, member.name), entry):
            raise _bad(path, f"{member.name}: its checksum is another one")
    if wanted:
        raise _bad(path, f"{next(iter(wanted))} is missing")
    return manifest


def _manifest(tar: tarfile.TarFile, member: tarfile.TarInfo | None, path: str) -> Facts:
    if member is None or member.name != MANIFEST or not member.isfile() or member.size > MAX_MANIFEST:
        raise _bad(path, "it does not begin with a manifest")
    file = tar.extractfile(member)
    manifest = json.loads(file.read()) if file is not None else None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), list):
        raise _bad(path, "its manifest is none of ours")
    if manifest.get("format") != FORMAT:
        raise Problem(
            f"{path} is of another format",
            why=f"format {manifest.get('format')}, made by sbctl {manifest.get('version')}",
            remedy="restore it with that version",
            code=BAD_SETTINGS,
        )
    if len(manifest["files"]) > MAX_FILES or not all(_is_entry(each) for each in manifest["files"]):
        raise _bad(path, "its manifest is none of ours")
    return manifest


def _is_entry(each: Any) -> bool:
    return (
        isinstance(each, dict)
        and isinstance(each.get("path"), str)
        and isinstance(each.get("sha256"), str)
        and isinstance(each.get("size"), int)
        and 0 <= each["size"] <= (MAX_HISTORY if each["path"] == HISTORY else MAX_SETTINGS_FILE)
    )


def problem_of(name: str) -> str:
    """Why a file of that name is not taken out of a backup; "" if it may be."""
    parts = name.split("/")
    if name.startswith("/") or any(part in ("", ".", "..") for part in parts) or "\\" in name or "\0" in name:
        return "its path leads elsewhere"
    if parts[0] == "etc" and len(parts) > 1:
        return ""
    if parts[0] == "plugins" and len(parts) == 3 and parts[2] == "manifest.json":
        return ""
    return "" if name in (STATE, HISTORY) else "no such file belongs into a backup"


def _copied(source: IO[bytes], path: str, entry: Facts) -> bool:
    """Never more than was announced; whether it is what the manifest says."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    digest, left = hashlib.sha256(), entry["size"]
    mode = 0o600 if entry["path"].startswith(SECRETS) else _mode(entry.get("mode"))
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        while data := source.read(CHUNK):
            left -= len(data)
            if left < 0:
                return False
            digest.update(data)
            file.write(data)
        os.fchmod(file.fileno(), mode)
    return bool(left == 0 and digest.hexdigest() == entry["sha256"])


def _mode(text: Any) -> int:
    """Of its owner's, and reading for others; nobody else writes."""
    try:
        return (int(str(text), 8) & 0o755) | 0o600
    except ValueError:
        return 0o600


def _bad(path: str, why: str) -> Problem:
    return Problem(f"{path} is no backup that can be used", why=why, remedy="nothing was changed", code=BAD_SETTINGS)
