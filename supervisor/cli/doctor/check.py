"""One thing that was looked at, and what came of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

OK, WARNING, PROBLEM = "ok", "warning", "problem"
LEVELS = (OK, WARNING, PROBLEM)  # each worse than the one before


class Check:
    """The verdict, and all that a person needs to act on it."""

    __slots__ = ("level", "mend", "name", "next", "what", "where", "why")

    def __init__(
        self,
        name: str,
        what: str,
        *,
        level: str = OK,
        where: str = "",
        why: str = "",
        next: str = "",
        mend: Callable[[], str] | None = None,
    ) -> None:
        self.name = name
        self.level = level
        self.what = what  # what is so
        self.where = where  # a file, a folder, a process
        self.why = why  # why that matters
        self.next = next  # the command that mends it
        self.mend = mend  # what `--fix` does about it, and returns in words; None: that is a person's to decide

    def as_dict(self) -> dict[str, Any]:
        return {
            "check": self.name,
            "level": self.level,
            "what": self.what,
            "where": self.where,
            "why": self.why,
            "next": self.next,
            "fixable": self.mend is not None,
        }


def worst(checks: list[Check]) -> str:
    return max((check.level for check in checks), key=LEVELS.index, default=OK)


def all_well(checks: list[Check], name: str, what: str, where: str = "") -> list[Check]:
    """These; where there are none, that this is all right."""
    return checks or [Check(name, what, where=where)]
