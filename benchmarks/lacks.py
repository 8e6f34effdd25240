"""What a peer does not do of what ours does in the same figure, by its name in the tables.

A row that is ahead for that is shown all the same, and says why.
"""

from __future__ import annotations

OF = {
    "APScheduler, memory": "claims nothing, keeps no output, writes nothing down",
    "honcho": "restarts nothing",
    "s6, no loggers": "captures no output",
    "runit, no loggers": "captures no output",
}


def of(subject: str) -> str:
    """Empty: nothing that matters here. What is behind a colon is which of its commands."""
    return OF.get(subject.partition(":")[0], "")
