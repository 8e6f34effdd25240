"""Free ports that two tests, or two runs of the tests on one machine, do not both get."""

from __future__ import annotations

import os
import socket

# Below the range the kernel gives to outgoing connections, which would take one at any moment.
LOWEST, HIGHEST = 20_000, 31_999
_next = LOWEST + (os.getpid() * 37) % (HIGHEST - LOWEST)


def free_port() -> int:
    """A loopback port that nobody has now; each call of one process gives another."""
    global _next
    for _ in range(HIGHEST - LOWEST):
        _next = _next + 1 if _next < HIGHEST else LOWEST
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", _next))
            except OSError:
                continue
            return _next
    raise AssertionError("no free port")
