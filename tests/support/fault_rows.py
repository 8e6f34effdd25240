"""What can break, in the order of how much it would cost. A test names its rows in the first lines of its file, and
`faults/test_rows.py` sees that each row has one. `docs/faults.md` is for people.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).resolve().parents[1]


class Row(NamedTuple):
    """One kind of fault."""

    ids: str  # R.. numbers, with blanks between them
    fault: str
    waiting: str = ""  # a part of it that is not built yet, and so can't be tried


ROWS = (
    Row("R01 R02", "daemons killed, by hand and for want of memory"),
    Row("R28 R27", "endpoints that never answer, at a start without terminal, stdin and stdout"),
    Row("R29", "endpoints that hang or drip", "webhooks and mail: there are no notices yet"),
    Row("R05 R40", "many starts at once; several who write the same file"),
    Row("R03 R04 R39", "pids used again, PID files and state files full of rubbish"),
    Row("R32", "crashes around the limit of what counts as fast, and a count that is kept"),
    Row("R07 R09 R36", "the reader of the logs stopped or failing, steps that talk too much, storms of exits"),
    Row("R10 R11", "a disk that is full, broken or without inodes, at each single write"),
    Row("R12 R13", "the history locked, full, spoilt, taken away; its writer killed at any moment"),
    Row("R16 R17", "the wall clock set, the machine or a daemon suspended"),
    Row("R24 R25 R26", "signals at each moment of the start-up, and in a row; a terminal that closes"),
    Row("R22 R37", "grandchildren that escape; orders to what has just died"),
    Row("R23", "many deaf children at once"),
    Row("R06", "descriptors inherited, and by whom"),
    Row("R35 R08", "output that is ugly, endless, or looks like orders"),
    Row("R38", "settings cut off at any byte"),
    Row("R18 R19 R20", "days of 23 and 25 hours, no time zones, slots that were missed"),
    Row("R14 R15", "no descriptors, no processes, no memory to be had"),
    Row("R31 R44 R45", "probes that hang, clients that never ask or never read", "streams: there is no dashboard yet"),
    Row("R33 R34", "rotation at full speed and under attack; a crash loop that fills the disk"),
    # behind the first twenty
    Row("R21 R43", "as the first process of a container"),
    Row("R41 R46 R48", "folders that can't be written, ports that are taken, dependencies that never come"),
    Row("R42", "a user who sees his own processes only"),
    Row("R47 R50", "what a wrapper and an exit code say"),
)


def files_of() -> dict[str, set[str]]:
    """By R.. number: the files of tests whose first lines name it."""
    found: dict[str, set[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        head = path.read_text().partition('"""')[2].partition('"""')[0]
        for id in re.findall(r"\bR\d\d\b", head):
            found.setdefault(id, set()).add(str(path.relative_to(TESTS)))
    return found


def all_files() -> list[str]:
    """Those that name a row of the table, wherever they lie: `make faults` plays them."""
    found = files_of()
    return sorted({f"tests/{name}" for row in ROWS for id in row.ids.split() for name in found.get(id, ())})


if __name__ == "__main__":
    print(" ".join(all_files()))
