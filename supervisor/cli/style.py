"""How this terminal is to be drawn on."""

from __future__ import annotations

from supervisor.cli import out
from supervisor.cli.table import Style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.cli.main import Asked


def style_of(asked: Asked) -> Style:
    return Style(colour=out.wants_colour(asked.colour), utf8=out.speaks_utf8(), width=out.width())
