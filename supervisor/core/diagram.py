"""Draws `docs/states.md` from the machine's table, so that the page can't be wrong.

python -m supervisor.core.diagram > docs/states.md
"""

from __future__ import annotations

from supervisor.core.cells import LEADS_TO, ignore, refuse
from supervisor.core.inputs import INPUTS
from supervisor.core.machine import TABLE
from supervisor.model.service import Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.core.cells import Handler

HEAD = """\
# States

Generated from the table in `supervisor/core/machine.py` by `python -m supervisor.core.diagram > docs/states.md`.

A service is in one of eight phases. What can happen to it is one of seventeen inputs. For each pair the machine has one
handler; a handler may leave the phase as it is.
"""

TABLE_HEAD = """\
## The table

`·` nothing to do; `✗` can't come, which is an error of the caller's and changes nothing.
"""


def page() -> str:
    lines = [f"    {old} --> {new}: {', '.join(names)}" for old, new, names in arrows()]
    diagram = "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> stopped", *lines, "```\n"])
    inputs = "\n".join(["## The inputs\n", *(f"- `{kind.__name__}`: {_text(kind.__doc__)}" for kind in INPUTS)])
    return "\n".join([HEAD, diagram, TABLE_HEAD, *_rows(), "", inputs, ""])


def arrows() -> Iterator[tuple[str, str, list[str]]]:
    """From, to, and the inputs that lead there."""
    for phase, cells in TABLE.items():
        for target in Phase:
            names = [kind.__name__ for kind, handler in cells.items() if target in LEADS_TO.get(handler, ())]
            if names and target is not phase:
                yield phase.value, target.value, names


def _rows() -> Iterator[str]:
    yield "| | " + " | ".join(Phase) + " |"
    yield "|---" * (len(Phase) + 1) + "|"
    for kind in INPUTS:
        yield f"| `{kind.__name__}` | " + " | ".join(_cell(TABLE[phase][kind]) for phase in Phase) + " |"


def _cell(handler: Handler) -> str:
    if handler is ignore:
        return "·"
    return "✗" if handler is refuse else _text(handler.__doc__)


def _text(doc: str | None) -> str:
    return " ".join((doc or "").split())


if __name__ == "__main__":
    print(page(), end="")
