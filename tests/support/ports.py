"""Free ports that two tests, or two runs of the tests on one machine, do not both get.

A port is bound by a daemon only a while after it was chosen, and let go at each of its restarts: that nobody
has it now says little. So each process owns a block of them, by a lock that ends with it.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Below the range the kernel gives to outgoing connections, which would take one at any moment.
LOWEST, HIGHEST = 20_000, 31_999
BLOCK = 100


def free_port() -> int:
    """A loopback port that nobody has now; each call of one process gives another."""
    for port in itertools.islice(_own_ports(), BLOCK):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


@cache
def _own_ports() -> Iterator[int]:
    first = _own_block()
    return itertools.cycle(range(first, first + BLOCK))


def _own_block() -> int:
    """The first block that no other process has; its lock is held as long as this process lives."""
    folder = Path(tempfile.gettempdir()) / f"sbctl-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for first in range(LOWEST, HIGHEST - BLOCK + 2, BLOCK):
        fd = os.open(folder / str(first), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            continue
        return first
    raise AssertionError("every block of ports is taken")
