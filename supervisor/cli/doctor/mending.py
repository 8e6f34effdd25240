"""`doctor --fix`: does what is safe to do, one thing after the other, and says each."""

from __future__ import annotations

from supervisor.base.errors import Problem
from supervisor.cli.doctor.examining import examine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.doctor.check import Check
    from supervisor.cli.doctor.examining import Section
    from supervisor.model.home import Home

ROUNDS = 2  # what is seen only once something else is mended: PID files of those that were left over


class Mended:
    """One thing that was tried."""

    __slots__ = ("check", "done", "text")

    def __init__(self, check: str, text: str, *, done: bool) -> None:
        self.check = check
        self.text = text
        self.done = done

    def as_dict(self) -> dict[str, Any]:
        return {"check": self.check, "done": self.done, "text": self.text}


def mend(home: Home, sections: list[Section]) -> tuple[list[Section], list[Mended]]:
    """Mend and look again. What is left is in the sections, each with its command."""
    mended: list[Mended] = []
    for _ in range(ROUNDS):
        wrong = [check for _, checks in sections for check in checks if check.mend is not None]
        if not wrong:
            break
        mended += [_try(check) for check in wrong]
        concerned = {title for title, checks in sections if any(check in wrong for check in checks)}
        fresh = dict(examine(home, concerned))
        sections = [(title, fresh.get(title, checks)) for title, checks in sections]
    return sections, mended


def _try(check: Check) -> Mended:
    assert check.mend is not None
    try:
        return Mended(check.name, check.mend(), done=True)
    except Problem as problem:
        return Mended(check.name, f"{check.name}: {problem.what}", done=False)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return Mended(check.name, f"{check.name}: {error.strerror or error}{where}", done=False)
