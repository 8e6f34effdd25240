"""Waiting for a fact. The only place in the tests (but the children) that sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(fact: Callable[[], T | None], timeout: float = 10.0, message: str = "") -> T:
    """What `fact` returns, as soon as that counts as true. An AssertionError in it means: not yet."""
    end = time.monotonic() + timeout
    pause = 0.005
    while True:
        seen: object
        try:
            value = fact()
            if value:
                return value
            seen = value
        except AssertionError as error:
            seen = error
        if time.monotonic() >= end:
            what = message or getattr(fact, "__name__", "it")
            raise AssertionError(f"not within {timeout} s: {what} (last seen: {seen!r})")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
