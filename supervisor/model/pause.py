"""What is in `pause.flag`: lines for people, which any of them may leave out.

    by: anna
    reason: disk is being replaced
    until: 2026-11-24T08:00:00.000Z
    on-resume: once

That the file is there is what pauses; whoever touches it needs to write nothing. Pure: texts in, texts out.
"""

from __future__ import annotations

from supervisor.model.wishes import ON_RESUME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "pause.flag"
MAX_BYTES = 4096
MAX_TEXT = 500
KEYS = ("by", "reason", "until", "on-resume")


def encode(by: str, reason: str = "", until: str = "", on_resume: str = "") -> bytes:
    """`until` is an ISO time, "" for as long as the file is there; `on_resume` is left out where it is as usual."""
    texts = (by, reason, until, on_resume) if on_resume and on_resume != ON_RESUME[0] else (by, reason, until)
    lines = [f"{key}: {_one_line(text)}" for key, text in zip(KEYS, texts, strict=False)]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def decode(data: bytes) -> dict[str, Any]:
    """by, reason, until (a text, or None), on_resume. What is none of ours pauses all the same, by the file itself."""
    found: dict[str, str] = {}
    for line in data[:MAX_BYTES].decode("utf-8", "replace").splitlines():
        key, colon, text = line.partition(":")
        if colon and key.strip().lower() in KEYS:
            found.setdefault(key.strip().lower(), text.strip())
    then = found.get("on-resume", "").replace("-", "_")
    return {
        "by": found.get("by") or NAME, "reason": found.get("reason", ""), "until": found.get("until") or None,
        "on_resume": then if then in ON_RESUME else ON_RESUME[0],
    }  # fmt: skip


def _one_line(text: str) -> str:
    return " ".join(text.split())[:MAX_TEXT]
