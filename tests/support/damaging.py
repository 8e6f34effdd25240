"""Whatever a crash, a disk or a person can make of a small file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

NUMBER = re.compile(rb"(?<=[:\[ ,])\d+(?=[,}\] \n])")
DEEP = 100_000


def cuts(data: bytes, parts: int = 16) -> Iterator[tuple[str, bytes]]:
    """Its beginning, at each so manieth part of it."""
    for part in range(parts):
        yield f"cut at {part}/{parts}", data[: len(data) * part // parts]


def damaged(data: bytes) -> Iterator[tuple[str, bytes]]:
    """A file of JSON in all kinds of bad shape, each with its name."""
    yield from cuts(data)
    yield "zeros", bytes(len(data))
    yield "noise", os.urandom(max(len(data), 64))
    yield "not UTF-8", b'{"format": 1, "services": {"\xff\xfe": 1}}'
    yield "other types", _other_types(data)
    for text in ("[]", "17", "null", '"x"', "{}", '{"format": 1}'):
        yield text, text.encode()
    yield "huge numbers", NUMBER.sub(b"1" + b"0" * 400, data)
    yield "numbers beyond all", NUMBER.sub(b"1e999", data)
    yield "a deep nest", b"[" * DEEP + b"]" * DEEP
    yield "a deep nest inside", b'{"format": 1, "services": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}"


def _other_types(data: bytes) -> bytes:
    """Each value that holds others is a text, each text and number a list."""
    try:
        content = json.loads(data)
    except ValueError:
        return data[::-1]
    if not isinstance(content, dict):
        return b'{"x": []}'
    return json.dumps(
        {
            name: value if name == "format" else "x" if isinstance(value, (dict, list)) else [value]
            for name, value in content.items()
        }
    ).encode()
