"""Why the file can't be used just now. Loads no SQLite."""

from __future__ import annotations

BUSY, FULL, READ_ONLY, UNWRITABLE, CORRUPT, NEWER, FOREIGN, DISK, MOVED, NO_THREAD = (
    "busy", "full", "read_only", "unwritable", "corrupt", "newer", "foreign", "disk", "moved", "no_thread",
)  # fmt: skip
NOT_OURS = (NEWER, FOREIGN)  # such a file is not touched


class Trouble(Exception):
    """What is the matter, as a clause about the file."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
