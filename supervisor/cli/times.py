"""Times as people write them: `10s`, `1m30s`, `2h`, and points like `10m` ago or `2026-11-21 05:20`."""

from __future__ import annotations

import re

from supervisor.base.errors import USAGE, Problem

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
LONGEST_S = 10 * 365 * 86400.0
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|[smhdw])")


def parse_duration(text: str) -> float:
    """Seconds; a bare number is seconds."""
    word = text.strip().lower()
    seconds = _bare(word)
    if seconds is None:
        seconds, at = 0.0, 0
        for part in _PART.finditer(word):
            if part.start() != at:
                break
            seconds += float(part[1]) * UNITS[part[2]]
            at = part.end()
        if at != len(word) or not word:
            raise Problem(f"{text!r} is no duration", remedy="write it like 10s, 1m30s, 2h or 500ms", code=USAGE)
    if seconds > LONGEST_S:
        raise Problem(f"{text!r} is longer than ten years", code=USAGE)
    return seconds


def _bare(word: str) -> float | None:
    return float(word) if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", word) else None


def parse_since(text: str, now: float) -> float:
    """A point in time: so long ago, an ISO date and time, or a time of today (local unless it names a zone)."""
    from datetime import datetime

    try:
        return now - parse_duration(text)
    except Problem:
        pass
    word = text.strip()
    if re.fullmatch(r"\d\d:\d\d(:\d\d)?", word):
        word = f"{datetime.fromtimestamp(now).date()}T{word}"
    try:
        return datetime.fromisoformat(word).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        raise Problem(
            f"{text!r} is neither a duration nor a date",
            remedy="write it like 10m, 2h, 14:00, 2026-11-21 or 2026-11-21T05:20:00Z",
            code=USAGE,
        ) from None


def parse_iso(text: object) -> float | None:
    """Wall time of one of our own ISO stamps (or of such a time); None for anything else."""
    from datetime import datetime

    if isinstance(text, float):
        return text
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
