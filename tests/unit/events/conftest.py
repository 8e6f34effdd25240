"""A clock that moves only when a test moves it, and a disk that is full for as long as a test says."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest


class FakeClock:
    def __init__(self) -> None:
        self.monotonic = 1000.0
        self.seconds = 1_795_238_401.25  # 2026-11-21 05:20:01 UTC

    def boot(self) -> float:
        return self.now()

    def now(self) -> float:
        return self.monotonic

    def wall(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.monotonic += seconds
        self.seconds += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


FullDisk = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    def refuse(_fd: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @contextmanager
    def full() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", refuse)
            yield

    return full
