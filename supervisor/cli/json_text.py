"""JSON as sbctl prints it: readable as it stands, and safe on a terminal."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_plain = json.JSONEncoder(ensure_ascii=False).encode
_ascii = json.JSONEncoder().encode


def encode(value: Any) -> str:
    """On one line."""
    text = _plain(value)
    # JSON escapes the ASCII controls only: a terminal also obeys others, and marks of direction.
    return text if text.isprintable() else _ascii(value)


def encode_indented(value: Any) -> str:
    """For people, on many lines."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return text if text.replace("\n", "").isprintable() else json.dumps(value, indent=2)
