"""What a peer does not do of what ours does in the same figure, by its name in the tables.

A row that is ahead for that is shown all the same, and says why. What explains nothing is not said: a peer without
loggers is not ahead for capturing no output where it is ahead with them, too.
"""

from __future__ import annotations

from benchmarks.report import Figure

NO_LOGGERS = ", no loggers"
OF = {
    "APScheduler, memory": "claims nothing, keeps no output, writes nothing down",
    "honcho": "restarts nothing",
    f"s6{NO_LOGGERS}": "captures no output",
    f"runit{NO_LOGGERS}": "captures no output",
}
# In figures whose key begins so.
AT = {
    ("circus", "status.asked."): "answers with names and states only",
    ("APScheduler, SQLite", "schedules.commands."): "keeps no output, records no run",
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
