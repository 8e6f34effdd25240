"""A memory cgroup of a test's own, where the machine lets us make one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from supervisor.engine.oom import find_own

from .waiting import eventually

JOIN = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


@contextlib.contextmanager
def limited_memory(megabytes: int) -> Iterator[str]:
    """A folder below our own cgroup with this limit; everything in it must have ended at the end."""
    counter = find_own()
    if not counter:
        pytest.skip("no memory cgroup of ours is to be seen here")
    folder = os.path.join(os.path.dirname(counter), f"sbctl-test-{os.getpid()}")
    try:
        os.mkdir(folder)
    except OSError as error:
        pytest.skip(f"can't make a memory cgroup here: {error}")
    is_new = counter.endswith("memory.events")
    try:
        with open(f"{folder}/{'memory.max' if is_new else 'memory.limit_in_bytes'}", "w", encoding="ascii") as file:
            file.write(str(megabytes << 20))
    except OSError as error:
        os.rmdir(folder)
        pytest.skip(f"can't limit memory in a cgroup here: {error}")
    try:
        yield folder
    finally:
        eventually(lambda: _remove(folder), 10.0, f"{folder} is empty")


def joining(folder: str) -> list[str]:
    """Words in front of a command that make it run in there."""
    return ["/bin/sh", "-c", JOIN, folder]


def _remove(folder: str) -> bool:
    with contextlib.suppress(OSError):
        os.rmdir(folder)
    return not os.path.exists(folder)
