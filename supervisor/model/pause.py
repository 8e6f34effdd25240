"""What is in `pause.flag`: three lines for people, which any of them may leave out.

    by: anna
    reason: disk is being replaced
    until: 2026-11-24T08:00:00.000Z

That the file is there is what pauses; whoever touches it needs to write nothing. Pure: texts in, texts out.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "pause.flag"
MAX_BYTES = 4096
MAX_TEXT = 500
KEYS = ("by", "reason", "until")


def encode(by: str, reason: str = "", until: str = "") -> bytes:
    """`until` is an ISO time, "" for as long as the file is there."""
    lines = [f"{key}: {_one_line(text)}" for key, text in zip(KEYS, (by, reason, until), strict=True)]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def decode(data: bytes) -> dict[str, Any]:
    """by, reason and until (a text, or None). What is none of ours pauses all the same, by the file itself."""
    found: dict[str, str] = {}
    for line in data[:MAX_BYTES].decode("utf-8", "replace").splitlines():
        key, colon, text = line.partition(":")
        if colon and key.strip().lower() in KEYS:
            found.setdefault(key.strip().lower(), text.strip())
    return {"by": found.get("by") or NAME, "reason": found.get("reason", ""), "until": found.get("until") or None}


def _one_line(text: str) -> str:
    return " ".join(text.split())[:MAX_TEXT]
