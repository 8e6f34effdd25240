"""A drill's verdict as lines. Pure."""

from __future__ import annotations

from supervisor.cli.drilling.judging import duration
from supervisor.cli.marks import BAD, GOOD
from supervisor.model.rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.table import Style

UNDECIDED = ("○", "~~", "2")


def lines(facts: dict[str, Any], next: str, style: Style) -> list[str]:
    """The verdict, then each step with the time since the deed."""
    verdict = style.paint("pass", "32") if facts["passed"] else style.paint("fail", "31")
    found = [f"drill {facts['drill']} {clean(facts['name'])}: {verdict} in {duration(facts['took_s'])}, {facts['at']}"]
    wide = max((len(step["step"]) for step in facts["steps"]), default=0)
    times = [duration(step["after_s"]) if step["after_s"] is not None else "" for step in facts["steps"]]
    room = max(map(len, times), default=0)
    for step, after in zip(facts["steps"], times, strict=True):
        sign, plain, colour = {True: GOOD, False: BAD, None: UNDECIDED}[step["passed"]]
        mark = style.paint(sign if style.utf8 else plain, colour)
        what = clean(step["what"] or "not reached")
        found.append(f"  {mark} {step['step']:<{wide}}  {after:>{room}}  {what}")
    if next:
        found.append(f"next: {next}")
    return found
