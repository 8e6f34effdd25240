"""A clock that moves only when a test moves it."""

from __future__ import annotations

import pytest


class FakeClock:
    def __init__(self) -> None:
        self.monotonic = 1000.0
        self.seconds = 1_795_238_401.25  # 2026-11-21 05:20:01 UTC

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
