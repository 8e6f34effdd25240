"""Real sockets of this machine on a loop whose time moves only when a test says so."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes import FakeLoop, FakeWorld


class Answers:
    """Hears how an attempt ends."""

    def __init__(self, loop: FakeLoop) -> None:
        self._loop = loop
        self.told: list[tuple[bool, str]] = []

    def __call__(self, ok: bool, text: str) -> None:
        self.told.append((ok, text))

    def wait(self) -> tuple[bool, str]:
        """The first one; time stands still, so it is no time limit that brings it."""
        for _ in range(100):
            if self.told:
                return self.told[0]
            self._loop.turn(0.05)
        raise AssertionError("no answer")


@pytest.fixture
def world() -> Iterator[FakeWorld]:
    world = FakeWorld()
    yield world
    world.loop.close()


@pytest.fixture
def loop() -> Iterator[FakeLoop]:
    loop = FakeLoop()
    yield loop
    loop.pass_time(60.0)  # whatever is still open has its limit
    loop.close()


@pytest.fixture
def answers(loop: FakeLoop) -> Answers:
    return Answers(loop)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Takes connections into its queue, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.settimeout(5)
        yield sock


@pytest.fixture
def unix_path(tmp_path: Path) -> str:
    return str(tmp_path / "socket")
