"""All that is kept for a scheduler, in pieces that fit a message each."""

from __future__ import annotations

import os

from supervisor.base.wire import MAX_PACKET, encode
from supervisor.engine.entries import SECOND, close_fds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from supervisor.base.wire import Message
    from supervisor.engine.entries import Entry
    from supervisor.engine.notify import Heard

CHUNK = 50  # entries a message, each with up to five descriptors: the kernel takes at most 253
CHUNK_BYTES = MAX_PACKET // 2


def entries_in_pieces(
    entries: Iterable[Entry], heard: Mapping[str, Heard], now: float
) -> list[tuple[list[Message], list[int]]]:
    """Entries and their descriptors. These are copies: a message may wait in the queue while an entry is dropped and
    its own are closed. OSError: no descriptor is left just now.
    """
    pieces: list[tuple[list[Message], list[int]]] = []
    seconds: dict[int, list[Entry]] = {}  # by piece
    size = 0
    try:
        for entry in entries:
            row = _as_dict(entry, heard.get(entry.key), now)
            length = len(encode(row)) + 1
            if not pieces or size + length > CHUNK_BYTES or len(pieces[-1][0]) == CHUNK:
                pieces.append(([], []))
                size = 0
            size += length
            pieces[-1][0].append(row)
            seconds.setdefault(len(pieces) - 1, []).append(entry)
            for name, fd in entry.kept().items():
                if name not in SECOND:
                    pieces[-1][1].append(os.dup(fd))
        for number, some in seconds.items():  # last, where an older scheduler looks for none
            pieces[number][1].extend(os.dup(fd) for each in some for fd in each.seconds())
    except OSError:
        for _, fds in pieces:
            close_fds(*fds)
        raise
    return pieces


def _as_dict(entry: Entry, heard: Heard | None, now: float) -> dict[str, Any]:
    return {
        "key": entry.key,
        "pid": entry.pid,
        "started": entry.started,
        "status": entry.status,
        "empty": entry.empty,
        "oom": entry.oom,
        "used": entry.used,
        "ended": entry.ended,
        "cause": entry.cause.as_dict() if entry.cause else None,
        "ends": list(entry.kept()),
        "notified": heard.as_dict(now) if heard is not None else None,
        "launch": entry.launch.digest(),
        "log": entry.launch.log,
        "err_log": entry.launch.err_log,
        "stop": list(entry.stop),
    }


def notes_in_pieces(notes: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """By name."""
    parts: list[dict[str, Any]] = []
    part: dict[str, Any] = {}
    size = 0
    for name, blob in notes.items():
        length = len(encode(blob)) + len(name) + 8
        if part and size + length > CHUNK_BYTES:
            parts.append(part)
            part, size = {}, 0
        part[name] = blob
        size += length
    if part:
        parts.append(part)
    return parts
