"""Which of the figures that its steps report a run keeps. Those that gates ask for always: a step that reports very
much else must not get past them by that.
"""

from __future__ import annotations

from supervisor.core.quality import DATA, QUALITY, VALIDATION
from supervisor.core.room import FIGURES, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Figures = dict[str, Any]

MOST = 100
ASKED_FOR = frozenset((*DATA, *QUALITY, *VALIDATION))


def keep(kept: Figures, more: Figures) -> None:
    """Put those of a step to those from before, as far as there is room; an old value never stands for a new one."""
    others = {name: value for name, value in kept.items() if name not in more and name not in ASKED_FOR}
    count, size = len(others), size_of(others)
    for name in sorted(more, key=lambda name: name not in kept):
        value = more[name]
        if name not in ASKED_FOR:
            longer = size + size_of({name: value}) if count < MOST else FIGURES + 1
            if longer > FIGURES:
                kept.pop(name, None)
                continue
            count, size = count + 1, longer
        kept[name] = value


def left_out(kept: Figures, more: Figures) -> str:
    """What is to be said of those without room; "": there are none."""
    names = [name for name in more if name not in kept]
    if not names:
        return ""
    some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"reported more than is kept: left out are {len(names)} of its figures, {some}"
