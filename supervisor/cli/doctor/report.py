"""What a doctor has found, as text and as one object. Pure."""

from __future__ import annotations

from supervisor.base.clock import iso
from supervisor.base.counting import counted
from supervisor.cli.doctor.check import LEVELS, OK, PROBLEM, WARNING, worst
from supervisor.cli.marks import BAD, GOOD, ODD
from supervisor.cli.out import at_home
from supervisor.model.rows import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from supervisor.cli.doctor.check import Check
    from supervisor.cli.doctor.mending import Mended
    from supervisor.cli.table import Style

    Section = tuple[str, list[Check]]

SIGNS = {OK: GOOD, WARNING: ODD, PROBLEM: BAD}
GAP = 2


def lines(sections: list[Section], mended: list[Mended], style: Style) -> list[str]:
    """The sections with their checks; below each that is not well, why it matters and what mends it."""
    wide = max((len(clean(check.name)) for _, checks in sections for check in checks), default=0)
    shown: list[str] = []
    for title, checks in sections:
        if checks:
            shown.append(style.paint(title, "1"))
        for check in checks:
            shown += _of_check(check, wide, style)
    return [*shown, *_of_mended(mended, style), summary(sections)]


def _of_check(check: Check, wide: int, style: Style) -> list[str]:
    sign, plain, colour = SIGNS[check.level]
    mark = style.paint(sign if style.utf8 else plain, colour)
    name = f"{clean(check.name):<{wide}}"
    margin = " " * (GAP + len(sign if style.utf8 else plain) + 1 + wide + GAP)
    found = [f"{' ' * GAP}{mark} {name}{' ' * GAP}{clean(check.what)}"]
    if check.level == OK:
        return found
    for word, text in (("where", check.where), ("why", check.why), ("next", at_home(check.next))):
        if text:
            found.append(f"{margin}{word + ':':<7}{clean(text)}")
    return found


def _of_mended(mended: list[Mended], style: Style) -> list[str]:
    if not mended:
        return []
    found = [style.paint("done by --fix", "1")]
    for each in mended:
        sign, plain, colour = GOOD if each.done else BAD
        mark = style.paint(sign if style.utf8 else plain, colour)
        found.append(f"{' ' * GAP}{mark} {clean(each.text)}")
    return found


def summary(sections: list[Section]) -> str:
    counts = count(sections)
    told = [f"{counts[OK]} ok"]
    told += [counted(counts[level], level) for level in (WARNING, PROBLEM) if counts[level]]
    fixable = sum(check.mend is not None for _, checks in sections for check in checks)
    more = f"; {fixable} of them: sbctl doctor --fix" if fixable else ""
    return ", ".join(told) + at_home(more)


def count(sections: list[Section]) -> dict[str, int]:
    levels = [check.level for _, checks in sections for check in checks]
    return {level: levels.count(level) for level in LEVELS}


def as_facts(home: str, sections: list[Section], mended: list[Mended], at: float, took: float) -> dict[str, Any]:
    checks = [{"subject": title, **check.as_dict()} for title, checks in sections for check in checks]
    for check in checks:
        check["next"] = at_home(str(check["next"]))
    return {
        "home": home,
        "at": iso(at),
        "took_s": round(took, 3),
        "state": worst([check for _, checks in sections for check in checks]),
        "counts": count(sections),
        "checks": checks,
        "fixed": [each.as_dict() for each in mended],
    }
