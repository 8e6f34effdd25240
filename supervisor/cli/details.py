"""What is said of services, as it may be printed: with secrets masked.

A detail may hold what the program has said (STATUS= of sd_notify, the last line of a check). Knowing the secrets of a
home takes longer than a whole `status`, so they are read only when a detail has a word that is not one of ours.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from supervisor.cli.table import Row
    from supervisor.model.home import Home

# A shorter value is not masked anyway (see masking.LEAST); what is no number must be one of these.
SHORT = 6
_OURS = """
a after again and as asked at backoff by can't clean code core crash crashed crashes d disabled down dumped ended exit
exited expected failed fast finished for gave group h in is it its killed long m memory never next not of once orphan
outside pid port ready requires rest restart restarting row running runs s sbctl scheduler since so start started
starting stay stopped stopping system the to too tried try unsupervised up use waited waiting waits was within
degraded READY=1 SIGABRT SIGBUS SIGHUP SIGINT SIGKILL SIGPIPE SIGQUIT SIGSEGV SIGTERM
"""
OURS = frozenset(_OURS.split())
TEXTS = ("detail", "cause")
OWN_PROGRAMS = ("scheduler", "config")  # which say no secrets of themselves


def is_ours(text: str, names: Collection[str]) -> bool:
    """Can nothing but sbctl itself have written this?"""
    words = [word.strip(".,;:()") for word in text.split()]
    return all(word in OURS or word in names or (len(word) < SHORT and word[:1].isdigit()) for word in words)


def mask_rows(home: Home, rows: Iterable[Row]) -> None:
    """In the rows of the table."""
    rows = list(rows)
    names = {row.name for row in rows}
    odd = [row for row in rows if row.name not in OWN_PROGRAMS and not is_ours(row.detail, names)]
    if odd:
        from supervisor.cli.secrets import mask_of

        mask = mask_of(home)
        for row in odd:
            row.detail = mask.hide_text(row.detail)


def mask_facts(home: Home, rows: Iterable[dict[str, Any]]) -> None:
    """In rows as JSON has them."""
    rows = list(rows)
    names = {row["name"] for row in rows}
    others = [row for row in rows if row["name"] not in OWN_PROGRAMS]
    odd = [(row, key) for row in others for key in TEXTS if not is_ours(str(row.get(key) or ""), names)]
    if odd:
        from supervisor.cli.secrets import mask_of

        mask = mask_of(home)
        for row, key in odd:
            row[key] = mask.hide_text(str(row[key]))
