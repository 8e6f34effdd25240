"""How much room its parts have in the note of a run: that goes to `start` with each step, in one packet or not at all.

Counted as it is written down there, in JSON: a control character has six bytes, and also what is empty has some. What
is left of a packet is for all that we say ourselves.
"""

from __future__ import annotations

from supervisor.base.wire import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from supervisor.base.wire import Message

HANDED_OVER = 60_000  # by who asks for the run
FIGURES = 60_000  # reported by its steps


def size_of(part: Message) -> int:
    return len(encode(part))
