"""What can break, in the order of how much it would cost: each row with the files that prove it, or why it waits.

A file names its rows in its first lines, and `faults/test_rows.py` keeps both sides true.
`docs/faults.md` is for people.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One kind of fault."""

    ids: str  # R.. numbers, with blanks between them
    fault: str
    files: tuple[str, ...] = ()  # below tests/
    waiting: str = ""  # a part of it that is not built yet, and why it can't be tried


ROWS = (
    Row(
        "R01 R02",
        "daemons killed, by hand and for want of memory",
        (
            "faults/test_kills_aimed_at_spawns.py",
            "faults/test_scheduler_killed.py",
            "faults/test_daemons_killed_in_turn.py",
            "faults/test_both_killed.py",
            "process/test_scheduler_killed.py",
            "process/test_start_killed.py",
            "process/test_runs_killed.py",
        ),
        "soon",
    Row("R01 R02", "daemons killed, by hand and for want of memory", ("faults/test_kills_aimed_at_spawns.py",), "soon"),
    Row(
        "R10 R11",
        "a disk that is full, broken or without inodes, at each single write",
        ("faults/test_commands_refused_by_disk.py", "process/test_full_disk.py"),
    ),
)
