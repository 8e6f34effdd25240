"""What a peer does not do of what ours does in the same figure, by its name in the tables.

A row that is ahead for that is shown all the same, and says why. What explains nothing is not said: a peer without
loggers is not ahead for capturing no output where it is ahead with them, too.
"""

from __future__ import annotations

from benchmarks.report import Figure

NO_LOGGERS = ", no loggers"
OF = {
    "honcho": "restarts nothing",
    f"s6{NO_LOGGERS}": "captures no output",
    f"runit{NO_LOGGERS}": "captures no output",
}
NOTHING_KEPT = "claims nothing, keeps no output, writes nothing down"
ONLY_CALLED = "calls a function that does nothing; asks no gate, claims nothing"
# In figures whose key begins so. In all others it does the same: what so many schedules take of memory, say.
AT = {
    ("circus", "status.asked."): "answers with names and states only",
    ("APScheduler, memory", "schedules.load."): "keeps no job for its next start, and has no history to read",
    ("APScheduler, memory", "schedules.first."): "is told its jobs in code: reads, checks and keeps no file of them",
    ("APScheduler, memory", "schedules.due."): ONLY_CALLED,
    ("APScheduler, memory", "schedules.commands."): NOTHING_KEPT,
    ("APScheduler, memory", "spawn.commands."): NOTHING_KEPT,
    ("APScheduler, SQLite", "schedules.commands."): "keeps no output, records no run",
    ("APScheduler, SQLite, 100 due", "schedules.due."): ONLY_CALLED,
}


def of(figure: Figure, subject: str, ours: float) -> str:
    """Empty: nothing that matters here. What is behind a colon in its name is which of its commands."""
    name = subject.partition(":")[0]
    if NO_LOGGERS in name and _is_ahead(figure, subject.replace(NO_LOGGERS, ""), ours):
        return ""
    here = [what for (who, begin), what in AT.items() if name == who and figure.key.startswith(begin)]
    return here[0] if here else OF.get(name, "")


def _is_ahead(figure: Figure, subject: str, ours: float) -> bool:
    row = figure.row(subject)
    return row is not None and bool(row.values) and not row.wrong and figure.is_better(row.median, ours)
