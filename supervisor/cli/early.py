"""The question of `sbctl status`, asked before what is needed to show the answer is loaded.

The scheduler looks at all processes for it, which takes as long as that. Nobody is waited for here: who does not take
the question at once is asked again by whoever wants the answer, with patience, and once.
"""

from __future__ import annotations

from supervisor.base.errors import Problem
from supervisor.control.dial import dial

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

    from supervisor.model.home import Home

PATIENCE_S = 2.0  # of who wants the answer, for each daemon: two that hang still make less than five seconds
ROLES = ("scheduler", "start")  # in the order in which they are asked: one of them has more to do
ROWS = b'{"verb":"rows"}'


def ask(home: Home) -> dict[str, _socket.socket]:
    """Who has been asked, and will answer. Of who is not in it whoever asks again will learn why."""
    asked: dict[str, _socket.socket] = {}
    for role in ROLES:
        try:
            sock = dial(home, role, 0.0)
        except Problem:
            continue
        try:
            sock.sendall(len(ROWS).to_bytes(4, "big") + ROWS)
        except OSError:
            sock.close()
        else:
            asked[role] = sock
    return asked
